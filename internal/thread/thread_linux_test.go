package thread

import (
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// TestPunctual: the length of turns changes, where the kernel knows such a thing, and the exactness of timers; the thread's policy and its
// share do not.
func TestPunctual(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	get := func() (unix.SchedAttr, int) {
		attr, err := unix.SchedGetAttr(0, 0)
		if err != nil {
			t.Fatal(err)
		}
		slack, err := unix.PrctlRetInt(unix.PR_GET_TIMERSLACK, 0, 0, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		return *attr, slack
	}
	before, slackBefore := get()
	restore := Punctual()
	want, wantSlack := before, min(slackBefore, exact)            // real-time policies know no slack
	if before.Policy == unix.SCHED_NORMAL && before.Runtime > 0 { // Linux 6.12 tells
		want.Runtime = turn
	}
	if after, slack := get(); after != want || slack != wantSlack {
		t.Errorf("%+v and timers within %d ns, want %+v and %d ns", after, slack, want, wantSlack)
	}
	restore()
	if after, slack := get(); after != before || slack != slackBefore {
		t.Errorf("restored are %+v and %d ns, want %+v and %d ns", after, slack, before, slackBefore)
	}
}
