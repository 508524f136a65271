package dnsserver

import (
	"github.com/miekg/dns"
)

// targetOffset tells where a type's RDATA names a host whose addresses help whoever asked; -1: nowhere.
func targetOffset(rtype uint16) int {
	switch rtype {
	case dns.TypeNS:
		return 0
	case dns.TypeMX, dns.TypeSVCB, dns.TypeHTTPS:
		return 2
	case dns.TypeSRV:
		return 6
	}
	return -1
}

// additional puts the addresses of the hosts that set names, as far as this zone holds them. at is the label of the
// current name that set's owner starts at. In a referral the addresses of hosts below the cut come first and must all
// be there, or the response is truncated (RFC 9471); all others go in where they fit.
func (r *resolver) additional(set rrset, at int, referral bool) {
	rtype := set.rtype()
	off := targetOffset(rtype)
	if off < 0 {
		return
	}
	if referral {
		r.glue(set, at, true)
		if !r.result.truncated {
			r.glue(set, at, false)
		}
		return
	}
	for rest := set.records(); len(rest) > 0; {
		var rdata []byte
		rdata, rest = nextRecord(rest)
		target := &r.sc.target
		if target.parse(rdata, off) == 0 {
			continue
		}
		if target.labels == 0 && (rtype == dns.TypeSVCB || rtype == dns.TypeHTTPS) {
			target = r.current // RFC 9460 section 2.5: "." in ServiceMode is the owner
		}
		r.addresses(target)
		if rtype == dns.TypeSVCB || rtype == dns.TypeHTTPS {
			r.service(target, rtype)
		}
	}
}

// glue puts the addresses of a cut's servers: of those below the cut, or of the others.
func (r *resolver) glue(set rrset, at int, below bool) {
	cut := r.current.suffix(at)
	for rest := set.records(); len(rest) > 0; {
		var rdata []byte
		rdata, rest = nextRecord(rest)
		target := &r.sc.target
		if target.parse(rdata, 0) == 0 || target.under(cut, r.current.labels-at) != below {
			continue
		}
		if !r.addresses(target) && below {
			r.result.truncated = true
			return
		}
	}
}

// under reports whether n is the name suffix, of that many labels, or lies below it.
func (n *name) under(suffix []byte, labels int) bool {
	return n.labels >= labels && string(n.suffix(n.labels-labels)) == string(suffix)
}

// addresses puts a host's A and AAAA; false when one of them did not fit.
func (r *resolver) addresses(host *name) bool {
	nd := r.host(host)
	if nd == nil || !r.once(host.hash[0]) {
		return true
	}
	ok := true
	for _, rtype := range [...]uint16{dns.TypeA, dns.TypeAAAA} {
		if set := r.zone.rrset(nd, rtype); set != nil {
			ok = r.sc.w.rrset(additionalSection, host, 0, set, set.ttl()) && ok
		}
	}
	return ok
}

// service puts the SVCB or HTTPS records that an alias form leads to (RFC 9460 section 4.1).
func (r *resolver) service(target *name, rtype uint16) {
	if target.hash[0] == r.current.hash[0] {
		return
	}
	if nd := r.host(target); nd != nil && r.once(target.hash[0]+uint64(rtype)) {
		if set := nd.rrset(rtype); set != nil {
			r.sc.w.rrset(additionalSection, target, 0, set, set.ttl())
		}
	}
}

// host is the node, glue below a cut included, that holds a host's addresses in this zone, or nil.
func (r *resolver) host(host *name) node {
	z := r.zone
	if !host.under(z.apex, z.labels) {
		return nil
	}
	if nd := z.find(host, 0); nd != nil {
		return nd
	}
	if kind, nd, _ := z.lookup(host); kind == matchWildcard {
		return nd
	}
	return nil
}

// once reports whether this is the first time that h is met in this response. What no longer fits into its memory is
// taken for new: only RRsets of more than 64 hosts get there, and a host that one names twice is then told twice.
func (r *resolver) once(h uint64) bool {
	for _, old := range r.sc.added {
		if old == h {
			return false
		}
	}
	if len(r.sc.added) < cap(r.sc.added) {
		r.sc.added = append(r.sc.added, h)
	}
	return true
}
