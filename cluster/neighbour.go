package cluster

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/livens/livens/failover"
)

const (
	// heartbeat is how often every peer is told that this nameserver lives.
	heartbeat = 200 * time.Millisecond
	// lapse is how long after the last sign of life a nameserver's votes count: five missed heartbeats, and a quarter
	// of one for the way.
	lapse = 5*heartbeat + heartbeat/4
	// joinWait is how long a joiner waits for the running decisions.
	joinWait = 2 * time.Second
	// wantPause is how long after asking for a report it is asked for again; each time without an answer doubles it, up to
	// maxDoublings times. Where a report takes long, it must not be sent again and again on the same way.
	wantPause    = 300 * time.Millisecond
	maxDoublings = 4
	// wantGrace is how long a change may be on its way after others told that there is one: each goes to everybody by itself.
	wantGrace = heartbeat / 4
	// maxEarly bounds the changes that wait for what they change, and maxRecent those that are kept for who missed them.
	maxEarly  = 1024
	maxRecent = maxNodes
	// answerLife is how long an answer over DNS shows that a nameserver silent here is alive: it is asked every
	// heartbeat then, and the answer may take a while.
	answerLife = 3 * heartbeat
)

// neighbour is another nameserver, known directly or through others.
type neighbour struct {
	name     string
	boot     uint64
	seq      uint64               // the latest message of it that anybody reached has heard
	heard    time.Time            // when that was, by this host's clock
	direct   time.Time            // when it was last heard without a go-between; zero: never
	via      string               // the go-between of heard; "": none
	version  uint64               // the latest version of its report known to exist
	report   *Report              // the latest at hand, of this boot; nil: none yet
	early    map[uint64]*Delta    // changes that came before what they change, by its version: a report on its way, or another change
	goal     uint64               // the version known to exist when it was heard again after a silence; 0: it is silent
	synced   bool                 // the report at hand has been at least that since then
	met      bool                 // it has been reached by this process
	missed   bool                 // it has been told that it is silent
	left     bool                 // it said that it leaves
	counts   bool                 // its votes do; see lapses
	since    time.Time            // since when it has been reached; zero: it is not
	behind   time.Time            // since when the report at hand is not the latest; zero: it is
	wanted   time.Time            // when its report was last asked for
	asked    int                  // how often that was since a report, or all that was missing of it, came
	hears    map[string]time.Time // whom it hears directly, and when it said so
	skew     time.Duration        // its clock minus ours
	rtt      time.Duration        // zero: not measured
	listed   listing              // its decisions
	compared unlike               // what its report was found to hold otherwise
	timing   timing               // whose time it goes by; the zero value: it has not said
}

// alive says that a sign of life is fresh enough.
func (n *neighbour) alive(now time.Time) bool { return !n.left && now.Sub(n.heard) <= lapse }

// wavers says that several heartbeats of it have been missed, and that it is not silent for long enough to be given up.
func (n *neighbour) wavers(now time.Time) bool { return n.alive(now) && now.Sub(n.heard) > lapse/2 }

// lapses brings up to date whether the neighbour's votes count. Those that fall silent together lapse together: while
// another one wavers, one that is silent for too long goes on to count, for as long again at most. Otherwise the smaller
// side of a partition would, for a moment, be a majority of those who have not lapsed yet.
func (n *neighbour) lapses(wavering bool, now time.Time) {
	patient := n.counts && wavering && !n.left && now.Sub(n.heard) <= 2*lapse
	n.counts = n.alive(now) || patient
	if !n.counts {
		n.synced, n.goal, n.asked, n.wanted = false, 0, 0, time.Time{}
	}
	switch {
	case !n.reached():
		n.since = time.Time{}
	case n.since.IsZero():
		n.since = now
	}
}

// reached says that the neighbour's votes count: it is alive, and what it says is known.
func (n *neighbour) reached() bool { return n.counts && n.synced && n.report != nil }

// hearing takes a sign of life: message seq of the process boot, heard age ago by a go-between or ("") by ourselves.
// An older sign than what is known changes nothing. Ages only ever grow on their way, so that no circle of
// go-betweens keeps a dead nameserver alive. What the nameserver itself says goes before what others say of it: their
// mistakes are put right by its next message.
func (n *neighbour) hearing(boot, seq, version uint64, at time.Time, via string) {
	switch {
	case boot != n.boot && (!at.After(n.heard) || via != "" && at.Sub(n.direct) <= lapse):
		return
	case boot != n.boot:
		*n = neighbour{name: n.name, boot: boot, hears: n.hears, met: n.met, missed: n.missed, skew: n.skew, rtt: n.rtt}
	case seq <= n.seq && via != "", at.Before(n.heard):
		return
	}
	if via != "" || seq < n.seq {
		version = max(n.version, version)
	}
	n.seq, n.heard, n.via, n.version = seq, at, via, version
	if n.goal == 0 {
		n.goal = n.version
	}
	n.note(at)
	n.settle()
}

// note notes since when the report at hand is not the latest.
func (n *neighbour) note(now time.Time) {
	switch {
	case !n.lacks():
		n.asked, n.behind = 0, time.Time{}
	case n.behind.IsZero():
		n.behind = now
	}
}

// source is where its report is to be asked for: at itself as long as it is heard directly, else at the go-between.
func (n *neighbour) source(now time.Time) string {
	if now.Sub(n.direct) <= 2*heartbeat {
		return n.name
	}
	return cmp.Or(n.via, n.name)
}

// take keeps a report if it is news, and says whether it was.
func (n *neighbour) take(r *Report) bool {
	if r.Boot != n.boot {
		return false
	}
	if n.asked = 0; n.report != nil && r.Version <= n.report.Version {
		return false
	}
	n.change(r)
	return true
}

// change puts a later report in the place of the one at hand.
func (n *neighbour) change(after *Report) {
	n.report = after
	n.version = max(n.version, after.Version)
	n.note(n.behind)
	n.settle()
}

// keep holds a change until what it changes is at hand, and says whether it is news. Most fit at once; but a report goes by a
// slower way than the changes that follow it, and these may overtake each other.
func (n *neighbour) keep(d *Delta) bool {
	if d.Boot != n.boot || n.early[d.Base] != nil || n.report != nil && d.Head.Version <= n.report.Version {
		return false
	}
	if n.early == nil || len(n.early) == maxEarly {
		n.early = map[uint64]*Delta{} // a later report is asked for
	}
	n.early[d.Base] = d
	return true
}

// fitting takes the held change that fits the report at hand; nil: there is none.
func (n *neighbour) fitting() *Delta {
	if n.report == nil {
		return nil
	}
	d := n.early[n.report.Version]
	delete(n.early, n.report.Version)
	if d == nil { // those that are left lie ahead, or behind for good
		maps.DeleteFunc(n.early, func(base uint64, _ *Delta) bool { return base < n.report.Version })
	}
	return d
}

// settle notes that what the neighbour says is known: not its very latest word, which may always be on its way while much
// changes, but one that is later than its silence.
func (n *neighbour) settle() {
	n.synced = n.synced || n.goal > 0 && n.report != nil && n.report.Version >= n.goal
}

// due says that its report, or what changed of it, is to be asked for now.
func (n *neighbour) due(now time.Time) bool {
	underWay := n.synced && n.asked == 0 && now.Sub(n.behind) < wantGrace
	return n.lacks() && n.alive(now) && !underWay && now.Sub(n.wanted) >= wantPause<<min(max(n.asked-1, 0), maxDoublings)
}

// dated are the decisions that the neighbour holds, by pool, with their times by this host's clock. Small differences are left
// alone, so that all nameservers say the same of them.
func (n *neighbour) dated() []*failover.Decision {
	var skew time.Duration
	if abs(n.skew) > skewLimit {
		skew = n.skew
	}
	if l := &n.listed; l.skew != skew || !same(l.of, n.report.Held) {
		*l = listing{of: n.report.Held, skew: skew}
		for _, pool := range names(l.of) {
			l.dated = append(l.dated, dated(l.of[pool], skew))
		}
	}
	return n.listed.dated
}

// listing is what dated found, and from what: it is asked for with every message, and a table of decisions seldom changes.
type listing struct {
	of    map[string]*failover.Decision
	skew  time.Duration
	dated []*failover.Decision
}

func dated(d *failover.Decision, skew time.Duration) *failover.Decision {
	if skew == 0 {
		return d
	}
	out := *d
	out.Since, out.Failbacks = d.Since.Add(-skew), slices.Clone(d.Failbacks)
	for i := range out.Failbacks {
		out.Failbacks[i] = out.Failbacks[i].Add(-skew)
	}
	return &out
}

// at is the version of the report at hand; 0: none is.
func (n *neighbour) at() uint64 {
	if n.report == nil {
		return 0
	}
	return n.report.Version
}

// lacks says that a later report exists than the one at hand.
func (n *neighbour) lacks() bool { return n.report == nil || n.at() < n.version }
