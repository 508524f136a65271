package dnsserver

import (
	"runtime"
	"sync"
	"testing"

	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// TestCellsGrowInProportion: zones that are asked for the first time, one after the other, cost what they hold in the
// end, and not its square.
func TestCellsGrowInProportion(t *testing.T) {
	const zones = 2000
	least := allocated(func() {
		for range zones {
			sink = new(zoneCounts)
		}
	})
	got := allocated(func() {
		s := new(stats)
		for id := range zones {
			s.count(&outcome{zone: &served{id: id}})
		}
	})
	if got > least*3/2 {
		t.Errorf("%d octets for %d zones, of which the counters are %d", got, zones, least)
	}
}

// TestCountersAreSmall: there are as many as zones times workers, and nearly all zones are asked what they have.
func TestCountersAreSmall(t *testing.T) {
	const zones, most = 2000, 400
	got := allocated(func() {
		s := new(stats)
		for id := range zones {
			for range 3 {
				s.count(&outcome{zone: &served{id: id}, rcode: dns.RcodeSuccess, qtype: dns.TypeA})
			}
		}
	})
	if got/zones > most {
		t.Errorf("%d octets for a zone, want at most %d", got/zones, most)
	}
}

var sink *zoneCounts

// allocated is how many octets f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// TestCellsOfShared: workers that share their counters lose no query while the table grows below them.
func TestCellsOfShared(t *testing.T) {
	const zones, workers = 300, 4
	s := new(stats)
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for id := range zones {
				for _, rcode := range []int{dns.RcodeSuccess, dns.RcodeNameError} {
					s.count(&outcome{zone: &served{id: id}, rcode: rcode})
				}
			}
		})
	}
	all.Wait()
	for id := range zones {
		for _, rcode := range []int{dns.RcodeSuccess, dns.RcodeNameError} {
			if n := s.zone(id).row(rcodeCell[rcode])[len(countedTypes)].Load(); n != workers {
				t.Fatalf("zone %d, %s: %d queries, want %d", id, dns.RcodeToString[rcode], n, workers)
			}
		}
	}
}

// TestCellsOfRemovedZones: they are given back, by every worker, and begin anew should the zone return.
func TestCellsOfRemovedZones(t *testing.T) {
	s := running(t, nil)
	both := publication(t, plainZone, "$ORIGIN other.test.\n@ 300 SOA ns h 9 3600 900 86400 30\n@ 300 NS ns.example.test.\n")
	s.Publish(both)
	query, _ := question("other.test. NS").Pack()
	workers := []*worker{s.hireWorker(), s.newWorker(s.shared)}
	series := func(zones int) {
		t.Helper()
		if n := testutil.CollectAndCount(s.Collector(), "livens_dns_queries_total"); n != zones {
			t.Errorf("%d series, want %d", n, zones)
		}
	}
	for _, w := range workers {
		w.handle(make([]byte, 4096), query, peer{})
	}
	series(2) // of UDP, and of TCP
	s.Publish(publication(t, plainZone))
	series(0)
	for _, w := range workers {
		if w.stats.zone(s.ids.id("other.test.")) != nil {
			t.Error("the counters of a removed zone are kept")
		}
	}
	s.Publish(both)
	workers[0].handle(make([]byte, 4096), query, peer{})
	series(1)
}
