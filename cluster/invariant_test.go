package cluster

import (
	"reflect"
	"slices"
	"time"

	"github.com/livens/livens/checker"
)

// neverEmpty: no answer is empty because of health.
func (w *world) neverEmpty() {
	for _, n := range w.nodes {
		if !n.up || n.answers == nil {
			continue
		}
		if d := n.decision(); len(d.Active) == 0 || len(d.Addresses) == 0 {
			w.fail("%s answers nothing", n.name)
		}
	}
}

// epochsGrow: what a nameserver has answered with an epoch, it never answers with an earlier one, nor after a restart.
func (w *world) epochsGrow() {
	for _, n := range w.nodes {
		if !n.up || n.answers == nil {
			continue
		}
		if d := n.decision(); d.Epoch < n.highest {
			w.fail("%s goes back from epoch %d to %d", n.name, n.highest, d.Epoch)
		} else {
			n.highest = d.Epoch
		}
	}
}

// agreed: nameservers that have been connected for a while, in a world that has not changed for a while, differ for no
// longer than it takes to tell each other. Nobody is told of a guess: its epoch is of each one's own start, until somebody knows better.
func (w *world) agreed() {
	for _, n := range w.nodes {
		differs := slices.ContainsFunc(w.group(n), func(m *simNode) bool {
			return n.up && !n.stopped && n.edition == m.edition && n.answers != nil && m.answers != nil && !slices.Equal(n.answers, m.answers) && !guessAlike(n, m)
		})
		switch {
		case !differs || w.unsettled(settled):
			n.apart = time.Time{}
		case n.apart.IsZero():
			n.apart = w.now
		case w.now.Sub(n.apart) > apartBound:
			for _, m := range w.group(n) {
				w.note("%s answers %v", m.name, m.answers)
			}
			w.fail("%s has differed from others for %v", n.name, w.now.Sub(n.apart))
		}
	}
}

const (
	settled    = 3 * time.Second
	apartBound = time.Second
)

// guessAlike says that two have guessed, and the same.
func guessAlike(n, m *simNode) bool {
	a, b := n.decision(), m.decision()
	return a.Guess && b.Guess && slices.Equal(a.Active, b.Active) && slices.Equal(a.Addresses, b.Addresses)
}

// unsettled says that the world changed lately.
func (w *world) unsettled(d time.Duration) bool { return w.now.Sub(w.fault) < d }

// group is all the nameservers that n can exchange messages with, directly or through others, itself among them.
func (w *world) group(n *simNode) []*simNode {
	if w.groups[n] == nil {
		w.groups[n] = w.connected(n)
	}
	return w.groups[n]
}

func (w *world) connected(n *simNode) []*simNode {
	group := []*simNode{n}
	for i := 0; i < len(group); i++ {
		for _, m := range w.nodes {
			both := !w.cut[[2]string{group[i].name, m.name}] && !w.cut[[2]string{m.name, group[i].name}]
			if m.up && !m.stopped && both && !slices.Contains(group, m) {
				group = append(group, m)
			}
		}
	}
	return group
}

// called says that all of a group hold a deployment for up or down.
func (w *world) called(group []*simNode, deployment string, state checker.State) bool {
	for _, n := range group {
		for _, p := range n.targets {
			if p.deployment == deployment && p.State != state {
				return false
			}
		}
	}
	return true
}

func equalTables[V any](a, b map[string]V) bool {
	return len(a) == 0 && len(b) == 0 || reflect.DeepEqual(a, b)
}
