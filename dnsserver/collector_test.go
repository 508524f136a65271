package dnsserver

import (
	"fmt"
	"strings"
	"testing"

	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// TestCollector: names that promlint accepts, and counts that add up over workers, transports, zones and reloads.
func TestCollector(t *testing.T) {
	s := running(t, nil)
	s.Publish(publication(t, plainZone, "$ORIGIN other.test.\n@ 300 SOA ns h 9 3600 900 86400 30\n@ 300 NS ns.example.test.\n"))
	one, two, three := s.hireWorker(), s.hireWorker(), s.newWorker(s.shared)
	ask := func(w *worker, text string, tcp bool) {
		t.Helper()
		query, err := question(text).Pack()
		if err != nil {
			t.Fatal(err)
		}
		w.handle(make([]byte, 4096), query, peer{tcp: tcp})
	}
	for range 3 {
		ask(one, "www.example.test. A", false)
	}
	ask(two, "www.example.test. A", false)
	ask(three, "www.example.test. A", true)
	ask(two, "nx.example.test. LOC", false)
	s.Publish(publication(t, plainZone)) // other.test. is gone, example.test. was compiled anew
	ask(one, "www.example.test. AAAA", false)
	ask(one, "www.other.test. CAA", false)
	one.handle(nil, []byte{1, 2, 3}, peer{})

	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(s.Collector())
	problems, err := testutil.GatherAndLint(registry)
	if err != nil || len(problems) > 0 {
		t.Errorf("promlint: %v %v", problems, err)
	}
	want := `
# HELP livens_dns_queries_total Queries answered, by the zone that the question lies in (empty: none), transport, response code and type.
# TYPE livens_dns_queries_total counter
livens_dns_queries_total{rcode="NOERROR",transport="tcp",type="A",zone="example.test."} 1
livens_dns_queries_total{rcode="NOERROR",transport="udp",type="A",zone="example.test."} 4
livens_dns_queries_total{rcode="NOERROR",transport="udp",type="AAAA",zone="example.test."} 1
livens_dns_queries_total{rcode="NXDOMAIN",transport="udp",type="other",zone="example.test."} 1
livens_dns_queries_total{rcode="REFUSED",transport="udp",type="CAA",zone=""} 1
`
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want), "livens_dns_queries_total"); err != nil {
		t.Error(err)
	}
	want = `
# HELP livens_dns_drops_total What was not served: datagrams that demand silence or had no room, answers that could not be sent, connections that had to end.
# TYPE livens_dns_drops_total counter
livens_dns_drops_total{reason="malformed"} 1
livens_dns_drops_total{reason="panic"} 0
livens_dns_drops_total{reason="receive"} 0
livens_dns_drops_total{reason="send"} 0
livens_dns_drops_total{reason="tcp_evicted"} 0
livens_dns_drops_total{reason="tcp_refused"} 0
livens_dns_drops_total{reason="tcp_stalled"} 0
livens_dns_drops_total{reason="udp_overflow"} 0
`
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want), "livens_dns_drops_total"); err != nil {
		t.Error(err)
	}
}

// TestCollectorIsBounded: whatever clients ask for, there are only so many series.
func TestCollectorIsBounded(t *testing.T) {
	s := running(t, nil)
	s.Publish(publication(t, plainZone))
	for qtype := range 1000 {
		m := question("www.example.test. A")
		m.Question[0].Qtype = uint16(qtype * 65)
		m.Question[0].Name = fmt.Sprintf("n%d.elsewhere%d.test.", qtype, qtype)
		query, _ := m.Pack()
		s.newWorker(s.shared).handle(make([]byte, 4096), query, peer{})
	}
	if n := testutil.CollectAndCount(s.Collector(), "livens_dns_queries_total"); n > len(countedTypes)+1 {
		t.Errorf("%d series", n)
	}
	for i, qtype := range countedTypes {
		if typeCell[min(int(qtype), len(typeCell)-1)] != uint8(i) || dns.TypeToString[qtype] == "" {
			t.Errorf("type %d has no cell of its own", qtype)
		}
	}
}

// TestLatencyIsSampled: one query in so many is timed, none is lost.
func TestLatencyIsSampled(t *testing.T) {
	s := running(t, nil)
	w := s.newWorker(s.shared)
	query, _ := question("www.example.test. A").Pack()
	for range 10 * latencySample {
		w.handle(make([]byte, 4096), query, peer{})
	}
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(s.Collector())
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "livens_dns_answer_duration_seconds" {
			if h := f.Metric[0].GetHistogram(); h.GetSampleCount() != 10 || h.GetSampleSum() <= 0 {
				t.Error(h)
			}
		}
	}
}
