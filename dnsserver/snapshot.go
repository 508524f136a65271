package dnsserver

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/livens/livens/failover"
	"github.com/livens/livens/zones"
	"github.com/miekg/dns"
)

// snapshot is everything that the query path reads. It is immutable; a new one takes its place as a whole.
type snapshot struct {
	*settings
	table  *zoneTable // nil before the first publication
	served []*served  // by the table's numbers
}

// served is one zone with what changes faster than its data.
type served struct {
	*zone
	id     int    // of its counters: stable for a zone name as long as the server runs
	serial uint32 // of the SOA; 0: what the data say
	pools  []*poolAnswer
}

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
	set := appendSetHead(nil, rtype, ttl)
	count := 0
	for _, a := range addrs {
		if a.Is4() == (rtype == dns.TypeA) {
			set = appendRecord(set, a.AsSlice())
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
	set := appendRecord(appendSetHead(nil, dns.TypeTXT, d.TTL), rdata)
	closeSet(set, 1)
	return set
}

// next is the snapshot after a publication. Zones whose data did not change keep what was compiled of them, and pools
// whose decision did not change keep what was packed. The error tells which records or zones could not be compiled.
func (s *snapshot) next(pub failover.Publication, zoneID func(string) int) (*snapshot, error) {
	if s.table != nil && s.table.set == pub.Set {
		return s.switched(pub), nil
	}
	old := map[*zones.Zone]*served{}
	for _, v := range s.served {
		old[v.source] = v
	}
	var problems []error
	var list []*served
	for _, source := range pub.Set.Zones {
		compiled := old[source]
		if compiled == nil {
			z, err := compile(source, s.config.DebugNames)
			if err != nil {
				problems = append(problems, err)
			}
			if z == nil {
				continue
			}
			compiled = &served{zone: z, id: zoneID(source.Name)}
		}
		list = append(list, compiled.refreshed(pub))
	}
	return &snapshot{s.settings, newZoneTable(pub.Set, list), list}, errors.Join(problems...)
}

// switched is the snapshot after a publication of the same Set: only what the decisions and serials changed is new.
func (s *snapshot) switched(pub failover.Publication) *snapshot {
	list := slices.Clone(s.served)
	for i, v := range list {
		list[i] = v.refreshed(pub)
	}
	return &snapshot{s.settings, s.table, list}
}

// refreshed is v with the publication's serial and decisions: v itself when they are what it has.
func (v *served) refreshed(pub failover.Publication) *served {
	serial := pub.Serials[v.source.Name]
	if v.source.FixedSerial {
		serial = 0
	}
	fresh := len(v.pools) == len(v.source.Pools) && serial == v.serial
	for i := 0; fresh && i < len(v.pools); i++ {
		fresh = v.pools[i].decision == pub.Decisions[v.source.Pools[i].Name]
	}
	if fresh {
		return v
	}
	next := &served{zone: v.zone, id: v.id, serial: serial, pools: make([]*poolAnswer, len(v.source.Pools))}
	for i, p := range v.source.Pools {
		d := pub.Decisions[p.Name]
		if i < len(v.pools) && v.pools[i].decision == d {
			next.pools[i] = v.pools[i]
			continue
		}
		next.pools[i] = packPool(d)
	}
	return next
}

// withSettings is s under other settings.
func (s *snapshot) withSettings(set *settings) *snapshot { return &snapshot{set, s.table, s.served} }

// zoneTable finds zones by the hash of their names: an open-addressing table, at most half full.
type zoneTable struct {
	set       *zones.Set
	slots     []int32 // the zone's number in snapshot.served, from 1; 0 is a free slot
	maxLabels int     // of a zone's name
}

func newZoneTable(set *zones.Set, list []*served) *zoneTable {
	size := 4
	for size < 2*len(list) {
		size *= 2
	}
	t := &zoneTable{set: set, slots: make([]int32, size)}
	for i, v := range list {
		slot := int(v.hash) & (size - 1)
		for t.slots[slot] != 0 {
			slot = (slot + 1) & (size - 1)
		}
		t.slots[slot] = int32(i + 1)
		t.maxLabels = max(t.maxLabels, v.labels)
	}
	return t
}

// zone is the served zone with the longest name that is a suffix of n from label i on, or nil.
func (s *snapshot) zone(n *name, i int) *served {
	mask := len(s.table.slots) - 1
	for i = max(i, n.labels-s.table.maxLabels); i <= n.labels; i++ {
		h := n.hash[i]
		for slot := int(h) & mask; s.table.slots[slot] != 0; slot = (slot + 1) & mask {
			v := s.served[s.table.slots[slot]-1]
			if v.hash == h && string(v.apex) == string(n.suffix(i)) {
				return v
			}
		}
	}
	return nil
}

// settings is what answers depend on besides zones and decisions.
type settings struct {
	config   zones.DNSConfig
	hostname string // CHAOS hostname.bind
	cookies  *cookieJar
	now      func() time.Time // read only where a query carries a cookie
}
