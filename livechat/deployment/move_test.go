package deployment

import (
	"errors"
	"strings"
	"testing"

	"github.com/livens/livens/livechat/chattest"
	"github.com/livens/livens/livechat/frame"
)

// knows waits until a deployment holds that one for active.
func knows(t *testing.T, d *running, active string) {
	t.Helper()
	await(t, func() error {
		if !strings.Contains(d.logs.String(), "active="+active) {
			return errors.New("it does not know yet that " + active + " is active")
		}
		return nil
	})
}

// refused is what a client is told that does not belong here.
func refused(d *running, hello frame.Hello) (*frame.Move, int) {
	c := d.dial()
	hello.T, hello.V = "hello", 1
	c.send(hello)
	move := expect[*frame.Move](c, nil)
	return move, c.closed()
}

// TestStandbySendsClientsOn: unless they have tried the active one, or know more.
func TestStandbySendsClientsOn(t *testing.T) {
	m := newModerators(t, "primary")
	_, r := pair(t, m)
	d := start(t, r)
	knows(t, d, "primary")
	hello := visitor(chattest.Key(), chattest.Sender("visitor"))
	if move, code := refused(d, hello); code != frame.Elsewhere || move.To != "primary" || move.Epoch != 1000 {
		t.Errorf("%+v, closed with %d", move, code)
	}
	hello.Tried = []string{"redundant"}
	if _, code := refused(d, hello); code != frame.Elsewhere {
		t.Errorf("closed with %d", code)
	}
	hello.Tried = []string{"redundant", "primary"}
	d.attach(hello)
	hello.Tried, hello.Epoch = nil, 1000
	if _, code := refused(d, hello); code != frame.Elsewhere {
		t.Errorf("closed with %d", code)
	}
	hello.Epoch = 1001
	d.attach(hello)
}

// TestEverybodyIsMoved once another deployment is active, and told again only by another decision.
func TestEverybodyIsMoved(t *testing.T) {
	t.Parallel()
	m := newModerators(t, "primary")
	p, r := pair(t, m)
	primary, redundant := start(t, p), start(t, r)
	knows(t, primary, "primary")
	v, _, _ := primary.attach(visitor(chattest.Key(), chattest.Sender("visitor")))
	o, _, _ := primary.attach(operator(chattest.Sender("operator")))
	m.decide("redundant")
	for _, c := range []*client{v, o} {
		if move := expect[*frame.Move](c, nil); move.To != "redundant" || move.Epoch != 1001 {
			t.Errorf("%+v", move)
		}
	}
	knows(t, redundant, "redundant")
	moved, _, _ := redundant.attach(visitor(chattest.Key(), chattest.Sender("visitor")))
	// Who cannot reach the active one stays where it is, whatever is heard of the same decision.
	here := visitor(chattest.Key(), chattest.Sender("visitor"))
	here.Tried = []string{"redundant"}
	stays, _, _ := primary.attach(here)
	m.mu.Lock()
	m.states = map[string]string{"primary": "up"}
	m.mu.Unlock()
	moved.send(frame.Ack{T: "ack", Ping: "1"})
	expect(moved, func(a *frame.Ack) bool { return a.Pong == "1" })
	asked := m.count()
	await(t, func() error {
		if m.count() < asked+5 {
			return errors.New("the deployments have not heard that yet")
		}
		return nil
	})
	unmoved(t, stays)
	m.decide("primary")
	if move := expect[*frame.Move](moved, nil); move.To != "primary" {
		t.Errorf("%+v", move)
	}
}

// TestWithoutModeratorsEverybodyIsServed (F13).
func TestWithoutModeratorsEverybodyIsServed(t *testing.T) {
	t.Parallel()
	m := newModerators(t, "primary")
	m.mute = true
	_, r := pair(t, m)
	d := start(t, r)
	d.attach(visitor(chattest.Key(), chattest.Sender("visitor")))
	// Once one answers, who belongs elsewhere is sent there, but for who could not get there.
	stays := visitor(chattest.Key(), chattest.Sender("visitor"))
	stays.Tried = []string{"primary"}
	s, _, _ := d.attach(stays)
	goes, _, _ := d.attach(visitor(chattest.Key(), chattest.Sender("visitor")))
	m.mu.Lock()
	m.mute = false
	m.mu.Unlock()
	if move := expect[*frame.Move](goes, nil); move.To != "primary" {
		t.Errorf("%+v", move)
	}
	unmoved(t, s)
}

// unmoved fails the test when a client was told to go where it could not get. Other news may have come meanwhile, such as of operators who went.
func unmoved(t *testing.T, c *client) {
	t.Helper()
	c.send(frame.Ack{T: "ack", Ping: "77"})
	for {
		switch f := c.next().(type) {
		case *frame.Move:
			t.Fatalf("told %+v", f)
		case *frame.Ack:
			if f.Pong == "77" {
				return
			}
		}
	}
}

// TestOperatorAtBothDeploymentsIsOne, as everyone is in the midst of a planned move.
func TestOperatorAtBothDeploymentsIsOne(t *testing.T) {
	p, r := pair(t, nil)
	primary, redundant := start(t, p), start(t, r)
	inSync(t, primary, redundant)
	ann := operator(chattest.Sender("operator"))
	primary.attach(ann)
	v, _, _ := redundant.attach(visitor(chattest.Key(), chattest.Sender("visitor")))
	await(t, func() error {
		if _, welcome, _ := redundant.attach(visitor(chattest.Key(), chattest.Sender("visitor"))); welcome.Operators != 1 {
			return errors.New("it does not know of the operator yet")
		}
		return nil
	})
	redundant.attach(ann)
	redundant.attach(operator(chattest.Sender("operator")))
	v.send(frame.Ack{T: "ack", Ping: "2"})
	for {
		switch f := v.next().(type) {
		case *frame.Msg:
			if f.Kind == frame.Presence && *f.Operators > 2 {
				t.Errorf("two operators count as %d", *f.Operators)
			}
		case *frame.Ack:
			if f.Pong == "2" {
				return
			}
		}
	}
}
