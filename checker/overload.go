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

// putOff has a target that was never probed wait somewhere in an interval while this observer is behind. To open connections
// costs a multiple of what it costs to use them, so that very many targets come in as fast as there are processors for them.
func (c *Checker) putOff(now time.Time, e *entry) bool {
	if e.last > 0 || e.lane.busy == 0 || time.Duration(c.behind.Load()) <= busy {
		return false
	}
	e.first = now.Add(busy + time.Duration(c.opts.Jitter()*float64(e.interval)))
	return true
}

// excused makes a failure unclear that came long after the probe's own timeout: what came in time may not have been read.
func excused(r Result, t Target, took time.Duration) Result {
	if over := took - t.Check.Timeout; r.Outcome == Failure && over > lateStart && remote(t.Check.Kind) {
		return unclear("this nameserver is overloaded: it looked %s too late for a reply", over.Round(time.Millisecond))
	}
	return r
}
