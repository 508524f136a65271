package dnsserver

import (
	"github.com/miekg/dns"
)

// maxChain is how many aliases one response holds; a resolver asks on where they end.
const maxChain = 5

// resolver walks from the question through this server's zones to what answers it (RFC 1034 section 4.3.2).
type resolver struct {
	s       *snapshot
	sc      *scratch
	zone    *served
	current *name // the question's name, or the target of the last alias
	aliases int
	result  result
}

func (s *snapshot) resolve(sc *scratch) result {
	n, zone := &sc.request.question, sc.request.zone
	if zone == nil {
		return result{rcode: dns.RcodeRefused, ede: edeNotAuth}
	}
	if sc.request.qtype == dns.TypeDS && zone.labels == n.labels && n.labels > 0 {
		zone = s.parent(n, zone)
	}
	sc.outcome.zone = zone
	r := resolver{s: s, sc: sc, zone: zone, current: n}
	r.result.authoritative = true
	for r.step() {
	}
	return r.result
}

// parent is the zone that answers for DS at its child's apex: the parent, when this server has it and it delegates the
// child (RFC 4035 section 3.1.4.1).
func (s *snapshot) parent(n *name, child *served) *served {
	above := s.zone(n, 1)
	if above == nil {
		return child
	}
	if kind, _, _ := above.lookup(n); kind != matchCut {
		return child
	}
	return above
}

// step answers for the current name; true when an alias led to another one.
func (r *resolver) step() bool {
	r.sc.w.serial = r.zone.serial
	kind, nd, at := r.zone.lookup(r.current)
	switch kind {
	case matchCut:
		if at > 0 || r.sc.request.qtype != dns.TypeDS {
			r.referral(nd, at)
			return false
		}
		return r.node(nd)
	case matchDNAME:
		return r.dname(nd, at)
	case matchNone:
		r.result.rcode = dns.RcodeNameError
		r.negative(r.zone.negTTL)
		return false
	}
	return r.node(nd)
}

// node answers from a node that the current name has, or that a wildcard lends it (RFC 4592).
func (r *resolver) node(nd node) bool {
	qtype := r.sc.request.qtype
	var set rrset
	if qtype == dns.TypeANY {
		set = r.zone.any(nd)
	} else {
		set = r.zone.rrset(nd, qtype)
	}
	switch {
	case set != nil:
		if r.put(answerSection, 0, set) {
			r.additional(set, 0, false)
		}
		return false
	case nd.flags()&flagCNAME != 0 && qtype != dns.TypeANY:
		if r.aliases == maxChain {
			return false
		}
		set = nd.rrset(dns.TypeCNAME)
		if !r.put(answerSection, 0, set) {
			return false
		}
		target, _ := nextRecord(set.records())
		return r.follow(target)
	}
	ttl := r.zone.negTTL
	if p := r.zone.pool(nd); p != nil {
		ttl = min(ttl, p.ttl)
	}
	r.negative(ttl)
	return false
}

// negative puts the SOA that makes NXDOMAIN and NODATA cacheable (RFC 2308 section 3).
func (r *resolver) negative(ttl uint32) {
	at := r.current.labels - r.zone.labels
	if !r.sc.w.rrset(authoritySection, r.current, at, r.zone.soa, ttl) {
		r.result.truncated = true
	}
}

// put writes an RRset that the response needs, owned by the current name's suffix from label at on.
func (r *resolver) put(sec section, at int, set rrset) bool {
	if r.sc.w.rrset(sec, r.current, at, set, set.ttl()) {
		return true
	}
	r.result.truncated = true
	return false
}

// referral points to the servers of a delegated zone. It is not authoritative unless an alias led to it.
func (r *resolver) referral(nd node, at int) {
	if r.aliases == 0 {
		r.result.authoritative = false
	}
	set := nd.rrset(dns.TypeNS)
	if r.put(authoritySection, at, set) {
		r.additional(set, at, true)
	}
}

// dname puts a DNAME, and the CNAME that it means for the current name (RFC 6672 section 3).
func (r *resolver) dname(nd node, at int) bool {
	set := nd.rrset(dns.TypeDNAME)
	if r.aliases == maxChain {
		return false
	}
	// A chain that meets a DNAME again does not repeat it: an RRset is in a response once (RFC 2181 section 5).
	if r.once(r.current.hash[at]+uint64(dns.TypeDNAME)) && !r.put(answerSection, at, set) {
		return false
	}
	target, _ := nextRecord(set.records())
	spelled := r.sc.spelled[:]
	size := copy(spelled, r.current.relative(0, at))
	size += copy(spelled[size:], target)
	if size > maxName {
		r.result.rcode = dns.RcodeYXDomain
		return false
	}
	if !r.sc.w.cname(r.current, spelled[:size], set.ttl()) {
		r.result.truncated = true
		return false
	}
	if r.sc.request.qtype == dns.TypeCNAME {
		return false
	}
	return r.follow(spelled[:size])
}

// follow goes on at an alias's target while that lies in one of this server's zones and the chain is no loop. Otherwise
// the response ends here, without error: the resolver knows where to go on.
func (r *resolver) follow(target []byte) bool {
	r.sc.seen[r.aliases] = r.current.hash[0]
	r.aliases++
	next := &r.sc.chain[r.aliases&1]
	if next.parse(target, 0) == 0 {
		return false
	}
	for _, h := range r.sc.seen[:r.aliases] {
		if h == next.hash[0] {
			return false
		}
	}
	zone := r.s.zone(next, 0)
	if zone == nil {
		return false
	}
	r.current, r.zone = next, zone
	return true
}
