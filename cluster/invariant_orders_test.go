package cluster

import (
	"slices"
	"strings"
	"time"

	"github.com/livens/livens/failover"
)

// simOrder is an order that was given, with its times by the true clock.
type simOrder struct {
	failover.Override           // the register that came of it
	from, until       time.Time // zero: at once; without end
}

const (
	// orderSlack is how much earlier or later than by the true clock an order may begin or end: what right clocks are off, and a
	// heartbeat for telling.
	orderSlack = time.Second
	// clocksSettle is how long nameservers take to learn of a clock that was set, or of those that they did not know.
	clocksSettle = 5 * time.Second
)

// record notes what came of an order: the registers at the nameserver that it wrote. One that was given where a wrong time is
// gone by, as at a nameserver that is alone with a wrong clock, says what that time made of it, and is not judged.
func (w *world) record(n *simNode, o failover.Order) {
	if off := n.clock().Add(n.core.time.shift).Sub(w.now); abs(off) > skewLimit {
		return
	}
	from := o.At
	if !from.After(w.now) {
		from = time.Time{}
	}
	for _, x := range n.engine.Status().Registers {
		if x.Who != o.Who || x.Cleared || x.Kind == failover.ToFailback {
			continue
		}
		y := simOrder{Override: x, from: from}
		if o.For > 0 {
			y.until = lastOf(w.now, from).Add(o.For)
		}
		w.orders = append(w.orders, y)
	}
}

// ordersHold: an order holds until its end, and no longer; a planned one does not begin before its time. It is judged by the
// true clock, at nameservers with a right clock that were not misled, while most clocks are right.
func (w *world) ordersHold() {
	right := 0
	for _, n := range w.nodes {
		right += bit(n.right())
		n.meet()
	}
	if 2*right <= len(w.nodes) {
		w.clocksRight = time.Time{}
		return
	}
	if w.clocksRight.IsZero() {
		w.clocksRight = w.now
	}
	if w.now.Sub(w.clocksRight) < clocksSettle && w.now.Sub(epoch) > clocksSettle {
		return
	}
	for _, n := range w.nodes {
		if !n.up || n.stopped || !n.right() || n.misled || n.answers == nil || w.now.Sub(n.runs) < clocksSettle {
			continue
		}
		s := n.engine.Status()
		for i := range w.orders {
			n.holds(s, &w.orders[i])
		}
	}
}

// meet notes whom the process can tell the time by. One that knows of no majority of right clocks takes over the time that was
// gone by for longer, were it that of a wrong clock, and keeps it when that one is gone: nobody can tell who is right.
func (n *simNode) meet() {
	if !n.up || n.stopped {
		return
	}
	w, known := n.w, 0
	group := w.group(n)
	n.company = slices.Grow(n.company, len(w.nodes))[:len(w.nodes)]
	for i, m := range w.nodes {
		c := &n.company[i]
		lasts(&c.since, slices.Contains(group, m), w.now)
		c.met = c.met || !c.since.IsZero() && w.now.Sub(c.since) >= clocksSettle
		known += bit(c.met && m.right())
	}
	wrong := slices.ContainsFunc(group, func(m *simNode) bool { return !m.right() || m.misled })
	n.misled = 2*known <= len(w.nodes) && (wrong || n.misled)
}

// acquaintance is what one nameserver's process has had of another one.
type acquaintance struct {
	since time.Time // since when they are connected; zero: they are not
	met   bool      // they have been for long enough to know the other's clock
}

// holds judges one order at one nameserver, if that knows it and knows of none in its place.
func (n *simNode) holds(s *failover.Status, o *simOrder) {
	w, same := n.w, func(x failover.Override) bool { // as by ID, of one pool, without making the words
		return x.Clock == o.Clock && x.Node == o.Node && x.Kind == o.Kind && x.Deployment == o.Deployment && !x.Cleared
	}
	if !slices.ContainsFunc(s.Registers, same) {
		return
	}
	counts := slices.ContainsFunc(s.Overrides, same)
	switch d := n.decision(); {
	case !counts && (o.until.IsZero() || w.now.Before(o.until.Add(-orderSlack))):
		w.fail("%s has ended the %s %v too early", n.name, o.String(), o.until.Sub(w.now))
	case counts && !o.until.IsZero() && w.now.After(o.until.Add(orderSlack)):
		w.fail("%s has not ended the %s, %v after its time", n.name, o.String(), w.now.Sub(o.until))
	case !o.from.IsZero() && w.now.Before(o.from.Add(-orderSlack)) && n.obeys(d, o):
		w.fail("%s obeys the %s %v before its time", n.name, o.String(), o.from.Sub(w.now))
	}
}

// obeys says that a decision follows an order already.
func (n *simNode) obeys(d *failover.Decision, o *simOrder) bool {
	return d.Obeyed == o.ID() || slices.ContainsFunc(d.Deployments, func(x failover.DeploymentState) bool {
		return strings.HasPrefix(x.Drained, "by "+o.Who+" ")
	})
}
