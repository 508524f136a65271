package cluster

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
	"unicode/utf8"
)

// format is the version of the message format. Messages of one version more or less are understood: what a version
// adds are fields that the one before may ignore.
const format = 1

// Message is all that ever crosses between two nameservers: a heartbeat, and whatever else there is to say.
//
// From, Boot and Seq name the sender's process and the message; To and Echo prove that it is fresh. A receiver believes
// a message only if it repeats the receiver's own boot and the number of one of its latest messages: a recorded message
// cannot do that later.
type Message struct {
	Format  int       `json:"v"`
	From    string    `json:"from"`
	Boot    uint64    `json:"boot"`
	Seq     uint64    `json:"seq"` // grows by one with each message of the process, to whomever
	To      string    `json:"to,omitempty"`
	Echo    []Echo    `json:"echo,omitempty"`
	Clock   int64     `json:"clock"`           // the sender's, in Unix microseconds
	Time    *Source   `json:"time,omitempty"`  // whose time the sender goes by
	Version uint64    `json:"version"`         // of the sender's report
	Heard   []Heard   `json:"heard,omitempty"` // the other nameservers, as the sender knows them
	Leaving bool      `json:"leaving,omitempty"`
	Want    []string  `json:"want,omitempty"` // whose reports the sender lacks
	Have    []uint64  `json:"have,omitempty"` // for each of Want the version at hand; 0: none
	Full    []*Report `json:"full,omitempty"`
	Delta   []*Delta  `json:"delta,omitempty"`
}

// Echo repeats what was last heard from the receiver.
type Echo struct {
	Boot uint64 `json:"boot"`
	Seq  uint64 `json:"seq"`
	Held int64  `json:"held"` // microseconds between hearing and repeating it
}

// Heard is what a nameserver knows of another: relayed, so that nameservers that cannot reach each other directly still
// do through a third.
type Heard struct {
	Name    string `json:"name"`
	Boot    uint64 `json:"boot"`
	Seq     uint64 `json:"seq"`
	Age     int64  `json:"age"`     // microseconds since that message, relayed or not
	Version uint64 `json:"version"` // the latest known to exist
	Direct  bool   `json:"direct,omitempty"`
	RTT     int64  `json:"rtt,omitempty"`  // microseconds there and back; 0: not measured
	Skew    int64  `json:"skew,omitempty"` // microseconds that its clock is ahead of the sender's
}

// Bounds of a message. What is beyond them is refused whole.
const (
	maxName      = 253
	maxNodes     = 32
	maxVotes     = 200_000
	maxPools     = 50_000
	maxZones     = 50_000
	maxOverrides = 10_000
	maxEvents    = 2_000
	maxWords     = 4096 // bytes of a reason
	maxAge       = int64(time.Hour / time.Microsecond)
)

// encode writes a message as JSON, a large one compressed.
func (m *Message) encode() []byte {
	out, err := json.Marshal(m)
	if err != nil {
		panic(err) // strings, numbers, addresses and times of this era marshal
	}
	if len(out) < packFrom {
		return out
	}
	var packed bytes.Buffer
	w, _ := gzip.NewWriterLevel(&packed, gzip.BestSpeed) // a level that there is
	_, _ = w.Write(out)                                  // into memory
	_ = w.Close()
	return packed.Bytes()
}

const (
	packFrom  = 32 << 10 // bytes from which on a message is compressed: reports shrink to a fifth
	maxPlain  = 32 << 20 // bytes of a message that was compressed
	gzipMagic = 0x1f     // its first byte; JSON begins with {
)

// unpack is a message's JSON.
func unpack(data []byte) ([]byte, error) {
	if len(data) == 0 || data[0] != gzipMagic {
		return data, nil
	}
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("malformed message: %w", err)
	}
	plain, err := io.ReadAll(io.LimitReader(r, maxPlain+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("malformed message: %w", err)
	case len(plain) > maxPlain:
		return nil, fmt.Errorf("a message of more than %d bytes", maxPlain)
	}
	return plain, nil
}

// errFormat says that a message is of a version that this one cannot understand.
var errFormat = errors.New("a message format that this version of livens does not understand")

// decode reads a message; what is malformed or out of bounds is an error.
func decode(data []byte) (*Message, error) {
	data, err := unpack(data)
	if err != nil {
		return nil, err
	}
	var m Message
	err = json.Unmarshal(data, &m) // what does not fit is left out, so that the format is known all the same
	switch unknown := m.Format < format-1 || m.Format > format+1 || m.Format < 1; {
	case unknown && (err == nil || m.Format != 0):
		return nil, fmt.Errorf("%w: %d, here %d", errFormat, m.Format, format)
	case err != nil:
		return nil, fmt.Errorf("malformed message: %w", err)
	}
	return &m, m.check()
}

// check refuses what no livens says.
func (m *Message) check() error {
	switch {
	case !isName(m.From), m.To != "" && !isName(m.To):
		return errors.New("a message without a proper name")
	case m.Boot == 0, m.Seq == 0:
		return errors.New("a message without a number")
	case len(m.Echo) > 2, len(m.Heard) > maxNodes, len(m.Want) > maxNodes, len(m.Have) > len(m.Want), len(m.Full) > maxNodes, len(m.Delta) > maxNodes:
		return errors.New("a message about more nameservers than there can be")
	}
	if s := m.Time; s != nil && (s.Name == "" != (s.Boot == 0) || len(s.Name) > maxName || s.Age < 0 || s.Age > micros(maxSkew) || s.Shift < -micros(maxSkew) || s.Shift > micros(maxSkew)) {
		return errors.New("a message of a nonsense time")
	}
	for _, h := range m.Heard {
		if !isName(h.Name) || h.RTT < 0 || h.RTT > maxAge || h.Skew < -micros(maxSkew) || h.Skew > micros(maxSkew) || h.Age < 0 || h.Age > maxAge || h.Boot == 0 {
			return errors.New("a message with a nonsense age or name")
		}
	}
	for _, r := range m.Full {
		if err := r.check(); err != nil {
			return err
		}
	}
	for _, d := range m.Delta {
		if d == nil || d.Head == nil || d.Head.Name != d.Name || d.Head.Boot != d.Boot || d.Head.Version <= d.Base {
			return errors.New("a change that fits no report")
		}
		whole := *d.Head
		whole.Contents = d.Set
		if err := whole.check(); err != nil {
			return err
		}
	}
	return nil
}

// beyond says that there is more than any configuration has.
func (c *Contents) beyond() bool {
	return len(c.Votes) > maxVotes || len(c.Held) > maxPools || len(c.Zones) > maxZones || len(c.Overrides) > maxOverrides || len(c.Events) > maxEvents
}

func (r *Report) check() error {
	if r == nil {
		return errors.New("an empty report")
	}
	switch {
	case !isName(r.Name), r.Boot == 0, r.Version == 0:
		return errors.New("a report without a proper name or number")
	case r.Contents.beyond():
		return fmt.Errorf("the report of %s is larger than any configuration", r.Name)
	case len(r.Doubt) > maxWords, len(r.Site) > maxName, len(r.Livens) > maxName, len(r.DNS) > 2*maxNodes:
		return fmt.Errorf("the report of %s has words without end", r.Name)
	}
	for _, v := range r.Votes {
		if len(v.Reason) > maxReason {
			return fmt.Errorf("a vote of %s has words without end", r.Name)
		}
	}
	for pool, d := range r.Held {
		if d == nil || d.Pool != pool || len(d.Active) == 0 || len(d.Addresses) == 0 || len(d.Reason) > maxWords {
			return fmt.Errorf("%s holds half a decision for pool %q", r.Name, pool)
		}
	}
	for key, o := range r.Overrides {
		if register(o) != key {
			return fmt.Errorf("an order of %s in the wrong place: %q", r.Name, key)
		}
	}
	for id, e := range r.Events {
		if e.ID != id || len(e.Reason) > maxWords || len(e.Seen) > maxNodes {
			return fmt.Errorf("an event of %s in the wrong place: %q", r.Name, id)
		}
	}
	return nil
}

func isName(s string) bool { return s != "" && len(s) <= maxName && utf8.ValidString(s) }

func micros(d time.Duration) int64 { return d.Microseconds() }
