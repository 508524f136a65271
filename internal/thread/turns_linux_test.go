package thread

import (
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// TestShortTurns: they change the length of turns, where the kernel knows such a thing, and neither the thread's policy nor its share.
func TestShortTurns(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	get := func() unix.SchedAttr {
		attr, err := unix.SchedGetAttr(0, 0)
		if err != nil {
			t.Fatal(err)
		}
		return *attr
	}
	before := get()
	restore := ShortTurns()
	want, after := before, get()
	if before.Policy == unix.SCHED_NORMAL && before.Runtime > 0 { // Linux 6.12 tells
		want.Runtime = turn
	}
	if after != want {
		t.Errorf("%+v, want %+v", after, want)
	}
	if restore(); get() != before {
		t.Errorf("restored are %+v, want %+v", get(), before)
	}
}
