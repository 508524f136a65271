package dnsserver

import (
	"bytes"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// TestTogether: queries that are read together are answered as each is alone, however many there are, and none of it allocates.
func TestTogether(t *testing.T) {
	s := running(t, nil)
	frozen := *kindsSnapshot(t).settings
	frozen.now = func() time.Time { return time.Unix(1_780_000_000, 0) }
	s.live.Store(kindsSnapshot(t).withSettings(&frozen))
	alone, w := s.newWorker(new(stats)), s.hireWorker()
	// Those with options stand beside others without.
	queries := append([][]byte{nil, make([]byte, 12), make([]byte, 13), {0, 1, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0}}, fuzzSeeds(t)...)
	var want [][]byte
	for _, query := range queries {
		want = append(want, bytes.Clone(alone.handle(make([]byte, 4096), query, peer{})))
	}
	from, dst := peer{}, make([]byte, 4096)
	for size := 1; size <= ahead; size++ {
		if n := testing.AllocsPerRun(50, func() { // so many that what the runtime itself allocates now and then does not count
			for first := range queries {
				for i := range size {
					w.read(i, queries[(first+i)%len(queries)], from)
				}
				for i := range size {
					if at := (first + i) % len(queries); !bytes.Equal(w.answer(i, dst), want[at]) {
						t.Errorf("%d together, the %dth: % x", size, i, queries[at])
					}
				}
			}
		}); n != 0 {
			t.Errorf("%d together: %v allocations", size, n)
		}
	}
}

// TestPanicHarmsNoNeighbour: of queries that were read together those that find a bug, while they are read or answered, get SERVFAIL and are
// counted; the others are answered.
func TestPanicHarmsNoNeighbour(t *testing.T) {
	const other = "$ORIGIN broken.test.\n@ 300 SOA ns h 1 2 3 4 5\n@ 300 NS ns\nns 300 A 192.0.2.1\n"
	for name, damage := range map[string]func(*snapshot, int){
		"answered": func(s *snapshot, i int) { s.served[i].zone.index = nil },
		"read": func(s *snapshot, i int) {
			for slot, at := range s.table.slots {
				if int(at) == i+1 {
					s.table.slots[slot] = 1000
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := running(t, nil)
			broken := compiled(t, publication(t, plainZone, other))
			damage(broken, slices.IndexFunc(broken.served, func(v *served) bool { return v.source.Name == "broken.test." }))
			s.live.Store(broken)
			w := s.hireWorker()
			asked := []string{"www.example.test. A", "ns.broken.test. A", "broken.test. NS", "www.example.test. A"}
			for i, text := range asked {
				query, _ := question(text).Pack()
				w.read(i, query, peer{})
			}
			for i, want := range []int{dns.RcodeSuccess, dns.RcodeServerFailure, dns.RcodeServerFailure, dns.RcodeSuccess} {
				var m dns.Msg
				if err := m.Unpack(w.answer(i, make([]byte, 4096))); err != nil || m.Rcode != want {
					t.Errorf("%s: %v %v", asked[i], &m, err)
				}
			}
			if n := w.stats.drops[dropPanic].Load(); n != 2 {
				t.Errorf("%d panics counted", n)
			}
		})
	}
}

// TestLatencyOfQueriesTogether: one in latencySample is timed, wherever it is among those that came together.
func TestLatencyOfQueriesTogether(t *testing.T) {
	s := running(t, nil)
	s.Publish(publication(t, plainZone))
	w := s.hireWorker()
	query, _ := question("www.example.test. A").Pack()
	const together, groups = 5, 2 * latencySample
	for range groups {
		for i := range together {
			w.read(i, query, peer{})
		}
		for i := range together {
			w.answer(i, make([]byte, 4096))
		}
	}
	timed := uint64(0)
	for i := range w.stats.latency {
		timed += w.stats.latency[i].Load()
	}
	if timed != together*groups/latencySample {
		t.Errorf("%d of %d timed", timed, together*groups)
	}
}

// TestEveryPlaceIsTimed: where as many queries as can always come together, each place among them has its turn, or the histogram would
// show the wait of one place alone.
func TestEveryPlaceIsTimed(t *testing.T) {
	s := running(t, nil)
	s.Publish(publication(t, plainZone))
	w := s.hireWorker()
	query, _ := question("www.example.test. A").Pack()
	places := map[int]bool{}
	for range latencySample {
		for i := range ahead {
			w.read(i, query, peer{})
		}
		if w.timed >= 0 {
			places[w.timed] = true
		}
		for i := range ahead {
			w.answer(i, make([]byte, 4096))
		}
	}
	if len(places) != ahead {
		t.Errorf("timed are places %v of %d", places, ahead)
	}
}

// TestIdleWorkerKeepsNoZone: what was answered from is free to go with the publication that it belongs to.
func TestIdleWorkerKeepsNoZone(t *testing.T) {
	s := running(t, nil)
	s.live.Store(kindsSnapshot(t))
	gone := make(chan struct{})
	runtime.AddCleanup(s.live.Load().served[0], func(struct{}) { close(gone) }, struct{}{})
	w := s.hireWorker()
	for i := range ahead {
		query, _ := question(kinds[i]).Pack()
		w.read(i, query, peer{})
	}
	for i := range ahead {
		w.answer(i, make([]byte, 4096))
	}
	s.live.Store(compiled(t, publication(t, plainZone)))
	late := time.After(10 * time.Second)
	for held := true; held; runtime.GC() {
		select {
		case <-gone:
			held = false
		case <-late:
			t.Fatal("the zone is still there")
		default:
		}
	}
	runtime.KeepAlive(w)
}
