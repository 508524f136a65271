package thread

import (
	"testing"

	"golang.org/x/sys/unix"
)

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

// TestGatherInVain: the more pauses bring too few queries, the fewer there are; one that brings enough has all be made again. Enough are
// half as many again as come without a pause.
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
	r.Gathered(12)
	if got := skipped(); got != 0 {
		t.Errorf("after a pause that brought half as many again %d skipped", got)
	}
	r.Gathered(11)
	if got := skipped(); got != 2 {
		t.Errorf("then after one in vain %d skipped, want 2", got)
	}
}

// TestGatherLooksAgain: of pauses that are all good one is left out now and then, for queries may come in bursts since.
func TestGatherLooksAgain(t *testing.T) {
	defer Punctual()()
	var r Rush
	for i := range 64 {
		if !r.Gather(20) {
			t.Fatalf("no pause after %d good ones", i)
		}
		r.Gathered(40)
	}
	if r.Gather(40) {
		t.Fatal("64 good pauses, and none is left out")
	}
	if !r.Gather(40) {
		t.Fatal("no pause after one was left out")
	}
	r.Gathered(40)
	if r.Gather(40) {
		t.Error("as many come without a pause, and pauses go on")
	}
}
