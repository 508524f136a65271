package chat

import (
	"testing"

	"github.com/livens/livens/livechat/frame"
)

// TestPresenceIsNotAnswered holds that two deployments that tell each other of their operators come to an end.
func TestPresenceIsNotAnswered(t *testing.T) {
	t.Parallel()
	var told []any
	h := New(Options{}, func(f any) { told = append(told, f) })
	h.Linked(1, 0)
	if len(told) != 1 {
		t.Errorf("the other deployment was told %d times of the operators here, want once", len(told))
	}
	for n := range 3 {
		h.FromPeer(&frame.Msg{T: "msg", Kind: frame.Presence, Operators: &n})
	}
	h.PeerGone()
	if len(told) != 1 {
		t.Errorf("what it told was answered: %v", told[1:])
	}
}
