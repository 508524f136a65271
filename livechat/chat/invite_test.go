package chat

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/livens/livens/livechat/frame"
	"github.com/livens/livens/livechat/moderator"
)

// heard keeps what a client is sent.
type heard struct{ moves, closed int }

func (o *heard) Send(data []byte) {
	if strings.Contains(string(data), `"t":"move"`) {
		o.moves++
	}
}
func (o *heard) Wait([]byte) bool  { return true }
func (o *heard) Close(int, string) { o.closed++ }

// TestWhoCouldNotGoIsAskedAgain: each minute, while the active deployment lives, and is never cut off for it.
func TestWhoCouldNotGoIsAskedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{Name: "redundant", Peer: "primary", AttachRate: 100}, nil)
		view := moderator.View{Heard: true, Active: "primary", Epoch: 5, States: map[string]string{"primary": "up"}}
		h.SetView(view)
		out := &heard{}
		s := &Session{out: out, role: frame.Visitor, c: strings.Repeat("a", 32), lines: map[string]*line{}}
		if no := h.join(s, &frame.Hello{Tried: []string{"primary"}, Epoch: 5}); no != nil {
			t.Fatal(no)
		}
		s.joining = false
		pass := func(d time.Duration, want int) {
			t.Helper()
			for range d / time.Second {
				time.Sleep(time.Second)
				h.Tick()
			}
			if out.moves != want || out.closed != 0 {
				t.Errorf("asked %d times, closed %d; want %d, 0", out.moves, out.closed, want)
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
