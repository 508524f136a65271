package dnsserver

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/livens/livens/failover"
	"github.com/livens/livens/zones"
)

// manyZones are n small zones, of which the first pooled have a pool each, named as its zone.
func manyZones(t testing.TB, n, pooled int) failover.Publication {
	var files []string
	for i := range n {
		files = append(files, fmt.Sprintf("$ORIGIN z%05d.test.\n@ 300 SOA ns h 0 3600 900 86400 30\n@ 300 NS ns.example.test.\n", i))
	}
	pub := publication(t, files...)
	for i, z := range pub.Set.Zones {
		z.FixedSerial = false
		pub.Serials[z.Name] = 1764000000
		if i < pooled {
			d := &failover.Decision{Pool: z.Name, Active: []string{"primary"}, TTL: 10, Epoch: 1, Addresses: []netip.Addr{netip.MustParseAddr("203.0.113.10")}}
			p := &zones.Pool{Name: z.Name, Zone: z.Name, TTL: 10, Answers: []string{"chat." + z.Name}}
			pub.Decisions[p.Name], z.Pools, pub.Set.Pools = d, []*zones.Pool{p}, append(pub.Set.Pools, p)
		}
	}
	return pub
}

func benchmarkSwitchOfMany(b *testing.B, pooled int) {
	pub := manyZones(b, 10000, pooled)
	s := compiled(b, pub)
	name := pub.Set.Zones[pooled/2].Name
	d := *pub.Decisions[name]
	i := uint32(0)
	next := failover.Publication{Set: pub.Set, Serials: map[string]uint32{}, Decisions: map[string]*failover.Decision{}}
	b.ReportAllocs()
	for b.Loop() {
		i++
		d := d
		d.Epoch = uint64(i)
		next.Decisions[name] = &d
		next.Serials[name] = i
		s, _ = s.next(next, nil, nil)
	}
}

func BenchmarkSwitchOfManyPools(b *testing.B) { benchmarkSwitchOfMany(b, 10000) }
func BenchmarkSwitchOfOnePool(b *testing.B)   { benchmarkSwitchOfMany(b, 1) }
