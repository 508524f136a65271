package thread

import (
	"testing"

	"golang.org/x/sys/unix"
)

// TestPause: a thread sleeps when it has had eight queries at once, and with seven, or where more may be there, it does not.
func TestPause(t *testing.T) {
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
			if paused := r.Pause(n, false); paused != (n >= 8) {
				t.Fatalf("after %d queries: paused is %t", n, paused)
			}
			r = Rush{}
		}
		if err := unix.Getrusage(unix.RUSAGE_THREAD, &after); err != nil {
			t.Fatal(err)
		}
		return after.Nvcsw - before.Nvcsw
	}
	if new(Rush).Pause(64, true) {
		t.Error("paused although more may be there")
	}
	// The runtime stops a thread now and then, for its own reasons.
	if few, many := sleeps(7), sleeps(8); few > 50 || many < 50 {
		t.Errorf("slept %d times of 100 after 7 queries, %d times after 8; want 0 and 100", few, many)
	}
}

// TestPauseInVain: the more pauses bring too few queries, the fewer there are; one that brings enough has all be made again. Enough are
// half as many again as come without a pause.
func TestPauseInVain(t *testing.T) {
	defer Punctual()()
	var r Rush
	// without is how many times in a row 8 queries come and are answered without a pause behind them.
	without := func() (n int) {
		for !r.Pause(8, false) {
			n++
		}
		return n
	}
	if n := without(); n != 0 {
		t.Fatalf("no pause until the %dth time", n)
	}
	for i, want := range []int{2, 4, 8, 16, 32, 64, 64, 64} {
		if r.Pause(7, false) {
			t.Fatal("a pause after 7")
		}
		if got := without(); got != want {
			t.Errorf("after %d pauses in vain %d skipped, want %d", i+1, got, want)
		}
	}
	if !r.Pause(12, false) {
		t.Error("no pause after one that brought half as many again")
	}
	if r.Pause(11, false) {
		t.Error("a pause after one in vain")
	}
	if got := without(); got != 1 { // and the one before
		t.Errorf("then after one in vain %d skipped, want 2", got+1)
	}
}

// TestPauseBringsNone: what comes next is told from what came with it.
func TestPauseBringsNone(t *testing.T) {
	defer Punctual()()
	var r Rush
	if !r.Pause(8, false) || r.Pause(0, false) || r.Pause(50, false) {
		t.Fatal("want a pause, then none after one in vain")
	}
	r.Pause(64, true)
	r.Pause(10, false) // what is left of 74
	if r.usual != 50 {
		t.Errorf("%d are taken for what comes without a pause; they were 50", r.usual)
	}
}

// TestPauseLooksAgain: of pauses that are all good one is left out now and then, for queries may come in bursts since.
func TestPauseLooksAgain(t *testing.T) {
	defer Punctual()()
	var r Rush
	if !r.Pause(20, false) {
		t.Fatal("no pause")
	}
	for i := range 63 {
		if !r.Pause(40, false) {
			t.Fatalf("no pause after %d good ones", i+1)
		}
	}
	if r.Pause(40, false) {
		t.Fatal("64 good pauses, and none is left out")
	}
	if !r.Pause(40, false) {
		t.Fatal("no pause after one was left out")
	}
	if r.Pause(40, false) {
		t.Error("as many come without a pause, and pauses go on")
	}
}
