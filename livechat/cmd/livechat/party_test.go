package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/livens/livens/livechat/chattest"
	"github.com/livens/livens/livechat/frame"
)

// patience is how long a test waits for what must come, on however busy a machine.
const patience = time.Minute

// greet attaches a client wherever that is, and reads up to its synced.
func greet(ctx context.Context, addr string, hello frame.Hello) (*chattest.Client, *frame.Welcome, []frame.Msg, error) {
	c, err := chattest.Dial(ctx, "ws://"+addr+"/chat")
	if err != nil {
		return nil, nil, nil, err
	}
	hello.T, hello.V, hello.Tried = "hello", 1, []string{"primary", "redundant"}
	if err := c.Send(hello); err != nil {
		return nil, nil, nil, err
	}
	var welcome *frame.Welcome
	var msgs []frame.Msg
	for {
		f, err := c.Next()
		if err != nil {
			return nil, nil, nil, err
		}
		switch f := f.(type) {
		case *frame.Welcome:
			welcome = f
		case *frame.Msg:
			msgs = append(msgs, *f)
		case *frame.Synced:
			return c, welcome, msgs, nil
		}
	}
}

// speaker is a visitor that sends on without waiting until all before is safe.
type speaker struct {
	hello     frame.Hello
	c, sender string

	mu         sync.Mutex
	disk, safe int64 // as far as it was acknowledged so
	more       sync.Cond
	gone       bool
}

func newSpeaker() *speaker {
	key, sender := chattest.Key(), chattest.Sender("visitor")
	c, _ := frame.Conversation(key)
	s := &speaker{hello: frame.Hello{Role: frame.Visitor, Key: key, Sender: sender}, c: c, sender: sender}
	s.more.L = &s.mu
	return s
}

func text(n int64) string { return fmt.Sprintf("message %d", n) }

// talk sends until the connection ends, which ctx ends at the latest. It calls acked for what is new on disk.
func (s *speaker) talk(ctx context.Context, addr string, acked func()) {
	c, _, _, err := greet(ctx, addr, s.hello)
	if err != nil {
		return
	}
	var listening sync.WaitGroup
	defer listening.Wait()
	defer c.Cut()
	s.mu.Lock()
	s.gone = false
	next := s.safe + 1
	s.mu.Unlock()
	listening.Go(func() { s.listen(c, acked) })
	for ; s.turn(next); next++ {
		if c.Send(frame.Msg{T: "msg", C: s.c, S: s.sender, N: next, Text: text(next)}) != nil {
			return
		}
	}
}

// turn waits until message n may be sent; false when there is nobody to send it to.
func (s *speaker) turn(n int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for !s.gone && (n > s.disk+5 || n > s.safe+300) {
		s.more.Wait()
	}
	return !s.gone
}

func (s *speaker) listen(c *chattest.Client, acked func()) {
	for {
		f, err := c.Next()
		s.mu.Lock()
		if err != nil {
			s.gone = true
			s.more.Broadcast()
			s.mu.Unlock()
			return
		}
		a, ok := f.(*frame.Ack)
		news := ok && a.By == frame.Disk && a.Have[s.sender] > s.disk
		if news {
			s.disk = a.Have[s.sender]
		}
		if ok && (a.By == frame.Safe || a.By == frame.Operator) { // to a client both mean that it need not keep it
			s.safe = max(s.safe, a.Have[s.sender])
		}
		s.more.Broadcast()
		s.mu.Unlock()
		if news {
			acked()
		}
	}
}

// lacks is how much of what was acknowledged as safe a deployment does not hold.
func (s *speaker) lacks(t *testing.T, addr string) int64 {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, _, msgs, err := greet(ctx, addr, s.hello)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Cut()
	held := map[int64]bool{}
	for _, m := range msgs {
		held[m.N] = m.S == s.sender && m.Text == text(m.N)
	}
	lost := int64(0)
	for n := int64(1); n <= s.safe; n++ {
		if !held[n] {
			lost++
		}
	}
	return lost
}

// console is an operator's: it keeps what it is shown, and says so.
type console struct {
	hello frame.Hello
	held  map[string]map[string][]frame.Msg // by conversation and sender, without a gap
}

func newConsole(token string) *console {
	return &console{
		hello: frame.Hello{Role: frame.Operator, Token: token, Sender: chattest.Sender("operator")}, held: map[string]map[string][]frame.Msg{},
	}
}

func (o *console) keep(m frame.Msg) {
	if o.held[m.C] == nil {
		o.held[m.C] = map[string][]frame.Msg{}
	}
	if own := o.held[m.C][m.S]; m.N == int64(len(own)+1) {
		o.held[m.C][m.S] = append(own, m)
	}
}

// watch takes and acknowledges messages until the connection ends.
func (o *console) watch(ctx context.Context, addr string) {
	c, _, msgs, err := greet(ctx, addr, o.hello)
	if err != nil {
		return
	}
	defer c.Cut()
	for _, m := range msgs {
		o.keep(m)
	}
	for {
		m, err := chattest.Until(c, func(m *frame.Msg) bool { return m.Kind == "" })
		if err != nil {
			return
		}
		o.keep(*m)
		have := frame.Have{m.S: int64(len(o.held[m.C][m.S]))}
		if c.Send(frame.Ack{T: "ack", C: m.C, Have: have, By: frame.Operator}) != nil {
			return
		}
	}
}

// push brings a deployment what it lacks.
func (o *console) push(t *testing.T, addr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	hello := o.hello
	hello.Have = map[string]frame.Have{}
	for c := range o.held {
		hello.Have[c] = frame.Have{}
	}
	conn, welcome, _, err := greet(ctx, addr, hello)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Cut()
	id := int64(0)
	for c, senders := range o.held {
		for s, msgs := range senders {
			for _, m := range msgs[min(welcome.Have[c][s], int64(len(msgs))):] {
				id++
				m.T = ""
				if err := conn.Send(frame.Put{T: "put", C: c, ID: id, Msgs: []frame.Msg{m}}); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if id == 0 {
		return
	}
	if _, err := chattest.Until(conn, func(f *frame.Synced) bool { return f.ID == id }); err != nil {
		t.Fatal(err)
	}
	t.Logf("the operator's client brought %d messages", id)
}

// tokens makes an operator's token, and its hash.
func tokens(t *testing.T) (token, hash string) {
	t.Helper()
	_, out, _ := livechat("token")
	for _, word := range strings.Fields(out) {
		if strings.HasPrefix(word, "sha256:") {
			hash = strings.Trim(word, `"`)
		} else if len(word) > 20 && token == "" {
			token = word
		}
	}
	return token, hash
}
