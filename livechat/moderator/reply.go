package moderator

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// reply is what a Moderator answers.
type reply struct {
	Pool   string            `json:"pool"`
	Active string            `json:"active"`
	Epoch  int64             `json:"epoch"`
	States map[string]string `json:"states"`
}

const (
	silence = 10 * time.Second // after which no Moderator counts as heard
	memory  = 60 * time.Second // after which any epoch counts
)

// judge finds out what of the replies is to be believed. It is given the time.
type judge struct {
	pool  string
	known []string // deployments
	best  reply
	at    time.Time // when best was last said
	heard time.Time // the last reply that makes sense
}

// parse reads a reply. An error says why it is none.
func (j *judge) parse(body []byte) (reply, error) {
	var r reply
	switch err := json.Unmarshal(body, &r); {
	case err != nil:
		return r, errors.New("its reply is not what a Moderator says")
	case r.Pool != j.pool:
		return r, fmt.Errorf("it speaks of pool %q", r.Pool)
	case !slices.Contains(j.known, r.Active):
		return r, fmt.Errorf("it names deployment %q, which is not known here", r.Active)
	case r.Epoch <= 0:
		return r, errors.New("its reply has no epoch")
	}
	return r, nil
}

// hear takes a reply that parse returned. An error says that it does not count.
func (j *judge) hear(r reply, now time.Time) error {
	j.heard = now
	if r.Epoch < j.best.Epoch && now.Sub(j.at) <= memory {
		return fmt.Errorf("its epoch is older than that of another")
	}
	j.best, j.at = r, now
	return nil
}

// view is what is to be believed now.
func (j *judge) view(now time.Time) View {
	if j.heard.IsZero() || now.Sub(j.heard) > silence {
		return View{}
	}
	return View{Heard: true, Active: j.best.Active, Epoch: j.best.Epoch, States: j.best.States}
}
