// Package thread tells the kernel how to treat the thread that calls it.
package thread

import "golang.org/x/sys/unix"

// turn is the shortest that Linux knows, in nanoseconds.
const turn = 100_000

// ShortTurns has the kernel give the calling thread its share of a processor in short turns: it gets one sooner when it wakes up, in the
// midst of a longer one of another thread if need be, and no more in all. Linux 6.12 and later do so (EEVDF); where it does not work, and
// under policies other than the usual, nothing changes. The goroutine has the thread for itself ([runtime.LockOSThread]) until it has called
// restore.
func ShortTurns() (restore func()) {
	before, err := unix.SchedGetAttr(0, 0)
	if err != nil || before.Policy != unix.SCHED_NORMAL {
		return func() {}
	}
	short := *before
	short.Runtime = turn
	_ = unix.SchedSetAttr(0, &short, 0)
	return func() { _ = unix.SchedSetAttr(0, before, 0) }
}
