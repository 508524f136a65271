package chat

import (
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/livens/livens/livechat/frame"
	"github.com/livens/livens/livechat/moderator"
)

// heard keeps what a client is sent.
type heard struct{ moves, code int }

func (o *heard) Send(data []byte) {
	if strings.Contains(string(data), `"t":"move"`) {
		o.moves++
	}
}
func (o *heard) Wait([]byte) bool         { return true }
func (o *heard) Close(code int, _ string) { o.code = code }

// joined is a visitor that was welcomed.
func joined(t *testing.T, h *Hub, hello *frame.Hello) *heard {
	t.Helper()
	out := &heard{}
	s := &Session{out: out, role: frame.Visitor, c: strings.Repeat("a", 32), lines: map[string]*line{}}
	if no := h.join(s, hello, netip.Addr{}); no != nil {
		t.Fatal(no)
	}
	s.joining = false
	return out
}

// elapse lets time pass on the fake clock.
func elapse(h *Hub, d time.Duration) {
	for range d / time.Second {
		time.Sleep(time.Second)
		h.Tick()
	}
}

// TestWhoCouldNotGoIsAskedAgain: each minute, while the active deployment lives, and is never cut off for it.
func TestWhoCouldNotGoIsAskedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{Name: "redundant", Peer: "primary", AttachRate: 100}, nil)
		view := moderator.View{Heard: true, Active: "primary", Epoch: 5, States: map[string]string{"primary": "up"}}
		h.SetView(view)
		out := joined(t, h, &frame.Hello{Tried: []string{"primary"}, Epoch: 5})
		pass := func(d time.Duration, want int) {
			t.Helper()
			elapse(h, d)
			if out.moves != want || out.code != 0 {
				t.Errorf("asked %d times, closed with %d; want %d, 0", out.moves, out.code, want)
			}
		}
		pass(59*time.Second, 0)
		pass(2*time.Second, 1)
		pass(2*time.Minute, 3)
		view.States = map[string]string{"primary": moderator.Down}
		h.SetView(view)
		pass(5*time.Minute, 3)
		view = moderator.View{Heard: true, Active: "redundant", Epoch: 6, States: view.States}
		h.SetView(view)
		pass(5*time.Minute, 3)
	})
}

// TestWhoDoesNotGoIsCutOffOnce: with 4001, a while after it was asked. It comes back saying that it tried, and stays.
func TestWhoDoesNotGoIsCutOffOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{Name: "primary", Peer: "redundant", AttachRate: 1}, nil) // two clients: a spread of 2 s
		h.SetView(moderator.View{Heard: true, Active: "primary", Epoch: 5})
		out := joined(t, h, &frame.Hello{})
		joined(t, h, &frame.Hello{})
		view := moderator.View{Heard: true, Active: "redundant", Epoch: 6}
		h.SetView(view)
		elapse(h, leaveGrace+2*time.Second)
		if out.moves != 1 || out.code != 0 {
			t.Errorf("asked %d times, closed with %d before its time was over", out.moves, out.code)
		}
		elapse(h, time.Second)
		if out.code != frame.Elsewhere {
			t.Errorf("closed with %d, want %d", out.code, frame.Elsewhere)
		}
		again := joined(t, h, &frame.Hello{Tried: []string{"redundant"}, Epoch: 6})
		h.SetView(view)
		elapse(h, time.Hour)
		if again.code != 0 {
			t.Error("cut off again, though it said that it cannot go")
		}
	})
}

// TestNobodyIsCutOffWhileNoModeratorIsHeard (F13): also who had been asked to go before. Once one is heard again, it is asked again.
func TestNobodyIsCutOffWhileNoModeratorIsHeard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{Name: "primary", Peer: "redundant", AttachRate: 1000}, nil)
		h.SetView(moderator.View{Heard: true, Active: "primary", Epoch: 5})
		out := joined(t, h, &frame.Hello{})
		view := moderator.View{Heard: true, Active: "redundant", Epoch: 6}
		h.SetView(view)
		elapse(h, leaveGrace-time.Second)
		h.SetView(moderator.View{})
		elapse(h, time.Hour)
		if out.code != 0 {
			t.Errorf("closed with %d while no Moderator is heard", out.code)
		}
		h.SetView(view)
		elapse(h, time.Minute)
		if out.moves < 2 {
			t.Error("not asked again")
		}
	})
}
