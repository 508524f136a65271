// Package thread tells the kernel how to treat a thread that answers queries, on Linux.
package thread

import (
	"runtime"
	"sync"
	"time"
	"unsafe"

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

const (
	// many is how many queries at once tell that there are more on their way.
	many = 8
	// pause is how long a thread in a rush lets them gather.
	pause = 50 * time.Microsecond
	// mostSkipped bounds how many times in a row it does not, after pauses that were in vain.
	mostSkipped = 64
)

// Rush tells a [Punctual] thread when to let queries gather. Queries that come in bursts, with more than a pause in between, are not worth
// it: the thread would wake up once more for each. The zero value is ready.
type Rush struct {
	skip int // times to go on without a pause
	last int // what it was after the last pause, if that was in vain
}

// Gather comes after n queries were answered at once, when no more were seen. In a rush it sleeps for 50 µs, so that the next ones cost one
// waking and one system call together; it reports that it has, and then [Rush.Gathered] is to follow. Network cards moderate their
// interrupts for the same reason, and for as long.
func (r *Rush) Gather(n int) (paused bool) {
	if n < many || !fine() {
		return false
	}
	if r.skip > 0 {
		r.skip--
		return false
	}
	ts := unix.NsecToTimespec(int64(pause))
	// Go's scheduler need not hear of it: it would give the goroutine's place to another in that time. When it wants the thread, its
	// signal ends the pause.
	_, _, _ = unix.RawSyscall(unix.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&ts)), 0, 0)
	return true
}

// Gathered tells how many queries there were after a pause.
func (r *Rush) Gathered(n int) {
	if n >= many {
		r.last = 0
		return
	}
	r.last = min(max(2, 2*r.last), mostSkipped)
	r.skip = r.last
}

// fine says that the kernel's timers are finer than its ticks, after the next of which they would end: 1 to 10 ms.
var fine = sync.OnceValue(func() bool {
	var resolution unix.Timespec
	return unix.ClockGetres(unix.CLOCK_MONOTONIC, &resolution) == nil && resolution.Nano() < int64(pause)
})
