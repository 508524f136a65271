package cluster

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/livens/livens/failover"
)

// compare notes since when reached nameservers hold other decisions or zones than this one, and who is reached.
func (c *Core) compare(now time.Time) {
	seen := map[string]bool{}
	since := func(key string) time.Time {
		seen[key] = true
		if c.apart[key].IsZero() {
			c.apart[key] = now
		}
		return c.apart[key]
	}
	apart := map[string]bool{} // by pool: for long enough to be told
	for _, n := range c.reached() {
		unlike := n.unlike(c.report)
		for _, pool := range unlike.pools {
			apart[pool] = now.Sub(since(n.name+" "+pool)) > apartLife || apart[pool]
		}
		for _, zone := range unlike.zones {
			since(n.name + " zone " + zone)
		}
	}
	maps.DeleteFunc(c.apart, func(key string, _ time.Time) bool { return !seen[key] })
	c.tellApart(apart, now)
	for _, n := range c.nodes {
		c.tellReached(n, now)
	}
}

// unlike is what two reports hold otherwise, and of which tables that was found: they are compared only when one changed.
type unlike struct {
	ours, theirs Contents
	pools, zones []string
}

// unlike is in what the neighbour's report differs from ours.
func (n *neighbour) unlike(ours *Report) *unlike {
	was, theirs := &n.compared, n.report
	if same(was.ours.Held, ours.Held) && same(was.theirs.Held, theirs.Held) && same(was.ours.Zones, ours.Zones) && same(was.theirs.Zones, theirs.Zones) {
		return was
	}
	*was = unlike{ours: Contents{Held: ours.Held, Zones: ours.Zones}, theirs: Contents{Held: theirs.Held, Zones: theirs.Zones}}
	for pool, d := range theirs.Held {
		if own := ours.Held[pool]; own != nil && differ(own, d) {
			was.pools = append(was.pools, pool)
		}
	}
	for zone, z := range theirs.Zones {
		if ours.Zones[zone].Hash != z.Hash {
			was.zones = append(was.zones, zone)
		}
	}
	return was
}

// tellApart makes events of pools about which nameservers begin or cease to differ.
func (c *Core) tellApart(apart map[string]bool, now time.Time) {
	for _, pool := range names(apart) {
		if apart[pool] && !c.differs[pool] {
			c.differs[pool] = true
			c.happen(failover.Event{Pool: pool, Epoch: c.epoch(pool), From: "agreed", To: "apart", Reason: "nameservers that reach each other answer differently: livens diff shows which"}, now)
		}
	}
	for _, pool := range names(c.differs) {
		if !apart[pool] {
			delete(c.differs, pool)
			c.happen(failover.Event{Pool: pool, Epoch: c.epoch(pool), From: "apart", To: "agreed", Reason: "nameservers that reach each other answer alike again"}, now)
		}
	}
}

// tellReached makes an event of a nameserver that falls silent, and of its return. The first time it is met is no news.
func (c *Core) tellReached(n *neighbour, now time.Time) {
	switch reached := n.reached(); {
	case reached && n.missed:
		n.missed = false
		c.happen(failover.Event{Epoch: c.highest(), To: n.name + " reached", Reason: n.name + " is heard again"}, now)
	case !reached && n.met && !n.missed && n.left:
		n.missed = true
		c.happen(failover.Event{Epoch: c.highest(), To: n.name + " stopped", Reason: n.name + " said that it stops"}, now)
	case !reached && n.met && !n.missed && !n.counts:
		n.missed = true
		c.happen(failover.Event{Epoch: c.highest(), To: n.name + " silent", Reason: "no sign of life of " + n.name}, now)
	case reached:
		n.met = true
	}
}

// epoch is that of the decision that this nameserver holds for a pool; 0: it holds none.
func (c *Core) epoch(pool string) uint64 {
	if d := c.report.Held[pool]; d != nil {
		return d.Epoch
	}
	return 0
}

// highest is the highest epoch that this nameserver holds.
func (c *Core) highest() (epoch uint64) {
	for _, d := range c.report.Held {
		epoch = max(epoch, d.Epoch)
	}
	return epoch
}

// happen notes an event.
func (c *Core) happen(e failover.Event, now time.Time) {
	c.happenings++
	e.ID = fmt.Sprintf("%s-%d-c%d", c.report.Name, now.UnixNano(), c.happenings)
	e.Kind, e.At, e.Node, e.Quorum = failover.EventDivergence, now.Add(c.time.shift), c.report.Name, c.quorum(now)
	c.happened = append(c.happened, e)
}

// Happened hands over the events since the last call.
func (c *Core) Happened() []failover.Event {
	out := c.happened
	c.happened = nil
	return out
}

// differ says that two nameservers with the same pool answer differently, or would call the answer by another epoch.
func differ(a, b *failover.Decision) bool {
	return a.Definition == b.Definition && (a.Epoch != b.Epoch || !slices.Equal(a.Active, b.Active) || !slices.Equal(a.Addresses, b.Addresses))
}
