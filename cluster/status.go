package cluster

import (
	"slices"
	"time"

	"github.com/livens/livens/checker"
)

// Status is what this nameserver knows of the others at one moment.
type Status struct {
	Size     int           `json:"size"`           // observers that are configured, this one among them
	Reach    int           `json:"reach"`          // of them reached now, this one among them
	Quorum   bool          `json:"quorum"`         // these decide: a majority, or the survivor of two
	Joined   bool          `json:"joined"`         // the running decisions were heard, or the wait for them is over
	Skew     time.Duration `json:"-"`              // the time that the cluster goes by minus this host's clock
	Offset   float64       `json:"clock_offset"`   // Skew in seconds
	Mute     string        `json:"mute,omitempty"` // why the cluster's sockets cannot be bound
	Teller   string        `json:"teller"`         // who tells hooks now; "": nobody, for want of a quorum
	Self     *Report       `json:"-"`
	Faults   []Fault       `json:"faults,omitempty"` // what was refused
	Sent     uint64        `json:"sent"`             // bytes on the cluster's sockets since the start
	Received uint64        `json:"received"`         // likewise
	Peers    []Peer        `json:"peers"`            // in the order of the configuration
}

// Peer is one of the other nameservers, as it is known here.
type Peer struct {
	Address string     `json:"address"`        // as configured
	Name    string     `json:"name,omitempty"` // "" until it has spoken
	Site    string     `json:"site,omitempty"`
	Version string     `json:"version,omitempty"` // of livens
	Witness bool       `json:"witness,omitempty"`
	Reached bool       `json:"reached"`           // its votes count
	Via     string     `json:"via,omitempty"`     // the nameserver through which it is heard; "": directly
	Left    bool       `json:"left,omitempty"`    // it said that it stops
	Cut     bool       `json:"cut_off,omitempty"` // silent here, and answering DNS queries
	Since   time.Time  `json:"since,omitzero"`    // since when it has been reached; zero: it is not
	Heard   time.Time  `json:"heard,omitzero"`    // the last sign of life
	RTT     float64    `json:"rtt"`               // seconds; 0: not measured
	Offset  float64    `json:"clock_offset"`      // seconds that its clock is ahead of this host's
	Doubt   string     `json:"self_doubt,omitempty"`
	Answers string     `json:"answers,omitempty"` // what its DNS answers lack: "no answer for 3 s", "chat: 198.51.100.20, should be 203.0.113.10"
	Error   string     `json:"error,omitempty"`   // why it cannot be reached, by the transport's word
	Pools   []PeerPool `json:"pools"`
	Zones   []PeerZone `json:"zones"`
	report  *Report
}

// PeerPool is what a nameserver answers for a pool.
type PeerPool struct {
	Pool        string    `json:"pool"`
	Active      []string  `json:"active"`
	Epoch       uint64    `json:"epoch"`
	Provisional bool      `json:"provisional,omitempty"`
	Definition  string    `json:"definition"`     // equal where the pool is defined alike
	Apart       time.Time `json:"apart,omitzero"` // since when it differs from this nameserver's decision
}

// PeerZone is which data a nameserver has for a zone.
type PeerZone struct {
	Zone   string    `json:"zone"`
	Hash   string    `json:"hash"`
	Serial uint32    `json:"serial"`
	Apart  time.Time `json:"apart,omitzero"` // since when its data differs from this nameserver's, or is missing here
}

// Status is the present one.
func (c *Core) Status(now time.Time) *Status {
	skew := c.time.shift
	s := &Status{
		Size: len(c.options.Peers) + 1, Reach: len(c.reached()) + 1, Quorum: c.quorum(now), Joined: c.joined,
		Skew: skew, Offset: skew.Seconds(), Teller: c.Teller(now), Self: c.report,
	}
	for _, address := range c.options.Peers {
		s.Peers = append(s.Peers, c.peer(address, now))
	}
	return s
}

func (c *Core) peer(address string, now time.Time) Peer {
	p := Peer{Address: address, Cut: now.Sub(c.answered[address]) <= answerLife}
	n := c.behind(address)
	if n == nil {
		return p
	}
	p.Name = n.name
	p.Reached, p.Left, p.Heard, p.Since = n.reached(), n.left, n.heard, n.since
	if now.Sub(n.direct) > lapse {
		p.Via = n.via
	}
	p.Cut = p.Cut && !p.Reached
	p.RTT, p.Offset = n.rtt.Seconds(), n.skew.Seconds()
	if r := n.report; r != nil {
		p.report, p.Site, p.Version, p.Witness, p.Doubt = r, r.Site, r.Livens, r.Witness, r.Doubt
		for _, pool := range names(r.Held) {
			d := r.Held[pool]
			p.Pools = append(p.Pools, PeerPool{pool, d.Active, d.Epoch, d.Provisional, d.Definition, c.apart[n.name+" "+pool]})
		}
		for _, zone := range names(r.Zones) {
			p.Zones = append(p.Zones, PeerZone{zone, r.Zones[zone].Hash, r.Zones[zone].Serial, c.apart[n.name+" zone "+zone]})
		}
	}
	return p
}

// behind is the nameserver at a configured peer: the one that spoke from there or, where only others hear it, the one that
// says it is there; or nil.
func (c *Core) behind(address string) *neighbour {
	if name := c.sessions[address].name; name != "" {
		return c.find(name)
	}
	i := slices.IndexFunc(c.nodes, func(n *neighbour) bool { return n.report != nil && n.report.Address == address })
	if i < 0 {
		return nil
	}
	return c.nodes[i]
}

// Teller is the nameserver that tells hooks now: the first by name of those who reach a quorum; "" without one.
func (c *Core) Teller(now time.Time) string {
	if !c.quorum(now) || !c.joined {
		return ""
	}
	first := c.report.Name
	for _, n := range c.reached() {
		if n.name < first && n.report.Joined {
			first = n.name
		}
	}
	return first
}

// Votes are what the reached observers say of one target, by name; this one's own among them.
func (s *Status) Votes(key string) map[string]Vote {
	out := map[string]Vote{}
	add := func(r *Report) {
		if v, ok := r.Votes[key]; ok && v.State != checker.Unknown {
			out[r.Name] = v
		}
	}
	add(s.Self)
	for _, p := range s.Peers {
		if p.Reached {
			add(p.report)
		}
	}
	return out
}
