// Package thread tells the kernel how to treat a thread that answers queries, on Linux.
package thread

import (
	"runtime"

	"golang.org/x/sys/unix"
)

const (
	// turn is the shortest that Linux knows, in nanoseconds.
	turn = 100_000
	// exact is how late a timer of the thread may be, in nanoseconds: 50 µs otherwise.
	exact = 1
)

// Punctual gives the calling goroutine a thread of its own, and has the kernel run it soon after what it waits for.
//
// Its share of a processor comes in short turns: it gets one sooner when it wakes up, in the midst of a longer one of another thread if need
// be, and no more in all. Linux 6.12 and later do so (EEVDF); where it does not work, and under policies other than the usual, nothing changes.
// Its timers are exact. The thread is as it was, and the goroutine without one, after restore.
func Punctual() (restore func()) {
	runtime.LockOSThread()
	slack, err := unix.PrctlRetInt(unix.PR_GET_TIMERSLACK, 0, 0, 0, 0)
	if err == nil {
		_ = unix.Prctl(unix.PR_SET_TIMERSLACK, exact, 0, 0, 0)
	}
	before, err := unix.SchedGetAttr(0, 0)
	changed := err == nil && before.Policy == unix.SCHED_NORMAL
	if changed {
		short := *before
		short.Runtime = turn
		_ = unix.SchedSetAttr(0, &short, 0)
	}
	return func() {
		if changed {
			_ = unix.SchedSetAttr(0, before, 0)
		}
		if slack > 0 { // 0 is the policy's, whatever is set
			_ = unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(slack), 0, 0, 0)
		}
		runtime.UnlockOSThread()
	}
}
