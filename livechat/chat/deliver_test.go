package chat

import (
	"testing"

	"github.com/livens/livens/livechat/chattest"
	"github.com/livens/livens/livechat/frame"
	"github.com/livens/livens/livechat/store"
)

// say sends a client's message, and waits until it is on disk.
func say(t *testing.T, h *Hub, p *person, c string, n int64) {
	t.Helper()
	if no := h.Receive(p.Session, &frame.Msg{T: "msg", C: c, N: n, Text: "x"}); no != nil {
		t.Fatal(no)
	}
	write(t, h) // behind it
}

func holds(t *testing.T, h *Hub, p *person, c string, have frame.Have) {
	t.Helper()
	if no := h.Receive(p.Session, &frame.Ack{T: "ack", C: c, Have: have, By: p.role}); no != nil {
		t.Fatal(no)
	}
}

// TestWhatIsNotWrittenIsNotHeld: who claims all messages that will ever be makes none of them safe, nor delivered.
func TestWhatIsNotWrittenIsNotHeld(t *testing.T) {
	t.Parallel()
	var relayed []frame.Ack
	h := newHub(t, func(f any) {
		if a, ok := f.(frame.Ack); ok {
			relayed = append(relayed, a)
		}
	})
	hello := visitor()
	ada, ann := attach(t, h, hello), attach(t, h, operator())
	c := ada.c
	say(t, h, ada, c, 1)
	holds(t, h, ann, c, frame.Have{hello.Sender: 1<<53 - 1})
	if ada.acked(hello.Sender, frame.Operator) != 1 || ada.acked(hello.Sender, frame.Safe) != 1 {
		t.Errorf("what was written and is held: %+v", ada.acks)
	}
	say(t, h, ada, c, 2)
	if n := ada.acked(hello.Sender, frame.Safe); n != 1 {
		t.Errorf("safe up to %d by a claim that was made before", n)
	}
	if len(relayed) != 1 || relayed[0].Have[hello.Sender] != 1 {
		t.Errorf("the other deployment is told %+v", relayed)
	}
	holds(t, h, ann, c, frame.Have{hello.Sender: 2})
	if n := ada.acked(hello.Sender, frame.Safe); n != 2 {
		t.Errorf("safe up to %d, and it is held up to 2", n)
	}
}

// TestWhatAClientHadElsewhereCountsWhenItComes: it is passed to who holds it already, too, and so acknowledged again.
func TestWhatAClientHadElsewhereCountsWhenItComes(t *testing.T) {
	t.Parallel()
	h := newHub(t, nil)
	hello := visitor()
	ada, ann := attach(t, h, hello), attach(t, h, operator())
	write(t, h, says(ada.c, hello.Sender, 1))
	before := ann.msgs
	holds(t, h, ann, ada.c, frame.Have{hello.Sender: 2}) // the second it had from the other deployment
	second := says(ada.c, hello.Sender, 2)
	second.At = 1
	done := make(chan error, 1)
	h.Take([]frame.Msg{second}, store.Cursor{}, store.Cursor{Log: "theirs", Seq: 1}, func(err error) { done <- err })
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if ann.msgs != before+1 {
		t.Fatal("who holds a message is not told that it is here now")
	}
	holds(t, h, ann, ada.c, frame.Have{hello.Sender: 2})
	if n := ada.acked(hello.Sender, frame.Operator); n != 2 {
		t.Errorf("delivered up to %d, want 2", n)
	}
}

// TestInventedSendersAreForgotten: neither kept nor told to anybody, and what is known already is not told again.
func TestInventedSendersAreForgotten(t *testing.T) {
	t.Parallel()
	relayed := 0
	h := newHub(t, func(f any) {
		if _, ok := f.(frame.Ack); ok {
			relayed++
		}
	})
	ada, ann := attach(t, h, visitor()), attach(t, h, operator())
	say(t, h, ann, ada.c, 1)
	before := ann.bytes
	for range 100 {
		have := frame.Have{ann.sender: 1}
		for range 300 {
			have[chattest.Sender("operator")] = 1<<53 - 1
		}
		holds(t, h, ada, ada.c, have)
	}
	if n := len(h.conversations[ada.c].delivered[frame.Visitor]); n != 1 {
		t.Errorf("%d senders are remembered, and there is one", n)
	}
	// The message's acknowledgement of safety, and the visitor's.
	if told := ann.bytes - before; told > 300 || relayed != 1 {
		t.Errorf("the operator was told %d bytes, the other deployment %d times", told, relayed)
	}
	holds(t, h, ann, "0123456789abcdef0123456789abcdef", frame.Have{ada.sender: 1})
	if len(h.conversations) != 1 {
		t.Error("a conversation is remembered of which nothing is known")
	}
}
