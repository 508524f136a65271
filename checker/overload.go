package checker

import "time"

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
	if behind := max(now.Sub(at), time.Duration(c.behind.Load())); behind > busy {
		return behind
	}
	return 0
}

// maxOpening bounds the probes under way that open a connection to be kept, so that very many targets are connected to one after the
// other: all at once their handshakes would outlast the timeout, and be for nothing.
const maxOpening = 200

// putOff has a target that is not up wait somewhere in an interval: a new one while this observer is behind, and one whose probe would
// open a connection to be kept while enough do. A target that is up, or to be looked at at once, never waits.
func (c *Checker) putOff(now time.Time, e *entry) bool {
	behind := e.last == 0 && e.lane.busy > 0 && time.Duration(c.behind.Load()) > busy
	crowded := e.judged != Up && !e.hurried && c.opening >= maxOpening && e.opens()
	if !behind && !crowded {
		return false
	}
	e.putOff(now.Add(busy + time.Duration(c.opts.Jitter()*float64(e.interval))))
	return true
}

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
