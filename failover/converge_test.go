package failover

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/livens/livens/checker"
	"github.com/livens/livens/zones"
)

// crowd is a few nameservers whose news come at once from those on the same side, and not at all from others. The views of
// one side may differ for a while.
type crowd struct {
	r       *rapid.T
	members []*member
	side    []int
	truth   map[string]checker.State
	epochs  []map[string]uint64
	history []string
}

// TestNameserversThatMeetComeToOneAnswer drives whole crowds through random partitions, deaths, orders and restarts.
func TestNameserversThatMeetComeToOneAnswer(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		p := newWorld(t, func(p *zones.Pool) {
			p.Failback = rapid.SampledFrom([]zones.Failback{zones.Auto, zones.Manual}).Draw(r, "failback")
			p.AllDown = rapid.SampledFrom([]zones.AllDown{zones.LastGood, zones.All}).Draw(r, "all_down")
			p.Policy = rapid.SampledFrom([]zones.Policy{zones.Failover, zones.Failover, zones.AllLive}).Draw(r, "policy")
		}).pool
		c := &crowd{r: r, truth: map[string]checker.State{"primary": checker.Up, "redundant": checker.Up}}
		for i := range rapid.IntRange(2, 4).Draw(r, "members") {
			c.members = append(c.members, newMember(t, fmt.Sprint("ns", i+1), p))
			c.side, c.epochs = append(c.side, 0), append(c.epochs, map[string]uint64{})
		}
		for _, m := range c.members {
			m.Use(m.set, m.now)
		}
		c.see(true)
		c.talk()
		for range rapid.IntRange(1, 25).Draw(r, "steps") {
			c.happen()
			c.talk()
			c.pass(time.Duration(rapid.SampledFrom([]int{0, 1, 100, 350, 3000, 40000}).Draw(r, "ms")) * time.Millisecond)
		}
		clear(c.side)
		c.see(true)
		for range 20 {
			c.talk()
			c.pass(50 * time.Millisecond)
		}
		c.talk()
		c.alike()
	})
}

func (c *crowd) fatalf(format string, args ...any) {
	c.r.Fatalf("%s\nhistory: %q", fmt.Sprintf(format, args...), c.history)
}

func (c *crowd) happen() {
	i := rapid.IntRange(0, len(c.members)-1).Draw(c.r, "member")
	m := c.members[i]
	what := rapid.SampledFrom([]string{"partition", "heal", "state", "state", "late state", "order", "restart"}).Draw(c.r, "what")
	c.history = append(c.history, fmt.Sprint(m.now.Sub(epochStart), " ", what, " ", m.options.Node))
	switch what {
	case "partition":
		c.side[i] = 1
	case "heal":
		clear(c.side)
	case "state", "late state":
		name := rapid.SampledFrom([]string{"primary", "redundant"}).Draw(c.r, "deployment")
		c.truth[name] = rapid.SampledFrom([]checker.State{checker.Up, checker.Down}).Draw(c.r, "state")
		c.history = append(c.history, fmt.Sprint(name, c.truth[name]))
		c.see(what == "state")
	case "order":
		o := Order{
			Verb: rapid.SampledFrom([]Verb{DoFailover, DoFailback, DoDrain, DoUndrain}).Draw(c.r, "verb"), Pool: "chat", Who: "alice",
			Deployment: rapid.SampledFrom([]string{"primary", "redundant"}).Draw(c.r, "deployment"),
			For:        time.Duration(rapid.SampledFrom([]int{0, 2, 60}).Draw(c.r, "for")) * time.Second,
		}
		if next, err := m.Plan(o, m.now); err == nil {
			c.history = append(c.history, fmt.Sprint(o.Verb, o.Deployment))
			m.Obey(next, m.now)
			m.take()
		}
	case "restart":
		last := m.last
		options := EngineOptions{Node: m.options.Node, Memory: m.Memory(), Overrides: m.Status().Registers}
		c.members[i] = &member{t: m.t, Engine: NewEngine(options, m.now), set: m.set, now: m.now, last: last}
		c.members[i].Use(m.set, m.now)
		c.see(true)
	}
}

// see gives the truth to all, or only to the first half. What it is called on without a quorum is provisional.
func (c *crowd) see(all bool) {
	for i, m := range c.members {
		if !all && i > len(c.members)/2 {
			continue
		}
		n := m.news(c.truth)
		n.Standing = c.standing(i)
		for k, v := range n.Verdicts {
			v.Lacking = !n.Standing.Quorum
			n.Verdicts[k] = v
		}
		n.Overrides = m.Status().Registers
		m.hear(n)
	}
}

func (c *crowd) standing(i int) Standing {
	n := 0
	for _, s := range c.side {
		if s == c.side[i] {
			n++
		}
	}
	return Standing{Quorum: n > len(c.members)/2, Joined: true}
}

// talk lets all that are on one side hear of one another until nobody has anything new to say.
func (c *crowd) talk() {
	for round := 0; ; round++ {
		before := c.said()
		for i, m := range c.members {
			n := News{Standing: c.standing(i)}
			for j, other := range c.members {
				if i != j && c.side[i] == c.side[j] {
					s := other.Status()
					n.Held, n.Overrides, n.Serials = append(n.Held, s.Held()...), append(n.Overrides, s.Registers...), append(n.Serials, s.Given...)
				}
			}
			m.hear(n)
			c.check(i)
		}
		if c.said() == before {
			return
		}
		if round > 20 {
			c.fatalf("they come to no end:\n%s\nthen\n%s", before, c.said())
		}
	}
}

func (c *crowd) said() string {
	var out string
	for _, m := range c.members {
		s := m.Status()
		for _, name := range slices.Sorted(maps.Keys(s.Decisions)) {
			d := s.Decisions[name]
			out += fmt.Sprintln(m.options.Node, name, d.Active, d.Addresses, d.Epoch, d.Provisional, d.Since.Sub(epochStart), s.Serials)
		}
	}
	return out
}

func (c *crowd) check(i int) {
	m := c.members[i]
	for name, d := range m.last.Decisions {
		if len(d.Active) == 0 || len(d.Addresses) == 0 || d.Reason == "" {
			c.fatalf("%s answers nothing for %s: %+v", m.options.Node, name, d)
		}
		if d.Epoch < c.epochs[i][name] {
			c.fatalf("%s: epoch %d of %s after %d", m.options.Node, d.Epoch, name, c.epochs[i][name])
		}
		c.epochs[i][name] = d.Epoch
	}
	if m.last.Set == m.Status().Set {
		c.published(m)
	}
}

// published checks that what changed, one publication after the other, adds up to what is held.
func (c *crowd) published(m *member) {
	held := m.Status()
	for name, d := range held.Decisions {
		if said := m.last.Decisions[name]; said == nil || !sameChoice(said, d) || said.Epoch != d.Epoch || said.TTL != d.TTL || said.AllDown != d.AllDown {
			c.fatalf("%s holds %+v for %s, and published %+v", m.options.Node, d, name, said)
		}
	}
	if !maps.Equal(m.last.Serials, held.Serials) {
		c.fatalf("%s holds serials %v, and published %v", m.options.Node, held.Serials, m.last.Serials)
	}
	for _, z := range held.Set.Zones { // an epoch that went back would have left a serial behind
		latest := uint64(0)
		for _, p := range z.Pools {
			latest = max(latest, held.Decisions[p.Name].Epoch)
		}
		if m.serials[z.Name].Epoch != latest {
			c.fatalf("%s: the serial of %s stands for epoch %d, and %d is held", m.options.Node, z.Name, m.serials[z.Name].Epoch, latest)
		}
	}
}

func (c *crowd) pass(d time.Duration) {
	for i, m := range c.members {
		m.pass(d)
		c.check(i)
	}
}

// alike checks that all answer alike, on firm ground.
func (c *crowd) alike() {
	a := c.members[0].Status()
	for _, m := range c.members[1:] {
		b := m.Status()
		for name, x := range a.Decisions {
			y := b.Decisions[name]
			if !sameChoice(x, y) || x.Epoch != y.Epoch || x.Provisional || y.Provisional || x.TTL != y.TTL || x.AllDown != y.AllDown {
				c.fatalf("%s:\n%s %v %d %v %q\n%s %v %d %v %q", name, c.members[0].options.Node, x.Active, x.Epoch, x.Provisional, x.Reason,
					m.options.Node, y.Active, y.Epoch, y.Provisional, y.Reason)
			}
		}
		if !maps.Equal(a.Serials, b.Serials) {
			c.fatalf("serials %v and %v", a.Serials, b.Serials)
		}
		if !slices.EqualFunc(a.Registers, b.Registers, func(x, y Override) bool { return x.compare(&y) == 0 }) {
			c.fatalf("registers\n%v\n%v", a.Registers, b.Registers)
		}
	}
}
