package cluster

import (
	"maps"
	"slices"
	"time"

	"github.com/livens/livens/checker"
	"github.com/livens/livens/events"
	"github.com/livens/livens/failover"
)

// CoreOptions are what a Core is made with.
type CoreOptions struct {
	Self         Report        // who this nameserver is: all but Version, Joined and the tables
	Peers        []string      // the other observers, by whatever name the transport has for them
	MinorityHold time.Duration // see zones.ClusterConfig
	TieHold      time.Duration
}

// Core is one nameserver's part of the cluster without sockets and clock: it is told what comes in and what time it is,
// and says what goes out. The same calls give the same results. It is not safe for concurrent use.
type Core struct {
	options  CoreOptions
	started  time.Time
	report   *Report
	recent   []*Delta // the latest changes of it, up to the present version
	seq      uint64
	sessions map[string]*session  // by configured peer
	nodes    []*neighbour         // the other nameservers, by name
	answered map[string]time.Time // by configured peer: when it last answered a DNS query

	held    map[string]heldAs          // by pool
	targets map[string]Target          // what is voted on, by key
	own     map[string]checker.Verdict // this observer's verdicts
	agreed  map[string]*agreement
	recount map[string]bool // targets whose votes are to be counted anew
	joined  bool
	ticked  time.Time     // the last Tick
	woken   time.Time     // when it was noticed that this process had been stopped for a while
	time    timing        // whose time is gone by
	read    time.Time     // the latest reading of this host's clock
	ahead   time.Duration // its shift that was told last

	out        []Outgoing
	news       map[string]failover.Agreed
	hurry      map[string]bool
	unread     bool // News has something new
	noticed    []Fault
	differs    map[string]bool // pools about which nameservers differ, as was told
	happened   []failover.Event
	happenings uint64 // events ever
	learnt     []events.Entry
	heard      time.Time            // when a nameserver that is not in this one's site was last heard
	stood      string               // whose votes counted last
	apart      map[string]time.Time // since when a pool's decision or a zone's data differs, by "nameserver pool" and "nameserver zone ZONE"
}

// heldAs is a decision, and it as others are told of it: most stay the same from one Tell to the next.
type heldAs struct{ of, told *failover.Decision }

// Target is what of a target concerns the others.
type Target struct {
	Site  string        // of its deployment
	Fresh time.Duration // how old a finished probe may be for the verdict to count: two intervals and a timeout
}

// Outgoing is a message to be sent.
type Outgoing struct {
	Peer     string
	Message  *Message
	Reliable bool // too large, or too important, for one datagram
}

// NewCore makes the core of a nameserver that starts now.
func NewCore(o CoreOptions, now time.Time) *Core {
	self := o.Self
	self.Version, self.Size = 1, len(o.Peers)+1
	c := &Core{
		options: o, started: now, report: &self, sessions: map[string]*session{},
		answered: map[string]time.Time{}, held: map[string]heldAs{}, agreed: map[string]*agreement{}, news: map[string]failover.Agreed{},
		hurry: map[string]bool{}, differs: map[string]bool{}, recount: map[string]bool{}, apart: map[string]time.Time{}, unread: true,
	}
	c.time = timing{name: self.Name, boot: self.Boot, since: now}
	for _, p := range o.Peers {
		c.sessions[p] = &session{}
	}
	return c
}

// Tick lets time pass: heartbeats go out, what is no longer fresh lapses. It is called every heartbeat.
func (c *Core) Tick(now time.Time) {
	c.wake(now)
	c.ticked = now
	c.rewrite(now)
	for _, peer := range c.options.Peers {
		want, have := c.wants(peer, now)
		c.send(peer, &Message{Want: want, Have: have}, now)
	}
	c.settle(now)
	c.compare(now)
}

// wake notices that this process was stopped for longer than the others wait for it, as a frozen virtual machine is. They may
// have gone on: what it holds has no quorum behind it, which is told before anything else is, and it reaches none until it
// has heard them again.
func (c *Core) wake(now time.Time) {
	c.noticeSet(now)
	if c.ticked.IsZero() || now.Sub(c.ticked) <= lapse {
		return
	}
	c.ticked, c.woken = now, now
	c.amend(now, func(r *Report) {
		held := make(map[string]*failover.Decision, len(r.Held))
		for pool, d := range r.Held {
			x := *d
			x.Provisional = true
			held[pool] = &x
		}
		r.Held = held
	})
}

// Observe takes this observer's own verdicts, all of them.
func (c *Core) Observe(own map[string]checker.Verdict, doubt string, now time.Time) {
	c.own = own
	c.amend(now, func(r *Report) { r.Doubt = doubt })
	c.settle(now)
}

// Watch says what there is to vote on.
func (c *Core) Watch(targets map[string]Target, now time.Time) {
	c.targets = targets
	maps.DeleteFunc(c.agreed, func(key string, _ *agreement) bool { _, ok := targets[key]; return !ok })
	for key := range targets {
		if c.agreed[key] == nil {
			c.recount[key] = true
		}
	}
	c.rewrite(now)
	c.settle(now)
}

// Tell says what this nameserver holds, so that the others learn it.
func (c *Core) Tell(s *failover.Status, now time.Time) {
	held, zones, orders := map[string]*failover.Decision{}, map[string]failover.ZoneSerial{}, map[string]failover.Override{}
	for pool, d := range s.Decisions {
		if d.Guess {
			continue // it is nobody's business
		}
		if c.held[pool].of != d {
			c.held[pool] = heldAs{d, d.Held()}
		}
		held[pool] = c.held[pool].told
	}
	maps.DeleteFunc(c.held, func(pool string, _ heldAs) bool { return held[pool] == nil })
	if s.Set != nil {
		for _, z := range s.Set.Zones {
			zones[z.Name] = fixedSerial(z) // those without one are given theirs below
		}
	}
	for _, z := range s.Given {
		zones[z.Zone] = z
	}
	for _, o := range s.Registers {
		orders[register(o)] = o
	}
	c.amend(now, func(r *Report) { r.Held, r.Zones, r.Overrides = held, zones, orders })
	c.settle(now)
}

// TellEvents says which events not every hook was told yet.
func (c *Core) TellEvents(pending []events.Entry, now time.Time) {
	c.amend(now, func(r *Report) {
		r.Events = map[string]events.Entry{}
		for _, e := range pending {
			r.Events[e.ID] = e
		}
	})
}

// Serving says where this nameserver answers DNS queries.
func (c *Core) Serving(where []string, now time.Time) {
	c.amend(now, func(r *Report) { r.DNS = where })
}

// Answered says that a configured peer answered a DNS query just now.
func (c *Core) Answered(peer string, now time.Time) { c.answered[peer] = now }

// Leave tells everybody that this nameserver stops.
func (c *Core) Leave(now time.Time) {
	for _, peer := range c.options.Peers {
		c.send(peer, &Message{Leaving: true}, now)
	}
}

// Take hands over what is to be sent.
func (c *Core) Take() []Outgoing {
	out := c.out
	c.out = nil
	return out
}

// Hurry hands over the targets that another observer has begun to doubt: they are probed at once, so that agreement
// costs no interval.
func (c *Core) Hurry() []string {
	out := names(c.hurry)
	clear(c.hurry)
	return out
}

// Learnt hands over the events that other nameservers told of since the last call.
func (c *Core) Learnt() []events.Entry {
	out := c.learnt
	c.learnt = nil
	return out
}

// HeardElsewhere is when a nameserver was last heard that is not known to be in this one's own site.
func (c *Core) HeardElsewhere() time.Time { return c.heard }

// Unread says that News has something new.
func (c *Core) Unread() bool { return c.unread }

// News is what is new for the failover controller.
func (c *Core) News(now time.Time) failover.News {
	c.noticeSet(now)
	n := failover.News{Verdicts: c.news, Standing: c.Standing(now)}
	c.news, c.unread = map[string]failover.Agreed{}, false
	for _, x := range c.reached() {
		n.Held = append(n.Held, x.dated()...)
		for _, zone := range names(x.report.Zones) {
			n.Serials = append(n.Serials, x.report.Zones[zone])
		}
		for _, key := range names(x.report.Overrides) {
			n.Overrides = append(n.Overrides, x.report.Overrides[key])
		}
	}
	return n
}

// Heartbeat is how often Tick is to be called.
const Heartbeat = heartbeat

// amend changes this nameserver's report, and tells the others what changed. A table is changed by putting another in its place.
func (c *Core) amend(now time.Time, change func(*Report)) {
	next := *c.report
	change(&next)
	next.Version++
	next.Joined, next.Votes = c.joined, c.votes(now)
	delta := diff(c.report, &next)
	if delta.empty(c.report) {
		return
	}
	c.votesChanged(delta)
	c.report = &next
	c.recent = append(c.recent, delta)
	c.recent = c.recent[max(0, len(c.recent)-maxRecent):]
	for _, peer := range c.options.Peers {
		c.send(peer, &Message{Delta: []*Delta{delta}}, now)
	}
}

// rewrite brings the votes up to date: time makes them stale.
func (c *Core) rewrite(now time.Time) { c.amend(now, func(*Report) {}) }

// votes are this observer's votes now: the very table of the report while none has changed, which is nearly always.
func (c *Core) votes(now time.Time) map[string]Vote {
	var set map[string]Vote
	var removed []string
	told := c.report.Votes
	for key, t := range c.targets {
		v, ok := vote(c.own[key], t.Fresh, now)
		old, was := told[key]
		switch {
		case ok && (!was || v != old):
			if set == nil {
				set = map[string]Vote{}
			}
			set[key] = v
		case !ok && was:
			removed = append(removed, key)
		}
	}
	if len(told)+len(set) > len(c.targets) { // perhaps of targets that are no more
		for key := range told {
			if _, ours := c.targets[key]; !ours {
				removed = append(removed, key)
			}
		}
	}
	return patched(told, set, removed)
}

// votesChanged notes which targets a change of votes concerns.
func (c *Core) votesChanged(d *Delta) {
	for key := range d.Set.Votes {
		c.recount[key] = true
	}
	for _, key := range d.Removed["votes"] {
		c.recount[key] = true
	}
}

// send queues a message to a peer. Until the peer has spoken its name is not known, and To is empty.
func (c *Core) send(peer string, m *Message, now time.Time) { c.post(peer, m, len(m.Full) > 0, now) }

// post is send, with a say in whether the message may get lost.
func (c *Core) post(peer string, m *Message, reliable bool, now time.Time) {
	s := c.sessions[peer]
	c.seq++
	m.Format, m.From, m.Boot, m.Seq, m.To = format, c.report.Name, c.report.Boot, c.seq, s.name
	m.Echo, m.Clock, m.Version, m.Heard = s.echoes(now), now.UnixMicro(), c.report.Version, c.hears(s.name, now)
	m.Time = c.source(now)
	s.noteSent(c.seq, now)
	c.out = append(c.out, Outgoing{peer, m, reliable})
}

// hears is what is known of the other nameservers, but for the one that is told.
func (c *Core) hears(to string, now time.Time) []Heard {
	var out []Heard
	for _, n := range c.nodes {
		if n.name == to || n.left || n.boot == 0 || now.Sub(n.heard) > lapse {
			continue
		}
		out = append(out, Heard{
			Name: n.name, Boot: n.boot, Seq: n.seq, Age: micros(now.Sub(n.heard)), Version: n.version, Direct: now.Sub(n.direct) <= lapse,
			RTT: micros(n.rtt), Skew: micros(n.skew),
		})
	}
	return out
}

// wants are the nameservers whose report is to be asked for at a peer.
// have are the versions at hand, 0 for none.
func (c *Core) wants(peer string, now time.Time) (want []string, have []uint64) {
	for _, n := range c.nodes {
		if n.due(now) && n.source(now) == c.sessions[peer].name {
			n.wanted, n.asked = now, n.asked+1
			want = append(want, n.name)
			have = append(have, n.at())
		}
	}
	return want, have
}

// reached are the nameservers whose word counts now, by name.
func (c *Core) reached() []*neighbour {
	var out []*neighbour
	for _, n := range c.nodes {
		if n.reached() {
			out = append(out, n)
		}
	}
	return out
}

// Standing is how this nameserver stands among the others now.
func (c *Core) Standing(now time.Time) failover.Standing {
	return failover.Standing{Quorum: c.quorum(now), Joined: c.joined, Skew: c.time.shift}
}

func (c *Core) quorum(now time.Time) bool {
	if !c.woken.IsZero() && now.Sub(c.woken) <= lapse {
		return false
	}
	return len(c.reached())+1 > c.size()/2 || c.survivor(now)
}

// size is how many observers there are: as many as are configured here, or more, if at least half of the nameservers that are
// known, this one among them, know of so many. Two majorities would else be made of different wholes. Yet one whose peers are
// wrong takes nobody else's quorum: at most its own, for it never goes by fewer than it knows of.
func (c *Core) size() int {
	own := len(c.options.Peers) + 1
	claims := []int{own}
	for _, n := range c.nodes {
		if n.report != nil {
			claims = append(claims, min(n.report.Size, maxNodes))
		}
	}
	slices.Sort(claims)
	return max(own, claims[len(claims)/2])
}

// survivor says that of two observers the other one is lost: it is silent here, and answers no DNS queries either. One
// that does is only cut off.
func (c *Core) survivor(now time.Time) bool {
	if len(c.options.Peers) != 1 || len(c.reached()) > 0 {
		return false
	}
	peer := c.options.Peers[0]
	silent, left := c.started, false // since when
	if n := c.find(c.sessions[peer].name); n != nil {
		silent, left = n.heard, n.left
	}
	return (left || now.Sub(silent) > lapse) && now.Sub(c.answered[peer]) > answerLife
}

// settle draws the conclusions from whatever changed: who is reached, what is agreed, whether the running decisions
// have been heard.
func (c *Core) settle(now time.Time) {
	c.noticeSet(now)
	wavering := slices.ContainsFunc(c.nodes, func(n *neighbour) bool { return n.wavers(now) })
	for _, n := range c.nodes {
		n.lapses(wavering, now)
	}
	c.keepTime(now)
	c.join(now)
	c.agree(now)
}

// join ends the wait for running decisions: every report is at hand; or a quorum of them, of which one is no joiner's;
// or the time is over.
func (c *Core) join(now time.Time) {
	if c.joined {
		return
	}
	reached := c.reached()
	running := slices.ContainsFunc(reached, func(n *neighbour) bool { return n.report.Joined })
	if len(reached) == len(c.options.Peers) || running && c.quorum(now) || now.Sub(c.started) >= joinWait {
		c.joined, c.unread = true, true
		c.rewrite(now)
	}
}

// Joined says that the wait for running decisions is over.
func (c *Core) Joined() bool { return c.joined }
