package chat

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"sync"
	"testing"

	"github.com/livens/livens/livechat/chattest"
	"github.com/livens/livens/livechat/frame"
	"github.com/livens/livens/livechat/store"
)

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// newHub has a store in memory where there is one, a peer whose state is unknown, and every token is an operator's.
func newHub(t *testing.T, relay func(any)) *Hub {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "livechat")
	if err != nil {
		dir = t.TempDir()
	}
	db, err := store.Open(dir, quiet)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		db.Close()
		_ = os.RemoveAll(dir)
	})
	return New(Options{
		Name: "primary", Peer: "redundant", Store: db, Operator: func(string) (string, bool) { return "ann", true }, Ask: func() {},
		Burst: 20, Rate: 5, AttachRate: 1000, Log: quiet,
	}, relay)
}

// write stores messages as if they came from elsewhere, and returns them as they are held.
func write(t *testing.T, h *Hub, msgs ...frame.Msg) []store.Record {
	t.Helper()
	done := make(chan []store.Record, 1)
	h.options.Store.Write(&store.Batch{Msgs: msgs, Done: func(held []store.Record, _ []bool, err error) {
		if err != nil {
			t.Error(err)
		}
		done <- held
	}})
	return <-done
}

// inbox is a client's end.
type inbox struct {
	mu     sync.Mutex
	acks   []frame.Ack
	msgs   int
	bytes  int
	closed int // the code; 0: open
}

func (o *inbox) Send(data []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.bytes += len(data)
	var f struct{ T string }
	_ = json.Unmarshal(data, &f)
	switch f.T {
	case "msg":
		o.msgs++
	case "ack":
		var a frame.Ack
		_ = json.Unmarshal(data, &a)
		o.acks = append(o.acks, a)
	}
}

func (o *inbox) Wait(data []byte) bool { o.Send(data); return true }

func (o *inbox) Close(code int, _ string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = code
}

// acked is the highest that it was told so of a sender's messages.
func (o *inbox) acked(sender, by string) (n int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, a := range o.acks {
		if a.By == by {
			n = max(n, a.Have[sender])
		}
	}
	return n
}

// person is an attached client.
type person struct {
	*inbox
	*Session
}

func attach(t *testing.T, h *Hub, hello frame.Hello) *person {
	t.Helper()
	p, no := knock(t, h, hello, "")
	if no != nil {
		t.Fatal(no)
	}
	return p
}

// knock says hello from an address.
func knock(t *testing.T, h *Hub, hello frame.Hello, from string) (*person, *Refusal) {
	p := &person{inbox: &inbox{}}
	hello.T, hello.V = "hello", frame.Version
	addr, _ := netip.ParseAddr(from) // none is none
	var no *Refusal
	if p.Session, no = h.Attach(&hello, p.inbox, addr); no != nil {
		return nil, no
	}
	t.Cleanup(func() { h.Detach(p.Session) })
	return p, nil
}

func visitor() frame.Hello {
	return frame.Hello{Role: frame.Visitor, Key: chattest.Key(), Sender: chattest.Sender("visitor")}
}

func operator() frame.Hello {
	return frame.Hello{Role: frame.Operator, Token: "x", Sender: chattest.Sender("operator")}
}

// says is a message of that sender as it is stored.
func says(c, sender string, n int64) frame.Msg {
	return frame.Msg{C: c, S: sender, N: n, From: frame.Author(sender), Text: fmt.Sprint(n)}
}
