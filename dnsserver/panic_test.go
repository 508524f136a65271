package dnsserver

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/livens/livens/zones"
	"github.com/miekg/dns"
)

// TestPanicIsContained: a query that finds a bug gets SERVFAIL, is counted, told once, and the next is answered.
func TestPanicIsContained(t *testing.T) {
	var log strings.Builder
	s := running(t, nil)
	s.panics.log = slog.New(slog.NewTextHandler(&log, nil))
	w := s.newWorker(new(stats))
	broken := compiled(t, publication(t, plainZone))
	for _, v := range broken.served {
		v.zone = &zone{source: &zones.Zone{}, apex: v.apex, hash: v.hash, labels: v.labels} // its index is empty
	}
	s.live.Store(broken)
	query, _ := question("www.example.test. A").Pack()
	for range 2 {
		var m dns.Msg
		if err := m.Unpack(w.handle(make([]byte, 4096), query, peer{})); err != nil || m.Rcode != dns.RcodeServerFailure {
			t.Errorf("%v %v", &m, err)
		}
	}
	if n := w.stats.drops[dropPanic].Load(); n != 2 {
		t.Errorf("%d panics counted", n)
	}
	if n := strings.Count(log.String(), "\n"); n != 1 || !strings.Contains(log.String(), "panicked") {
		t.Errorf("log: %s", log.String())
	}
	s.live.Store(compiled(t, publication(t, plainZone)))
	if got := w.handle(make([]byte, 4096), query, peer{}); got[3] != 0 {
		t.Error("the next query is not answered")
	}
}
