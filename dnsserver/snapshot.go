package dnsserver

import (
	"errors"
	"slices"
	"time"

	"github.com/livens/livens/failover"
	"github.com/livens/livens/zones"
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

// next is the snapshot after a publication. Zones whose data did not change keep what was compiled of them, those that are ready need
// no more, and pools whose decision did not change keep what was packed. The error tells which records or zones could not be compiled.
func (s *snapshot) next(pub failover.Publication, ready prepared, zoneID func(string) int) (*snapshot, error) {
	if s.table != nil && s.table.set == pub.Set {
		return s.switched(pub), nil
	}
	old, ready := s.bySource(), s.prepare(pub.Set, ready)
	var problems []error
	var list []*served
	for _, source := range pub.Set.Zones {
		v := old[source]
		if v == nil {
			made := ready[source]
			if made.err != nil {
				problems = append(problems, made.err)
			}
			if made.zone == nil {
				continue
			}
			v = &served{zone: made.zone, id: zoneID(source.Name)}
		}
		list = append(list, v.refreshed(pub))
	}
	return &snapshot{s.settings, newZoneTable(pub.Set, list), list}, errors.Join(problems...)
}

// switched is the snapshot after a publication of the same Set: it copies pointers, and makes what the publication names.
func (s *snapshot) switched(pub failover.Publication) *snapshot {
	list := slices.Clone(s.served)
	own := func(i int) *served { // the zone's, to be written to
		if list[i] == s.served[i] {
			next := *s.served[i]
			next.pools = slices.Clone(next.pools)
			list[i] = &next
		}
		return list[i]
	}
	for name, d := range pub.Decisions {
		if at, known := s.table.pools[name]; known && s.served[at.zone].pools[at.pool].decision != d {
			own(at.zone).pools[at.pool] = packPool(d)
		}
	}
	for name, serial := range pub.Serials {
		if i, known := s.table.zones[name]; known && !s.served[i].source.FixedSerial && s.served[i].serial != serial {
			own(i).serial = serial
		}
	}
	return &snapshot{s.settings, s.table, list}
}

// refreshed is v with the serial and decisions of a new Set's publication: v itself when they are what it has.
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

// settings is what answers depend on besides zones and decisions.
type settings struct {
	config   zones.DNSConfig
	hostname string // CHAOS hostname.bind
	cookies  *cookieJar
	now      func() time.Time // read only where a query carries a cookie
}
