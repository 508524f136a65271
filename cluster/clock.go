package cluster

import (
	"slices"
	"time"
)

// Source is whose time a nameserver goes by: orders begin and end by it, everywhere at once. Where most of the configured
// observers' clocks agree it is theirs. Where they do not, as when one of two is an hour off, nobody can tell who is right; then
// what counts is that the time which orders were given by goes on: whoever joins takes it over.
type Source struct {
	Name  string `json:"name,omitempty"` // by whose clock; "": by most of the clocks
	Boot  uint64 `json:"boot,omitempty"` // of that nameserver's process
	Age   int64  `json:"age"`            // microseconds for which the sender, and those it took it over from, have gone by it
	Shift int64  `json:"shift"`          // microseconds that this time is ahead of the sender's clock
}

// timing is a Source as it is kept here.
type timing struct {
	name  string
	boot  uint64
	since time.Time     // by this host's clock
	guide string        // the nameserver from whom it is taken over, as long as that one is heard; ""
	shift time.Duration // ahead of this host's clock
}

// sameAge is how little older a source may be to count as equally old: those that start together hear of each other later.
const sameAge = time.Second

// before says that a is to be gone by rather than b. All nameservers say the same of two.
func (a timing) before(b timing) bool {
	switch apart := a.since.Sub(b.since); {
	case a.name == b.name && a.boot == b.boot:
		return false
	case a.name == "" || b.name == "":
		return a.name == ""
	case abs(apart) > sameAge:
		return apart < 0
	}
	return a.name < b.name
}

// keepTime brings up to date whose time is gone by.
func (c *Core) keepTime(now time.Time) {
	if shift, ok := c.commonClock(); ok {
		if c.time.name != "" {
			c.time = timing{since: now}
		}
		c.time.guide, c.time.shift = "", shift
		return
	}
	for _, n := range c.nodes {
		if n.alive(now) && n.timing.before(c.time) && !n.timing.since.IsZero() {
			c.time = n.timing
			c.time.guide = n.name
		}
	}
	if c.time.guide == "" {
		return
	}
	guide := c.find(c.time.guide)
	if guide == nil || !guide.alive(now) || guide.timing.name != c.time.name || guide.timing.boot != c.time.boot {
		c.time.guide = "" // its time goes on
		return
	}
	c.time.shift = bounded(guide.skew + guide.timing.shift)
}

// commonClock is the median of the clocks that agree, less this host's, if they are most of those configured. Whoever was ever
// heard counts, also while silent.
func (c *Core) commonClock() (time.Duration, bool) {
	all := []time.Duration{0}
	for _, n := range c.nodes {
		if n.rtt > 0 {
			all = append(all, n.skew)
		}
	}
	slices.Sort(all)
	var agreeing []time.Duration // the most; where there are several such, the first, which is the same everywhere
	for _, x := range all {
		near := slices.DeleteFunc(slices.Clone(all), func(y time.Duration) bool { return abs(x-y) > skewLimit })
		if len(near) > len(agreeing) {
			agreeing = near
		}
	}
	return median(agreeing), 2*len(agreeing) > len(c.options.Peers)+1
}

// median is, of an even number, the mean of the middle two, so that two nameservers meet halfway.
func median(sorted []time.Duration) time.Duration {
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// source is what the others are told. The time of most clocks has no age.
func (c *Core) source(now time.Time) *Source {
	s := &Source{Name: c.time.name, Boot: c.time.boot, Shift: micros(c.time.shift)}
	if s.Name != "" {
		s.Age = micros(min(max(0, now.Sub(c.time.since)), maxSkew))
	}
	return s
}

// timed notes whose time a nameserver goes by.
func (n *neighbour) timed(s *Source, now time.Time) {
	if s != nil {
		age := time.Duration(s.Age)*time.Microsecond + n.rtt/2
		n.timing = timing{name: s.Name, boot: s.Boot, since: now.Add(-age), shift: time.Duration(s.Shift) * time.Microsecond}
	}
}

// noticeSet notices that this host's clock was set since the last reading: a time that comes with it runs on as before. All that
// was measured by it is put right at once, or orders would begin and end by the new clock until it is measured again.
func (c *Core) noticeSet(now time.Time) {
	before := c.read
	c.read = now
	by := now.Round(0).Sub(before.Round(0)) - now.Sub(before)
	if before.IsZero() || abs(by) <= skewStep {
		return
	}
	for _, s := range c.sessions {
		for i := range s.ways {
			s.ways[i].skew = bounded(s.ways[i].skew - by)
		}
	}
	for _, n := range c.nodes {
		n.skew = bounded(n.skew - by)
	}
	c.time.shift = bounded(c.time.shift - by)
}
