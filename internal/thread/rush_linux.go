package thread

import (
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// many is how many queries at once tell that there are more on their way.
	many = 8
	// pause is how long a thread in a rush lets them gather.
	pause = 50 * time.Microsecond
	// mostSkipped bounds how many times in a row it does not, after pauses that were in vain.
	mostSkipped = 64
	// lookAgain is after how many good pauses in a row one is left out, to see how many queries come without.
	lookAgain = 64
)

// Rush tells a [Punctual] thread when to let queries gather. Queries that come in bursts, with more than a pause in between or all at once
// anyway, are not worth it: the thread would wake up once more for each. The zero value is ready.
type Rush struct {
	skip   int  // times to go on without a pause
	last   int  // what it was after the last pause, if that was in vain
	good   int  // pauses in a row that were not
	usual  int  // queries at once without a pause, the last time
	paused bool // before the queries that are told next
	behind bool // a full batch: they are what is left of more
}

// Pause comes after n queries were answered at once, or none were there; full says that more may be there already. In a rush it sleeps for
// 50 µs, so that the next ones cost one waking and one system call together, and reports that it has. Network cards moderate their
// interrupts for the same reason, and for as long.
func (r *Rush) Pause(n int, full bool) (paused bool) {
	switch {
	case r.paused:
		r.judge(n)
	case n > 0 && !full && !r.behind:
		r.usual = n
	}
	r.behind = full
	r.paused = !full && n >= many && r.due() && fine()
	if r.paused {
		ts := unix.NsecToTimespec(int64(pause))
		// Go's scheduler need not hear of it: it would give the goroutine's place to another in that time. When it wants the thread, its
		// signal ends the pause.
		_, _, _ = unix.RawSyscall(unix.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&ts)), 0, 0)
	}
	return r.paused
}

// due counts down the pauses that are left out.
func (r *Rush) due() bool {
	if r.skip == 0 {
		return true
	}
	r.skip--
	return false
}

// judge takes in how many queries there were after a pause. It was in vain unless they are half as many again as come without, which those
// of a nearly full batch never are: they need none.
func (r *Rush) judge(n int) {
	if n < many || 2*n < 3*r.usual {
		r.last = min(max(2, 2*r.last), mostSkipped)
		r.skip, r.good = r.last, 0
		return
	}
	r.last = 0
	if r.good++; r.good == lookAgain {
		r.skip, r.good = 1, 0
	}
}

// fine says that the kernel's timers are finer than its ticks, after the next of which they would end: 1 to 10 ms.
var fine = sync.OnceValue(func() bool {
	var resolution unix.Timespec
	return unix.ClockGetres(unix.CLOCK_MONOTONIC, &resolution) == nil && resolution.Nano() < int64(pause)
})
