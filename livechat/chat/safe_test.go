package chat

import (
	"fmt"
	"sync"
	"testing"

	"github.com/livens/livens/livechat/frame"
	"github.com/livens/livens/livechat/moderator"
)

// TestWhatAnEarlierSocketSentIsNotSafeBeforeItsTime: a console returns while what it sent on its former socket is being stored. It is
// safe once the other deployment has read it, not because that has read what was there a moment before.
func TestWhatAnEarlierSocketSentIsNotSafeBeforeItsTime(t *testing.T) {
	t.Parallel()
	h := newHub(t, nil)
	var open []frame.Msg
	for i := range 300 { // it takes a while to tell a console what is open
		open = append(open, says(fmt.Sprintf("%032x", i), "v-adaadaada", 1))
	}
	write(t, h, open...)
	hello := operator()
	c := open[len(open)-1].C
	for n := int64(1); n <= 20; n++ {
		read := h.options.Store.Mark().Seq
		h.Linked(n, read)
		var at int64
		var storing sync.WaitGroup
		storing.Go(func() { at = write(t, h, says(c, hello.Sender, n))[0].Seq })
		ann := attach(t, h, hello)
		storing.Wait()
		if got := ann.acked(hello.Sender, frame.Safe); got >= n {
			t.Fatalf("message %d, at %d in the log, is called safe; the other deployment has read up to %d", n, at, read)
		}
		again := attach(t, h, hello)
		h.PeerRead(n, at)
		if got := again.acked(hello.Sender, frame.Safe); got != n {
			t.Fatalf("the other deployment has message %d, and it is safe up to %d", n, got)
		}
	}
}

// TestAReplacedLinkMakesNothingSafe: the other deployment has come back with an empty disk, and what is still heard of its former connection
// is of a disk that is gone.
func TestAReplacedLinkMakesNothingSafe(t *testing.T) {
	t.Parallel()
	h := newHub(t, nil)
	hello := visitor()
	c, _ := frame.Conversation(hello.Key)
	at := write(t, h, says(c, hello.Sender, 1))[0].Seq
	h.Linked(1, 0)
	h.Linked(2, 0)
	h.PeerRead(1, at)
	h.Linked(1, at)
	v := attach(t, h, hello)
	h.PeerRead(1, at)
	if n := v.acked(hello.Sender, frame.Safe); n > 0 {
		t.Fatal("safe by the word of a connection that was replaced")
	}
	h.Unlinked(1)
	if !h.peer.linked {
		t.Error("the end of the former connection counts as the end of this one")
	}
	h.PeerRead(2, at)
	if n := v.acked(hello.Sender, frame.Safe); n != 1 {
		t.Error("not safe though the other deployment has it")
	}
}

// TestWhoFollowsIsNotDown: whatever the Moderators see of it; once it does not follow any more, their word counts.
func TestWhoFollowsIsNotDown(t *testing.T) {
	t.Parallel()
	h := newHub(t, nil)
	h.Linked(1, 0)
	h.SetView(moderator.View{Heard: true, Active: "primary", Epoch: 1, States: map[string]string{"redundant": moderator.Down}})
	v := attach(t, h, visitor())
	say(t, h, v, v.c, 1)
	if n := v.acked(v.sender, frame.Safe); n != 0 || v.acked(v.sender, frame.Disk) != 1 {
		t.Fatalf("%+v", v.acks)
	}
	h.Unlinked(1)
	if n := v.acked(v.sender, frame.Safe); n != 1 {
		t.Errorf("it is known to be down, and safe is %d", n)
	}
}
