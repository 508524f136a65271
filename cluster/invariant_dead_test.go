package cluster

import (
	"slices"
	"time"

	"github.com/livens/livens/checker"
	"github.com/livens/livens/zones"
)

const (
	// detection is the longest that an observer takes to find out about a deployment, and tells the others.
	detection = 2500 * time.Millisecond
	// minorityHold is that of the simulated nameservers, and how long a nameserver may go on without a quorum.
	minorityHold = 10 * time.Second
	// regroup is how long it takes until those who left count no more, and those who came do.
	regroup = 2*lapse + 1500*time.Millisecond
)

// deadAnswer is what is known of a nameserver that may answer a deployment which all call down.
type deadAnswer struct {
	name   string      // what it answers
	down   time.Time   // since when all who have its files have called that down; zero: they do not
	since  time.Time   // since when another is up besides; zero: none is
	files  int         // the edition that it has: what it votes on
	voters []uint64    // the processes that vote on it, of those that the nameserver reaches
	spare  []uint64    // room for the next count
	quorum bool        // they are one
	formed time.Time   // since when both are so
	met    time.Time   // when most nameservers were last reached, whether they vote or not, as far as n can know
	seen   []time.Time // when each nameserver was last reached, by any of the group: who has just left counts on for a while
}

// noDeadAnswer: no answer names a deployment that every reachable observer has called down for longer than the detection
// bound, while another is up. Only a nameserver whose group has no quorum, or not enough votes, may go on for minority_hold,
// counted from when that began; and whoever came or left may take some time to be noticed.
func (w *world) noDeadAnswer() {
	for _, n := range w.nodes {
		if !n.up || n.stopped || n.answers == nil {
			n.dead = deadAnswer{}
			continue
		}
		group, name := w.group(n), n.decision().Active[0]
		n.dead.count(n, group, name)
		other := slices.ContainsFunc(group, func(m *simNode) bool { return m.edition == n.edition && m.state(name) != checker.Down })
		lasts(&n.dead.down, !other && n.dead.name == name, w.now)
		n.dead.name = name
		if !lasts(&n.dead.since, w.called(group, name, checker.Down) && w.another(n, group, name) && !n.forced(), w.now) {
			continue
		}
		if n.dead.quorum && w.now.Sub(n.dead.formed) > regroup {
			w.judged++
		}
		if by := n.dead.leavesBy(); w.now.After(by) {
			w.fail("%s answers %s, which all that it reaches (%d of %d, a quorum: %t) have called down for %v", n.name, name,
				len(group), len(w.nodes), n.dead.quorum, w.now.Sub(n.dead.since))
		}
	}
}

// lasts keeps since when something has been so, and says whether it is.
func lasts(since *time.Time, so bool, now time.Time) bool {
	switch {
	case !so:
		*since = time.Time{}
	case since.IsZero():
		*since = now
	}
	return so
}

// another says that a deployment other than that is up by all accounts, and may answer.
func (w *world) another(n *simNode, group []*simNode, than string) bool {
	return slices.ContainsFunc(w.pool.Deployments, func(d *zones.Deployment) bool {
		return d.Name != than && w.called(group, d.Name, checker.Up) && !n.drained(d.Name)
	})
}

// count notes who votes on a deployment, as n can know: those of its group that have its files.
func (x *deadAnswer) count(n *simNode, group []*simNode, deployment string) {
	w := n.w
	if n.edition != x.files {
		*x = deadAnswer{files: n.edition}
	}
	x.seen = slices.Grow(x.seen, len(w.nodes))[:len(w.nodes)]
	reached := 0
	for i, other := range w.nodes {
		for _, m := range group {
			switch {
			case m == other:
				x.seen[i] = w.now
			case len(m.dead.seen) > i: // it brings word of whom it has just lost
				x.seen[i] = lastOf(x.seen[i], m.dead.seen[i])
			}
		}
		reached += bit(w.now.Sub(x.seen[i]) <= regroup)
	}
	if 2*reached > len(w.nodes) {
		x.met = w.now
	}
	voters := x.spare[:0]
	for _, m := range w.nodes {
		if slices.Contains(group, m) && m.edition == n.edition && m.state(deployment) != checker.Unknown {
			voters = append(voters, m.boot)
		}
	}
	quorum := 2*len(voters) > len(w.nodes) || len(w.nodes) == 2 && len(voters) == 1 && w.survives(n)
	if quorum != x.quorum || !slices.Equal(voters, x.voters) || x.formed.IsZero() {
		x.voters, x.quorum, x.formed, voters = voters, quorum, w.now, x.voters
	}
	x.spare = voters
}

// survives says that of two nameservers the other one is lost to n: neither heard, nor answering DNS queries, as it does not
// before it has joined.
func (w *world) survives(n *simNode) bool {
	other := w.nodes[bit(w.nodes[0] == n)]
	silent := w.noDNS[[2]string{n.name, other.name}] || other.answers == nil
	return !other.up || other.stopped || silent && len(w.group(n)) == 1
}

// leavesBy is when the nameserver must have left what it answers. Where most are reached and yet too few vote, as while files
// differ, each turn to down waits anew, whether another is up by then or comes up later. Those who come may bring word of others who are just lost, and be a quorum for a
// moment: the wait begins with them.
func (x *deadAnswer) leavesBy() time.Time {
	began, hold := x.formed.Add(regroup), time.Duration(0)
	if !x.quorum {
		hold = minorityHold
		if x.down.Before(x.met.Add(regroup)) {
			began = lastOf(began, x.down.Add(detection))
		}
	}
	return lastOf(x.since.Add(detection), began.Add(hold))
}

func lastOf(times ...time.Time) time.Time { return slices.MaxFunc(times, time.Time.Compare) }

// state is what the observer itself calls a deployment.
func (n *simNode) state(deployment string) checker.State {
	for _, p := range n.targets {
		if p.deployment == deployment {
			return p.State
		}
	}
	return checker.Unknown
}
