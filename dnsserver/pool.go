package dnsserver

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/livens/livens/failover"
	"github.com/miekg/dns"
)

// poolAnswer is one pool's decision, packed.
type poolAnswer struct {
	decision *failover.Decision
	ttl      uint32
	a, aaaa  rrset // nil: no address in that family
	debug    rrset
}

// debugLabel is the label below which a pool's answer name tells its decision.
const debugLabel = "_livens"

// poolSlot is what a node keeps of the pool that answers there: never 0.
func poolSlot(pool uint32, debug bool) uint32 {
	slot := pool<<1 + 2
	if debug {
		slot++
	}
	return slot
}

// pool is the pool that answers at the node, or nil.
func (v *served) pool(n node) *poolAnswer {
	slot := n.slot()
	if slot == 0 {
		return nil
	}
	return v.pools[slot>>1-1]
}

// rrset is the node's RRset of one type, the pool's where a pool answers.
func (v *served) rrset(n node, qtype uint16) rrset {
	if p := v.pool(n); p != nil {
		debug := n.slot()&1 == 1
		switch {
		case debug && qtype == dns.TypeTXT:
			return p.debug
		case !debug && qtype == dns.TypeA:
			return p.a
		case !debug && qtype == dns.TypeAAAA:
			return p.aaaa
		}
	}
	return n.rrset(qtype)
}

// any is the one RRset that stands for all of the node's (RFC 8482 section 4.1): a pool's before static ones, then the
// lowest type. nil when the node has none.
func (v *served) any(n node) rrset {
	for _, qtype := range [...]uint16{dns.TypeA, dns.TypeAAAA, dns.TypeTXT} {
		if p := v.pool(n); p == nil {
			break
		}
		if set := v.rrset(n, qtype); set != nil {
			return set
		}
	}
	if n.rrsets() == 0 {
		return nil
	}
	set := rrset(n.first())
	return set[:set.size()]
}

// packPool packs a decision. A decision's addresses are never empty, so one of a and aaaa always is.
func packPool(d *failover.Decision) *poolAnswer {
	return &poolAnswer{
		decision: d,
		ttl:      d.TTL,
		a:        packAddresses(dns.TypeA, d.TTL, d.Addresses),
		aaaa:     packAddresses(dns.TypeAAAA, d.TTL, d.Addresses),
		debug:    packDebug(d),
	}
}

// packAddresses packs the addresses of one family; nil when there are none.
func packAddresses(rtype uint16, ttl uint32, addrs []netip.Addr) rrset {
	set := appendSetHead(nil)
	count := 0
	for _, a := range addrs {
		if a.Is4() == (rtype == dns.TypeA) {
			set = appendRecord(set, rtype, ttl, a.AsSlice())
			count++
		}
	}
	if count == 0 {
		return nil
	}
	closeSet(set, count)
	return set
}

// packDebug packs the decision's active deployments, epoch and time as one TXT record, one string each.
func packDebug(d *failover.Decision) rrset {
	var rdata []byte
	add := func(s string) {
		s = s[:min(len(s), 255)]
		rdata = append(append(rdata, byte(len(s))), s...)
	}
	for _, name := range d.Active {
		add("active=" + name)
	}
	add(fmt.Sprintf("epoch=%d", d.Epoch))
	add("since=" + d.Since.UTC().Format(time.RFC3339))
	set := appendRecord(appendSetHead(nil), dns.TypeTXT, d.TTL, rdata)
	closeSet(set, 1)
	return set
}
