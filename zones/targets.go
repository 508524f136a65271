package zones

import (
	"strings"

	"github.com/miekg/dns"
)

// checkRecord checks what one visible record says about other names.
func (c *semantics) checkRecord(r record) {
	switch r.packed.Type() {
	case dns.TypeA, dns.TypeAAAA, dns.TypeTXT:
		return
	}
	switch rr := r.packed.RR().(type) {
	case *dns.NS:
		c.checkNS(r, rr)
	case *dns.MX:
		c.checkTarget(r, rr.Mx)
	case *dns.SRV:
		c.checkTarget(r, rr.Target)
	case *dns.CNAME:
		c.checkCNAMETarget(r, rr.Target)
	case *dns.SVCB:
		c.checkHints(r, rr)
	case *dns.HTTPS:
		c.checkHints(r, &rr.SVCB)
	case *dns.DS:
		if node := findNode(c.records, r.key); !c.partial && !hasType(node, dns.TypeNS) || r.key == "" {
			c.problemAt(true, r.at, "it belongs to a delegation, in the parent zone", "%s has a DS record and no delegation", owner(r))
		}
	case *dns.RRSIG, *dns.NSEC, *dns.NSEC3, *dns.NSEC3PARAM:
		if !c.signed {
			c.signed = true
			c.problemAt(true, r.at, "", "DNSSEC records are served as plain data: livens adds no signature to an answer")
		}
	}
}

// checkNS wants a nameserver inside the zone to have an address. An apex nameserver is found through nothing else.
func (c *semantics) checkNS(r record, ns *dns.NS) {
	target, err := canonical(ns.Ns)
	if err != nil || !within(target, c.zone.Name) || c.hasAddress(target) {
		return
	}
	hint := "add its A or AAAA record"
	if doubled(target, c.zone.Name) {
		hint = "add a final dot if the name is complete"
	}
	switch {
	case c.isAlias(target):
		c.problemAt(r.key != "", r.at, "a nameserver's name must not be an alias (RFC 2181 section 10.3)", "nameserver %s is a CNAME", target)
	case c.partial:
	case r.key != "":
		c.problemAt(true, r.at, hint, "%s: nameserver %s has no address in this zone", owner(r), target)
	case c.hiddenBy(target) != nil:
		c.problemAt(true, r.at, "add its A or AAAA record as glue", "nameserver %s is below a delegation and has no glue", target)
	default:
		c.problemAt(false, r.at, hint, "nameserver %s is in this zone and has no address", target)
	}
}

// checkTarget warns of MX and SRV targets in the zone that lead nowhere.
func (c *semantics) checkTarget(r record, written string) {
	target, err := canonical(written)
	if err != nil || target == "." || !within(target, c.zone.Name) || c.hasAddress(target) || c.hiddenBy(target) != nil {
		return
	}
	t := dns.Type(r.packed.Type())
	if c.isAlias(target) {
		c.problemAt(true, r.at, "use the CNAME's target (RFC 2181 section 10.3)", "%s %s: %s is a CNAME", owner(r), t, target)
		return
	}
	if c.partial {
		return
	}
	hint := ""
	if doubled(target, c.zone.Name) {
		hint = "add a final dot if the name is complete"
	}
	c.problemAt(true, r.at, hint, "%s %s: %s has no address in this zone", owner(r), t, target)
}

func (c *semantics) checkCNAMETarget(r record, written string) {
	target, err := canonical(written)
	if err != nil || !within(target, c.zone.Name) || c.hiddenBy(target) != nil {
		return
	}
	switch {
	case target == lower(owner(r)):
		c.problemAt(false, r.at, "", "%s is an alias of itself", target)
	case !c.partial && len(c.nodeFor(target)) == 0 && !c.exists(target) && !c.answered(target):
		c.problemAt(true, r.at, "", "%s is an alias of %s, which does not exist", owner(r), target)
	}
}

// hasAddress says whether a name has an address in this zone: records, a pool, glue or through a wildcard.
func (c *semantics) hasAddress(name string) bool {
	return c.answered(name) || hasType(c.nodeFor(name), dns.TypeA, dns.TypeAAAA)
}

func (c *semantics) isAlias(name string) bool { return hasType(c.nodeFor(name), dns.TypeCNAME) }

// exists says whether a name exists, if only for what is below it (RFC 4592 section 2.2.2).
func (c *semantics) exists(name string) bool {
	key := string(sortKey(nil, name, c.zone.Name))
	if nodeExists(c.records, key) {
		return true
	}
	for answer := range c.answers {
		if strings.HasPrefix(answer, key) {
			return true
		}
	}
	return false
}

// covering is the name that answers for a name: itself if it exists, or might, else the wildcard at its closest
// encloser, which need not exist either.
func (c *semantics) covering(name string) string {
	if c.partial || c.exists(name) {
		return name
	}
	for at := parent(name); ; at = parent(at) {
		if at == c.zone.Name || c.exists(at) {
			return "*." + strings.TrimPrefix(at, ".")
		}
	}
}

// nodeFor returns the records that answer for a name.
func (c *semantics) nodeFor(name string) []record {
	return findNode(c.records, string(sortKey(nil, c.covering(name), c.zone.Name)))
}

// answered says whether a pool answers for a name.
func (c *semantics) answered(name string) bool {
	_, ok := c.answers[string(sortKey(nil, c.covering(name), c.zone.Name))]
	return ok
}
