package checker

import (
	"slices"
	"time"

	"github.com/livens/livens/zones"
)

// machine turns the results of one target's probes into its verdict, and says when the next probe is due. It is pure:
// no clock, no socket, no randomness; the same calls give the same verdict.
//
// # The order of results
//
// Probes overlap, so their results arrive out of order. A streak is counted in the order in which the probes were
// started, because that is the order in which they asked the target:
//
//   - Falling skips what is still under way. The failures that count are those of probes started after the latest
//     started success. A success of a later probe so overrules an earlier one that is still silent, whose failure
//     comes to nothing; and refused connections turn a verdict without waiting for an older probe to time out.
//   - Rising waits. Successes count towards rise only up to the oldest probe under way, which may yet interrupt them.
//
// A verdict once turned stays turned: a success that comes in late shortens the streak but does not undo the turn.
//
// An unclear result takes no part in any streak. While it is the newest result the target is shown as unknown; what
// rise and fall made of the clear results before is kept, so that a route lost for a moment overturns nothing.
type machine struct {
	fall, rise int
	pace

	judged  State     // what rise and fall made of the clear results
	held    string    // not empty: why this observer doubts itself; silence turns nothing down meanwhile
	shown   State     // judged, or Unknown while unclear or held
	since   time.Time // of shown
	doubt   bool
	drain   bool
	unclear bool // the newest result was

	reason  string
	at      time.Time
	latency time.Duration // of the last success

	base    int      // the streak of all results older than every probe under way
	recent  []result // clear results that are not in base yet, by number
	streak  int      // base and recent
	newest  uint64   // of the finished probes, the one started last
	success uint64   // of the successful probes, the one started last
	void    uint64   // failures of probes up to this one count for nothing
	failed  uint64   // failures ever, for the metrics

	heard time.Time // when the target last gave a sign of life
	quiet time.Time // start of the first failed probe since then of which nothing was heard; zero: none
}

// result is a clear result in the order of starts.
type result struct {
	probe uint64
	ok    bool
}

func newMachine(c *zones.Check, first time.Time) machine {
	return machine{
		fall: max(c.Fall, 1),
		rise: max(c.Rise, 1),
		pace: pace{interval: c.Interval, fast: c.FastInterval, timeout: c.Timeout, first: first},
	}
}

// restore makes the machine hold a verdict from before a restart, with a full streak behind it: it takes fall failures
// or rise successes to overturn it. A verdict that said nothing restores nothing.
func (m *machine) restore(v Verdict) {
	if v.State == Unknown || m.last > 0 {
		return
	}
	m.judged, m.shown, m.since, m.drain = v.State, v.State, v.Since, v.Drain
	m.reason, m.at, m.latency = v.Reason, v.At, v.Latency
	m.base = m.rise
	if v.State == Down {
		m.base = -m.fall
	}
	m.streak = m.base
	if v.Latency > 0 {
		m.usual.add(v.Latency)
	}
}

// finish counts the result of a probe that was under way; a second result of the same probe counts for nothing.
// alone is asked only when silence is about to turn the target down: whether it is this observer that is cut off.
func (m *machine) finish(now time.Time, probe uint64, r Result, alone func() bool) {
	started, ok := m.land(probe)
	if !ok {
		return
	}
	m.at = now
	if probe > m.newest {
		m.newest, m.reason, m.unclear = probe, r.Reason, r.Outcome == Unclear
	}
	switch r.Outcome {
	case Success:
		if probe > m.success {
			m.success, m.latency, m.drain = probe, r.Latency, r.Drain
		}
		m.usual.add(r.Latency)
		m.heard, m.quiet = now, time.Time{}
		m.count(result{probe, true})
	case Failure:
		m.failed++
		if !r.Silent {
			m.heard, m.quiet = now, time.Time{}
		} else if started.After(m.heard) && (m.quiet.IsZero() || started.Before(m.quiet)) {
			m.quiet = started
		}
		if probe > m.void {
			m.count(result{probe, false})
		}
	}
	m.fold()
	m.judge(alone)
	m.settle(now)
}

// count puts a clear result in its place in the order of starts.
func (m *machine) count(r result) {
	i, _ := slices.BinarySearchFunc(m.recent, r.probe, func(a result, probe uint64) int { return int(a.probe) - int(probe) })
	m.recent = slices.Insert(m.recent, i, r)
}

// fold moves what no probe under way can come before any more into base, and takes the streak anew.
func (m *machine) fold() {
	n := 0
	for n < len(m.recent) && (len(m.flying) == 0 || m.recent[n].probe < m.flying[0].probe) {
		m.base = extend(m.base, m.recent[n].ok)
		n++
	}
	m.recent = slices.Delete(m.recent, 0, n)
	m.streak = m.base
	for _, r := range m.recent {
		m.streak = extend(m.streak, r.ok)
	}
}

func extend(streak int, ok bool) int {
	if ok {
		return max(streak, 0) + 1
	}
	return min(streak, 0) - 1
}

// judge applies rise and fall; the first clear result decides at once.
func (m *machine) judge(alone func() bool) {
	switch {
	case m.judged == Unknown && m.streak > 0, m.judged == Down && m.base >= m.rise:
		m.judged = Up
	case m.judged == Unknown && m.streak < 0, m.judged == Up && m.streak <= -m.fall:
		if m.quiet.IsZero() || m.held == "" && !alone() {
			m.judged = Down
		}
	}
}

// settle brings what is shown up to date; time alone changes it when a probe becomes late.
func (m *machine) settle(now time.Time) {
	shown := m.judged
	if m.unclear || m.held != "" {
		shown = Unknown
	}
	if shown != m.shown {
		m.shown, m.since = shown, now
	}
	m.doubt = shown == Up && (m.streak < 0 || !m.late(now).IsZero())
}

// hold shows the target as unknown because this observer doubts itself.
func (m *machine) hold(now time.Time, reason string) {
	m.held = reason
	m.settle(now)
}

// release ends hold. What failed meanwhile, and what is still under way and will, says nothing about the target.
func (m *machine) release(now time.Time) {
	m.held = ""
	m.void = m.last
	m.base, m.recent, m.streak = 0, nil, 0
	m.quiet, m.heard = time.Time{}, now
	m.settle(now)
}

// late is the start of the oldest probe that is overdue and speaks for silence: not overruled by a later success.
// Zero: there is none.
func (m *machine) late(now time.Time) time.Time {
	for _, f := range m.flying {
		if f.probe > m.success && f.probe > m.void && !now.Before(f.late) {
			return f.start
		}
	}
	return time.Time{}
}

// verdict is what is shown.
func (m *machine) verdict() Verdict {
	v := Verdict{
		State: m.shown, Reason: m.reason, Since: m.since, At: m.at, Latency: m.latency,
		Streak: m.streak, Doubt: m.doubt, Drain: m.drain && m.judged == Up,
	}
	switch {
	case m.held != "":
		v.Reason = m.held
	case m.doubt && m.streak >= 0:
		v.Reason = "no answer yet, later than usual"
	}
	return v
}
