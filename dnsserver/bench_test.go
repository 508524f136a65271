package dnsserver

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/livens/livens/failover"
	"github.com/livens/livens/zones"
	"github.com/miekg/dns"
)

func BenchmarkAnswer(b *testing.B) {
	s := kindsSnapshot(b)
	for _, bench := range []struct{ name, ask string }{
		{"pool", "pool.example.test. A"}, {"static", "www.example.test. A"}, {"nxdomain", "nx.example.test. A"},
		{"wildcard", "x.wild.example.test. A"}, {"referral", "x.sub.example.test. A"}, {"mx", "example.test. MX"},
		{"cname", "longer.example.test. A"},
	} {
		b.Run(bench.name, func(b *testing.B) {
			query, _ := question(bench.ask).Pack()
			sc, dst, from := newScratch(), make([]byte, 4096), peer{}
			b.ReportAllocs()
			for b.Loop() {
				ask(s, dst, query, from, sc)
			}
		})
	}
}

// million is a zone of a million addresses, with a pool, as the zones room would hand it over.
func million(b *testing.B) failover.Publication {
	pub := publication(b, kindsZone)
	z := pub.Set.Zones[0]
	for i := range 1_000_000 {
		z.Records = append(z.Records, packed(b, &dns.A{
			Hdr: dns.RR_Header{Name: fmt.Sprintf("h%06d.hosts.example.test.", i), Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 300},
			A:   []byte{10, byte(i >> 16), byte(i >> 8), byte(i)},
		}))
	}
	z.Records = ordered(z.Records)
	withPool(&pub, "chat", 10, []string{"pool.example.test."}, "203.0.113.10", "2001:db8:1::10")
	return pub
}

func BenchmarkAnswerMillion(b *testing.B) {
	s := compiled(b, million(b))
	sc, dst, from := newScratch(), make([]byte, 4096), peer{}
	queries := make([][]byte, 1<<16)
	for i := range queries {
		queries[i], _ = question(fmt.Sprintf("h%06d.hosts.example.test. A", i*7919%1_000_000)).Pack()
	}
	i := 0
	for b.Loop() {
		ask(s, dst, queries[i&(1<<16-1)], from, sc)
		i++
	}
}

// BenchmarkPublishSwitch is a decision that changes while a million records are loaded.
func BenchmarkPublishSwitch(b *testing.B) {
	pub := million(b)
	s := compiled(b, pub)
	first := pub.Decisions["chat"]
	second := *first
	second.Epoch++
	i := 0
	for b.Loop() {
		next := failover.Publication{Set: pub.Set, Serials: map[string]uint32{"example.test.": uint32(i + 1)}}
		next.Decisions = map[string]*failover.Decision{"chat": []*failover.Decision{first, &second}[i&1]}
		s, _ = s.next(next, nil, nil)
		i++
	}
}

func BenchmarkCompileMillion(b *testing.B) {
	pub := million(b)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var z *zone
	start := time.Now()
	rounds := 0
	for b.Loop() {
		var err error
		if z, err = new(compiler).compile(pub.Set.Zones[0], false); err != nil {
			b.Fatal(err)
		}
		rounds++
	}
	b.ReportMetric(time.Since(start).Seconds()/float64(rounds), "s/zone")
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/1e6, "MB-resident")
	runtime.KeepAlive(z)
}

// BenchmarkPublishPrepared is what the controller waits for when a zone of a million records was edited.
func BenchmarkPublishPrepared(b *testing.B) {
	pub := million(b)
	s := compiled(b, failover.Publication{Set: &zones.Set{}})
	ready := s.prepare(pub.Set, nil)
	for b.Loop() {
		_, _ = s.next(pub, ready, func(string) int { return 1 })
	}
}

// BenchmarkAnswerMillionTogether is BenchmarkAnswerMillion for queries that came together.
func BenchmarkAnswerMillionTogether(b *testing.B) {
	s := running(b, nil)
	s.live.Store(compiled(b, million(b)))
	w := s.hireWorker()
	dst, from := make([]byte, 4096), peer{}
	queries := make([][]byte, 1<<16)
	for i := range queries {
		queries[i], _ = question(fmt.Sprintf("h%06d.hosts.example.test. A", i*7919%1_000_000)).Pack()
	}
	i, together := 0, 0
	for b.Loop() {
		w.read(together, queries[i&(1<<16-1)], from)
		i++
		if together++; together == ahead {
			for together = range ahead {
				w.answer(together, dst)
			}
			together = 0
		}
	}
}

// BenchmarkAnswerTogether is a flood at a pool's name: all that is done for a query between receiving and sending.
func BenchmarkAnswerTogether(b *testing.B) {
	s := running(b, nil)
	s.live.Store(kindsSnapshot(b))
	w := s.hireWorker()
	dst := make([]byte, 4096)
	m := question("pool.example.test. A")
	m.Extra = nil
	query, _ := m.Pack()
	together := 0
	for b.Loop() {
		w.read(together, query, peer{})
		if together++; together == ahead {
			for together = range ahead {
				w.answer(together, dst)
			}
			together = 0
		}
	}
}
