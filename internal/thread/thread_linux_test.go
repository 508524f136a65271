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

// TestGather: a thread sleeps when it has had eight queries at once, and with seven it does not.
func TestGather(t *testing.T) {
	defer Punctual()()
	if !fine() {
		t.Fatal("this kernel's timers are no finer than its ticks: livens never waits for others here, and there is nothing to test")
	}
	sleeps := func(n int) int64 {
		var before, after unix.Rusage
		if err := unix.Getrusage(unix.RUSAGE_THREAD, &before); err != nil {
			t.Fatal(err)
		}
		var r Rush
		for range 100 {
			if paused := r.Gather(n); paused != (n >= 8) {
				t.Fatalf("after %d queries: paused is %t", n, paused)
			}
		}
		if err := unix.Getrusage(unix.RUSAGE_THREAD, &after); err != nil {
			t.Fatal(err)
		}
		return after.Nvcsw - before.Nvcsw
	}
	// The runtime stops a thread now and then, for its own reasons.
	if few, many := sleeps(7), sleeps(8); few > 50 || many < 50 {
		t.Errorf("slept %d times of 100 after 7 queries, %d times after 8; want 0 and 100", few, many)
	}
}

// TestGatherInVain: the more pauses bring too few queries, the fewer there are; one that brings enough has all be made again.
func TestGatherInVain(t *testing.T) {
	defer Punctual()()
	var r Rush
	skipped := func() (n int) {
		for !r.Gather(8) {
			n++
		}
		return n
	}
	for i, want := range []int{0, 2, 4, 8, 16, 32, 64, 64, 64} {
		if got := skipped(); got != want {
			t.Errorf("after %d pauses in vain %d skipped, want %d", i, got, want)
		}
		r.Gathered(7)
	}
	skipped()
	r.Gathered(8)
	if got := skipped(); got != 0 {
		t.Errorf("after a pause that brought eight %d skipped", got)
	}
	r.Gathered(0)
	if got := skipped(); got != 2 {
		t.Errorf("then after one in vain %d skipped, want 2", got)
	}
}
