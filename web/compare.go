package web

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Comparison tells which nameserver holds which data.
type Comparison struct {
	Same        bool       `json:"same"` // all nameservers are reached, and hold the same
	Nameservers []string   `json:"nameservers"`
	Unknown     []string   `json:"unknown"` // those that are not reached: what they hold now is not known
	Zones       []Compared `json:"zones"`
	Pools       []Compared `json:"pools"`
}

// Compared is a zone or a pool, as the reached nameservers hold it.
type Compared struct {
	Name  string    `json:"name"`
	Same  bool      `json:"same"`
	What  string    `json:"differs,omitempty"` // what is not the same: "data", "serial", "definition", "answer" or "missing"
	Since time.Time `json:"since,omitzero"`    // when it began, as far as this nameserver knows
	Held  []Held    `json:"held"`              // by each of Nameservers, in that order
}

// Held is what one nameserver holds.
type Held struct {
	Nameserver  string   `json:"nameserver"`
	Missing     bool     `json:"missing,omitempty"`
	Hash        string   `json:"hash"`             // of a zone's data, or of a pool's definition
	Serial      uint32   `json:"serial,omitempty"` // of a zone
	Active      []string `json:"active,omitempty"` // of a pool, as the next two
	Epoch       uint64   `json:"epoch,omitempty"`
	Provisional bool     `json:"provisional,omitempty"`

	since time.Time
}

// Compare says which reached nameserver holds which data. It wants a Cluster.
func (s *Status) Compare() *Comparison {
	c := &Comparison{Nameservers: []string{s.Name}, Unknown: []string{}, Zones: []Compared{}, Pools: []Compared{}}
	zones, pools := map[string][]Held{}, map[string][]Held{}
	within := map[string]string{} // a pool's zone
	for _, z := range s.Zones {
		zones[z.Name] = append(zones[z.Name], Held{Nameserver: s.Name, Hash: z.Hash, Serial: z.Serial})
	}
	for i := range s.Pools {
		p := &s.Pools[i]
		within[p.Pool] = p.Zone
		pools[p.Pool] = append(pools[p.Pool], Held{Nameserver: s.Name, Hash: p.Definition, Active: p.Active, Epoch: p.Epoch, Provisional: p.Provisional})
	}
	for i := range s.Cluster.Peers {
		p := &s.Cluster.Peers[i]
		if !p.Reached {
			c.Unknown = append(c.Unknown, p.Title())
			continue
		}
		c.Nameservers = append(c.Nameservers, p.Name)
		for _, z := range p.Zones {
			zones[z.Zone] = append(zones[z.Zone], Held{Nameserver: p.Name, Hash: z.Hash, Serial: z.Serial, since: z.Apart})
		}
		for _, x := range p.Pools {
			pools[x.Pool] = append(pools[x.Pool], Held{Nameserver: p.Name, Hash: x.Definition, Active: x.Active, Epoch: x.Epoch, Provisional: x.Provisional, since: x.Apart})
		}
	}
	c.Zones, c.Pools = c.all(zones, "data"), c.all(pools, "definition")
	for i := range c.Pools {
		c.Pools[i].dated(within, c.Zones)
	}
	differs := func(x Compared) bool { return !x.Same }
	c.Same = len(c.Unknown) == 0 && !slices.ContainsFunc(c.Zones, differs) && !slices.ContainsFunc(c.Pools, differs)
	return c
}

// all compares what is held under each name.
func (c *Comparison) all(table map[string][]Held, hash string) []Compared {
	out := []Compared{}
	for name, held := range table {
		x := Compared{Name: name}
		for _, who := range c.Nameservers {
			i := slices.IndexFunc(held, func(h Held) bool { return h.Nameserver == who })
			if i < 0 {
				x.Held = append(x.Held, Held{Nameserver: who, Missing: true})
				continue
			}
			x.Held = append(x.Held, held[i])
		}
		x.judge(hash)
		out = append(out, x)
	}
	slices.SortFunc(out, func(a, b Compared) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// judge says whether all hold the same, and if not what is not and since when.
func (x *Compared) judge(hash string) {
	first := x.Held[0]
	for _, h := range x.Held {
		if !h.since.IsZero() && (x.Since.IsZero() || h.since.Before(x.Since)) {
			x.Since = h.since
		}
		what := ""
		switch {
		case h.Missing || first.Missing:
			what = "missing"
		case h.Hash != first.Hash:
			what = hash
		case h.Serial != first.Serial:
			what = "serial"
		case h.Epoch != first.Epoch || !slices.Equal(h.Active, first.Active):
			what = "answer"
		}
		if h.Nameserver != first.Nameserver {
			x.What = cmp.Or(x.What, what)
		}
	}
	if x.Same = x.What == ""; x.Same {
		x.Since = time.Time{}
	}
}

// dated gives a pool whose definition differs the time since when its zone does.
func (x *Compared) dated(within map[string]string, zones []Compared) {
	if x.Same || !x.Since.IsZero() {
		return
	}
	for _, z := range zones {
		if z.Name == within[x.Name] {
			x.Since = z.Since
		}
	}
}

// Group is what several nameservers hold alike, in words.
type Group struct {
	Nameservers []string
	What        string
}

// Groups puts nameservers together that hold the same.
func (x *Compared) Groups() []Group {
	var out []Group
	for i := range x.Held {
		h := &x.Held[i]
		what := h.words(x.What == "definition")
		if at := slices.IndexFunc(out, func(g Group) bool { return g.What == what }); at >= 0 {
			out[at].Nameservers = append(out[at].Nameservers, h.Nameserver)
			continue
		}
		out = append(out, Group{[]string{h.Nameserver}, what})
	}
	return out
}

// words are what is held: "data 3f2a9c1b, serial 1795346231" or "redundant, epoch 17".
func (h *Held) words(definition bool) string {
	switch {
	case h.Missing:
		return "nothing"
	case len(h.Active) == 0:
		return fmt.Sprintf("data %.8s, serial %d", h.Hash, h.Serial)
	}
	words := fmt.Sprintf("%s, epoch %d", strings.Join(h.Active, " "), h.Epoch)
	if h.Provisional {
		words += ", provisional"
	}
	if definition {
		words += fmt.Sprintf(", definition %.8s", h.Hash)
	}
	return words
}
