package zones

import (
	"fmt"

	"github.com/miekg/dns"
)

// hint is a record with address hints whose target lies outside the zone, or in a zone that it delegates.
type hint struct {
	file   string // as operators know it
	line   int
	target string // as it was written, canonical
	name   string // what aliases in the zone make of it
}

const (
	maxAliases = 16 // that are followed in a zone, and zones that are gone through
	hintsHint  = "remove ipv4hint and ipv6hint"
)

// checkHints refuses address hints that would pin clients to one deployment of a pool (RFC 9460 section 7.3). Targets
// outside the zone are left to conflicts.
func (c *semantics) checkHints(r record, svcb *dns.SVCB) {
	hinted := false
	for _, value := range svcb.Value {
		hinted = hinted || value.Key() == dns.SVCB_IPV4HINT || value.Key() == dns.SVCB_IPV6HINT
	}
	if !hinted {
		return
	}
	if name := lower(owner(r)); c.answered(name) {
		c.problemAt(false, r.at, hintsHint, "%s", hintsMessage(name, name))
		return
	}
	target, err := canonical(svcb.Target)
	if err != nil || target == "." {
		return
	}
	pooled, outside := c.leads(target)
	switch {
	case pooled != "":
		c.problemAt(false, r.at, hintsHint, "%s", hintsMessage(target, pooled))
	case outside != "":
		c.hints = append(c.hints, hint{c.shown(*r.at.file), int(r.at.line), target, outside})
	}
}

func hintsMessage(target, pooled string) string {
	alias := ""
	if target != pooled {
		alias = "an alias of " + pooled + ", "
	}
	return "address hints at " + target + ", " + alias + "where a pool answers: they would hold clients at a dead deployment"
}

// leads follows a name through this zone's aliases: to one that a pool answers for, or to one that another zone has.
// Both are empty where it ends at records or nowhere.
func (c *semantics) leads(name string) (pooled, outside string) {
	for range maxAliases {
		if !within(name, c.zone.Name) {
			return "", name
		}
		cut := c.hiddenBy(name)
		switch {
		case cut == nil && c.answered(name):
			return name, ""
		case cut == nil:
			name = aliasTarget(c.nodeFor(name))
		case cut.packed.Type() == dns.TypeNS:
			return "", name
		default:
			above := lower(owner(*cut))
			name, _ = canonical(name[:len(name)-len(above)] + cut.packed.RR().(*dns.DNAME).Target)
		}
		if name == "" {
			break
		}
	}
	return "", ""
}

// aliasTarget is where a node's CNAME leads, or "".
func aliasTarget(node []record) string {
	for _, r := range node {
		if r.packed.Type() == dns.TypeCNAME {
			target, _ := canonical(r.packed.RR().(*dns.CNAME).Target)
			return target
		}
	}
	return ""
}

// names makes a zone's names ready to be looked up.
func (z *Zone) names() *semantics {
	c := &semantics{builder: &builder{zone: z}, records: make([]record, len(z.Records)), answers: map[string]answerAt{}}
	var keys slab
	var key []byte
	apex := len(packName(z.Name))
	for i, p := range z.Records {
		key = appendKey(key[:0], p.WireOwner(), apex)
		c.records[i] = record{packed: p, key: keys.keep(key)}
	}
	for _, p := range z.Pools {
		for _, name := range p.Answers {
			c.answers[string(sortKey(nil, name, z.Name))] = answerAt{pool: poolAt{Pool: p}, name: name}
		}
	}
	return c
}

// findHints finds address hints whose target a pool of another zone answers for.
func (c *conflicts) findHints() {
	names := map[*candidate]*semantics{}
	for _, here := range c.candidates {
		v := c.version(here)
		if v == nil {
			continue
		}
		for _, h := range v.hints {
			if there, pooled := c.hinted(h, names); there != nil {
				c.blameHint(here, there, h, pooled)
			}
		}
	}
}

// hinted follows a hint's target from zone to zone.
func (c *conflicts) hinted(h hint, names map[*candidate]*semantics) (there *candidate, pooled string) {
	for name, steps := h.name, 0; steps < maxAliases; steps++ {
		at := c.zoneOf(name)
		if at == nil {
			break
		}
		if names[at] == nil {
			names[at] = c.zone(at).names()
		}
		pooled, outside := names[at].leads(name)
		if pooled != "" {
			return at, pooled
		}
		if outside == "" || outside == name {
			break
		}
		name = outside
	}
	return nil, ""
}

// zoneOf is the closest zone that has a name, or nil.
func (c *conflicts) zoneOf(name string) *candidate {
	for ; ; name = parent(name) {
		if at := c.zones[name]; at != nil || name == "." {
			return at
		}
	}
}

// blameHint blames the file with the hints, unless it was there before the pool.
func (c *conflicts) blameHint(here, there *candidate, h hint, pooled string) {
	among := []*candidate{here, there}
	if !c.written && c.changed(there) && !c.changed(here) || c.written && !c.refused(here) {
		message := fmt.Sprintf("a pool answers at %s, and %s line %d has address hints there: they would hold clients at a dead deployment",
			pooled, h.file, h.line)
		c.blame(there, among, "zone", "", message, "remove the hints in the same edit or before")
		return
	}
	c.accuse(here, among, Problem{File: h.file, Line: h.line, Message: hintsMessage(h.target, pooled), Hint: hintsHint})
}
