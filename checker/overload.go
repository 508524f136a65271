package checker

import (
	"sync/atomic"
	"time"
)

// Overload: a nameserver that has no processor left reads replies late, and must not take that for targets that are late. It would
// doubt them, probe them more often for it, and so have less left still.
//
// Both rules ask for a delay that only an observer shows which is itself late, so that in one that is not every bound holds as it
// is; and neither keeps a target that is dead from being found so once the processor is there again.

// busy is how far behind this observer must be for a probe that seems late to be excused.
const busy = 50 * time.Millisecond

// excuse is how much longer a probe may go unanswered that was to be late at a moment: as long as this observer is behind, in
// looking or in starting probes. Zero: it is not.
func (c *Checker) excuse(now, at time.Time) time.Duration {
	if behind := max(now.Sub(at), c.behind.at(now)); behind > busy {
		return behind
	}
	return 0
}

// lag is how long something waited for a processor.
type lag struct{ by, seen atomic.Int64 } // in ns, and in ns since 1970

// lagHolds is how long a lag says something of now.
const lagHolds = time.Second

func (l *lag) note(now time.Time, by time.Duration) {
	l.by.Store(int64(by))
	l.seen.Store(now.UnixNano())
}

// at is the lag now: none once there has been nothing to tell of it for a while.
func (l *lag) at(now time.Time) time.Duration {
	if now.UnixNano()-l.seen.Load() > int64(lagHolds) {
		return 0
	}
	return time.Duration(l.by.Load())
}

// openingShare of the probes under way at once may open a connection to be kept, so that very many targets are connected to one after
// the other: all at once their handshakes would outlast the timeout, and be for nothing.
const openingShare = 5

// putOff has a target that is not up, and whose probe would open a connection to be kept, wait for up to a second: a new one while this
// observer is behind, and any while enough do. A target that is up, or to be looked at at once, never waits; nor does one that keeps no
// connection: new ones become known together, since each that does by itself costs a cluster as much as all at once.
func (c *Checker) putOff(now time.Time, e *entry) bool {
	if e.judged == Up || e.hurried || !e.opens() {
		return false
	}
	behind := e.last == 0 && e.lane.busy > 0 && c.behind.at(now) > busy
	crowded := c.opening >= max(1, c.network.limit/openingShare)
	if !behind && !crowded {
		return false
	}
	e.putOff(now.Add(busy + time.Duration(c.opts.Jitter()*float64(min(e.interval, mostPutOff)))))
	return true
}

// mostPutOff bounds how long a target waits until it is asked again whether it may be probed.
const mostPutOff = time.Second

// opens says that the target's next probe opens a connection that is then kept.
func (e *entry) opens() bool {
	k, ok := e.prober.(sentinel)
	return ok && k.opens()
}

// excused makes a failure unclear that came long after the probe's own timeout: what came in time may not have been read.
func excused(r Result, t Target, took time.Duration) Result {
	if over := took - t.Check.Timeout; r.Outcome == Failure && over > lateStart && remote(t.Check.Kind) {
		return unclear("this nameserver is overloaded: it looked %s too late for a reply", over.Round(time.Millisecond))
	}
	return r
}
