package chat

import (
	"fmt"
	"sync"
	"testing"

	"github.com/livens/livens/livechat/frame"
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
		h.Linked(true, read)
		var at int64
		var storing sync.WaitGroup
		storing.Go(func() { at = write(t, h, says(c, hello.Sender, n))[0].Seq })
		ann := attach(t, h, hello)
		storing.Wait()
		if got := ann.acked(hello.Sender, frame.Safe); got >= n {
			t.Fatalf("message %d, at %d in the log, is called safe; the other deployment has read up to %d", n, at, read)
		}
		again := attach(t, h, hello)
		h.PeerRead(at)
		if got := again.acked(hello.Sender, frame.Safe); got != n {
			t.Fatalf("the other deployment has message %d, and it is safe up to %d", n, got)
		}
	}
}
