package cluster

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/livens/livens/checker"
	"github.com/livens/livens/events"
)

// replyPause bounds how often a message that proves nothing is answered.
const replyPause = heartbeat / 8

// Receive takes what came from a configured peer.
func (c *Core) Receive(peer string, data []byte, now time.Time) {
	m, err := decode(data)
	c.received(peer, m, err, now)
}

// received takes a message that was read, or why it could not be.
func (c *Core) received(peer string, m *Message, err error, now time.Time) {
	switch {
	case c.sessions[peer] == nil:
		return // it is no peer of ours
	case errors.Is(err, errFormat):
		c.fault(WrongFormat, peer, err.Error())
	case err != nil:
		c.fault(Malformed, peer, err.Error())
	default:
		c.hear(peer, m, now)
	}
}

// hear takes a well-formed message.
func (c *Core) hear(peer string, m *Message, now time.Time) {
	c.wake(now)
	s := c.sessions[peer]
	switch {
	case m.From == c.report.Name:
		c.fault(DuplicateName, peer, "it has this nameserver's name, "+m.From)
		return
	case m.To != "" && m.To != c.report.Name:
		c.fault(Replayed, peer, "a message for "+m.To)
		return
	}
	if other := c.peerOf(m.From, now); other != "" && other != peer {
		c.fault(DuplicateName, peer, m.From+" is the name of "+other+" already")
		return
	}
	switch s.accept(m, c.report.Boot, now) {
	case replayed:
		c.fault(Replayed, peer, "a message that came before")
	case unproven:
		if n := len(s.sent); n == 0 || now.Sub(s.sent[n-1].at) >= replyPause {
			c.send(peer, &Message{}, now)
		}
	case fresh:
		c.believe(peer, s, m, now)
	}
}

// peerOf is the configured peer that has lately been heard under a name, or "".
func (c *Core) peerOf(name string, now time.Time) string {
	for _, peer := range c.options.Peers {
		if s := c.sessions[peer]; s.name == name && now.Sub(s.heard) <= lapse {
			return peer
		}
	}
	return ""
}

// believe applies a fresh message.
func (c *Core) believe(peer string, s *session, m *Message, now time.Time) {
	n := c.node(m.From, true, now)
	if n == nil {
		c.fault(UnknownMember, peer, m.From+" would be one observer more than are configured")
		return
	}
	n.hearing(m.Boot, m.Seq, m.Version, s.heard, "")
	n.direct = s.heard
	if site := c.report.Site; n.report == nil || site == "" || n.report.Site != site {
		c.heard = latest(c.heard, s.heard)
	}
	if best, ok := s.best(); ok {
		n.rtt, n.skew = max(best.rtt, time.Microsecond), best.skew
	}
	n.timed(m.Time, now)
	n.left = n.left || m.Leaving // what it said before may arrive after it; the next process has another boot
	c.relay(n, m, now)
	changed := c.adopt(m, now)
	if len(m.Want) > 0 {
		c.answer(peer, m, now)
	}
	if want, have := c.wants(peer, now); len(want) > 0 {
		c.send(peer, &Message{Want: want, Have: have}, now)
	}
	if changed {
		c.unread = true
	}
	c.settle(now)
}

// find is the nameserver of that name, or nil.
func (c *Core) find(name string) *neighbour {
	for _, n := range c.nodes {
		if n.name == name {
			return n
		}
	}
	return nil
}

// node is the nameserver of that name, known from now on; nil when it would be one more than are configured. One that
// speaks itself takes the place of one that is known from others only.
func (c *Core) node(name string, direct bool, now time.Time) *neighbour {
	if n := c.find(name); n != nil {
		return n
	}
	if len(c.nodes) >= c.size()-1 {
		i := slices.IndexFunc(c.nodes, func(n *neighbour) bool { return !n.alive(now) })
		if i < 0 && direct {
			i = slices.IndexFunc(c.nodes, func(n *neighbour) bool { return now.Sub(n.direct) > lapse })
		}
		if i < 0 {
			return nil
		}
		c.nodes = slices.Delete(c.nodes, i, i+1) // it has been given another name, or was replaced
	}
	n := &neighbour{name: name, hears: map[string]time.Time{}}
	c.nodes = append(c.nodes, n)
	slices.SortFunc(c.nodes, func(a, b *neighbour) int { return strings.Compare(a.name, b.name) })
	return n
}

// relay takes what a nameserver knows of the others.
func (c *Core) relay(from *neighbour, m *Message, now time.Time) {
	clear(from.hears)
	for _, h := range m.Heard {
		if h.Direct {
			from.hears[h.Name] = now
		}
		if h.Name == c.report.Name {
			continue
		}
		if n := c.node(h.Name, false, now); n != nil {
			n.hearing(h.Boot, h.Seq, h.Version, now.Add(-time.Duration(h.Age)*time.Microsecond), from.name)
			if now.Sub(n.direct) > lapse && h.RTT > 0 && from.rtt > 0 {
				n.rtt = from.rtt + time.Duration(h.RTT)*time.Microsecond
				n.skew = bounded(from.skew + time.Duration(h.Skew)*time.Microsecond)
			}
		}
	}
}

// adopt takes reports and changes of them, and passes on what others cannot hear by themselves. It says whether any
// was news.
func (c *Core) adopt(m *Message, now time.Time) bool {
	news := false
	for _, r := range m.Full {
		n := c.find(r.Name)
		if n == nil {
			continue
		}
		before := n.report
		if n.take(r) {
			news = true
			if before == nil {
				before = &Report{}
			}
			c.votesChanged(diff(before, r))
			c.learn(r.Events)
			c.alarm(before, r)
			c.catchUp(n, m.From)
		}
	}
	for _, d := range m.Delta {
		if n := c.find(d.Name); n != nil && n.keep(d) {
			c.forward(m.From, d, now)
			news = c.catchUp(n, m.From) || news // what is missing is asked for
		}
	}
	return news
}

// catchUp applies the changes at hand that fit a nameserver's report, and says whether there were any.
func (c *Core) catchUp(n *neighbour, from string) bool {
	news := false
	for d := n.fitting(); d != nil; d = n.fitting() {
		before, after := n.report, n.report.apply(d)
		if after.beyond() {
			c.fault(Oversize, from, "the report of "+d.Name+" grows larger than any configuration")
			return news
		}
		n.change(after)
		c.votesChanged(d)
		c.learn(d.Set.Events)
		c.alarm(before, after)
		news = true
	}
	return news
}

// learn notes the events that another nameserver tells of.
func (c *Core) learn(table map[string]events.Entry) {
	for _, id := range names(table) {
		c.learnt = append(c.learnt, table[id])
	}
}

// forward passes a change on to those who do not hear its owner.
func (c *Core) forward(from string, d *Delta, now time.Time) {
	for _, peer := range c.options.Peers {
		n := c.find(c.sessions[peer].name)
		if n == nil || n.name == from || n.name == d.Name || !n.alive(now) {
			continue
		}
		if _, hears := n.hears[d.Name]; !hears {
			c.send(peer, &Message{Delta: []*Delta{d}}, now)
		}
	}
}

// answer sends what a peer lacks, as far as it is known: what changed of this nameserver's report since the version that the
// peer has, or whole reports. Each goes in a message of its own, for one may be as large as a message can be.
func (c *Core) answer(peer string, m *Message, now time.Time) {
	for i, name := range m.Want {
		n := c.find(name)
		switch missed := c.since(m, i); {
		case name == c.report.Name && len(missed) > 0:
			c.post(peer, &Message{Delta: missed}, true, now)
		case name == c.report.Name:
			c.send(peer, &Message{Full: []*Report{c.report}}, now)
		case n != nil && n.report != nil:
			c.send(peer, &Message{Full: []*Report{n.report}}, now)
		}
	}
}

// since is what changed of this nameserver's report since the version that comes with a message's i-th want; nil: that is not
// known any more, or nothing did.
func (c *Core) since(m *Message, i int) []*Delta {
	if i >= len(m.Have) {
		return nil // an earlier livens, which says no version
	}
	first := slices.IndexFunc(c.recent, func(d *Delta) bool { return d.Base == m.Have[i] })
	if first < 0 {
		return nil
	}
	return c.recent[first:]
}

// alarm notes the targets that a nameserver has begun to doubt.
func (c *Core) alarm(before, after *Report) {
	for key, v := range after.Votes {
		was := before.Votes[key]
		uneasy := func(v Vote) bool { return v.Doubt || v.Bad || v.State == checker.Down }
		if _, ours := c.targets[key]; ours && uneasy(v) && !uneasy(was) {
			c.hurry[key] = true
		}
	}
}
