package checker

import (
	"math"
	"slices"
	"time"
)

// maxOverlap bounds the probes of one target that are under way at once, so that a long timeout with a short
// fast_interval does not pile them up. A larger fall raises it: fall failures must fit in.
const maxOverlap = 16

// pace says when a target's probes start and when one is late.
//
// A target in doubt is probed every fast_interval whatever is still under way, any other one every interval. No probe
// starts less than fast_interval after the last one: with fall 4 at 200 ms the fourth failure is 600 ms after the
// first, so that a glitch of 500 ms turns nothing, however it was noticed.
//
// A target that falls silent so is known within
//
//	interval + max(fast_interval, timeout/2) + (fall-2)*fast_interval + timeout
//
// and, unless its answers are slow or erratic, within interval + (fall-1)*fast_interval + timeout.
type pace struct {
	interval, fast, timeout time.Duration

	first     time.Time // when the very first probe is due
	last      uint64    // number of the probe started last; 0: none yet
	lastStart time.Time
	gap       time.Duration // from lastStart to the next probe while nothing is in doubt
	hurried   bool          // the next probe is due as soon as fast_interval allows
	postponed bool          // the next probe was put off: it has no company, or it would be due again in the look that put it off
	flying    []flight      // under way, by number
	usual     estimate
}

// flight is a probe under way.
type flight struct {
	probe       uint64
	due         time.Time
	start, late time.Time
	began       time.Time // was sent; known to its goroutine only, as what follows
	opens       bool      // a connection to be kept
}

// start notes that a probe starts now, and gives its number and when it will be late. early, in [0,1), is what keeps
// targets from probing in step: the next probe comes up to a tenth of the interval early, never later.
func (p *pace) start(now time.Time, early float64) (probe uint64, late time.Time) {
	p.last++
	p.lastStart, p.hurried, p.postponed = now, false, false
	p.gap = max(p.interval-time.Duration(early*float64(p.interval)/10), p.fast)
	late = now.Add(p.patience())
	p.flying = append(p.flying, flight{probe: p.last, start: now, late: late})
	return p.last, late
}

// putOff has the next probe start at a moment, while nothing is in doubt.
func (p *pace) putOff(until time.Time) {
	if p.last == 0 {
		p.first = until
	}
	p.gap, p.postponed = until.Sub(p.lastStart), true
}

// land removes a probe from those under way.
func (p *pace) land(probe uint64) (started time.Time, ok bool) {
	i := slices.IndexFunc(p.flying, func(f flight) bool { return f.probe == probe })
	if i < 0 {
		return time.Time{}, false
	}
	started = p.flying[i].start
	p.flying = slices.Delete(p.flying, i, i+1)
	return started, true
}

// due is when the next probe is to start; ok is false while enough are under way.
func (m *machine) due() (at time.Time, ok bool) {
	switch {
	case len(m.flying) >= max(maxOverlap, m.fall+1):
		return time.Time{}, false
	case m.last == 0:
		return m.first, true
	case m.hurried || m.doubt:
		return m.lastStart.Add(m.fast), true
	}
	return m.lastStart.Add(m.gap), true
}

// company is how much before its time the next probe may start when others start anyway: very many targets are cheaper to probe
// some at a time. It is half a hundredth of the interval, and nothing where the pace is that of doubt or the probe was put off.
func (m *machine) company(now time.Time) time.Duration {
	if m.last == 0 || m.hurried || m.postponed || m.doubt || now.Before(m.lastStart.Add(m.fast)) {
		return 0
	}
	return m.interval / 200
}

// hurry brings the next probe forward. A target on its way up is left alone: up slow.
func (m *machine) hurry() {
	if m.judged != Down || m.streak <= 0 {
		m.hurried = true
	}
}

// patience is how long a probe may go unanswered before the target is in doubt: fast_interval, or more for a target
// that is usually slower, as RFC 6298 would wait for it (mean + 4 deviations). One outlier must not delay the next
// detection much, so the deviations count up to half the timeout only; a target that always takes long gets twice its
// mean. Being hasty costs one more probe, no verdict.
func (p *pace) patience() time.Duration {
	erratic := min(p.usual.mean+4*p.usual.deviation, p.timeout/2)
	return min(max(p.fast, erratic, 2*p.usual.mean), p.timeout)
}

// estimate follows a latency and its mean deviation with the gains of RFC 6298, section 2.
type estimate struct{ mean, deviation time.Duration }

func (e *estimate) add(d time.Duration) {
	if e.mean == 0 {
		e.mean, e.deviation = d, d/2
		return
	}
	off := time.Duration(math.Abs(float64(d - e.mean)))
	e.deviation += (off - e.deviation) / 4
	e.mean += (d - e.mean) / 8
}

// wait puts off the moment at which a probe under way is late.
func (p *pace) wait(probe uint64, late time.Time) {
	for i := range p.flying {
		if p.flying[i].probe == probe {
			p.flying[i].late = late
		}
	}
}

// started is when a probe under way started.
func (p *pace) started(probe uint64) time.Time {
	i := slices.IndexFunc(p.flying, func(f flight) bool { return f.probe == probe })
	return p.flying[i].start
}

func (p *pace) underWay(probe uint64) bool {
	return slices.ContainsFunc(p.flying, func(f flight) bool { return f.probe == probe })
}
