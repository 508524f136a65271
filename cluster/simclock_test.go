package cluster

import (
	"testing"
	"time"
	"unsafe"
)

// powerOn is when all hosts of the simulator were switched on, by the clocks that are never set.
var powerOn = time.Now()

// clock is the nameserver's own idea of the time. What it shows may be wrong, and be set at any moment; the monotonic part
// that comes with it runs on, as an operating system's does.
func (n *simNode) clock() time.Time { return onClock(n.w.now.Sub(epoch), n.w.now.Add(n.skew)) }

// onClock is what time.Now would give on a host that has run for so long and shows this time. Only the runtime makes times
// whose two parts disagree, so one is put together from two.
func onClock(ran time.Duration, shows time.Time) time.Time {
	type parts struct {
		wall uint64 // what the clock shows
		_    int64  // the monotonic part
		zone *time.Location
	}
	out, shown := powerOn.Add(ran), powerOn.Add(shows.Sub(powerOn.Round(0)))
	made := (*parts)(unsafe.Pointer(&out))
	made.wall, made.zone = (*parts)(unsafe.Pointer(&shown)).wall, nil // nil: UTC
	return out
}

// setClock moves what a nameserver's clock shows.
func (w *world) setClock(n *simNode, by time.Duration) {
	n.skew += by
	w.change("%s: its clock is set by %v, and is now off by %v", n.name, by, n.skew)
}

// right says that a clock is near enough to the true time.
func (n *simNode) right() bool { return abs(n.skew) <= rightClock }

// rightClock is how far off a clock may be that is kept by NTP.
const rightClock = 300 * time.Millisecond

// A clock that is set shows another time, and counts on: the difference of two readings is what has passed.
func TestSimulatedClock(t *testing.T) {
	w := newWorld(t, 1, "")
	n := w.nodes[0]
	before := n.clock()
	n.skew -= time.Hour
	w.now = w.now.Add(time.Second)
	after := n.clock()
	if passed, shown := after.Sub(before), after.Round(0).Sub(before.Round(0)); passed != time.Second || shown != time.Second-time.Hour {
		t.Errorf("%v have passed, and the clock moved by %v", passed, shown)
	}
}
