package dnsserver

import (
	"strconv"
	"sync"

	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus"
)

// The transports that are told apart.
const (
	udp = "udp"
	tcp = "tcp"
)

// collector sums the workers' counters when it is scraped.
type collector struct {
	server                                                   *Server
	queries, latency, truncated, drops, connections, express *prometheus.Desc
}

// Collector yields the server's metrics, all named livens_dns_…, once Listen is done. The query path only adds to its worker's counters;
// what they sum up to is worked out here.
func (s *Server) Collector() prometheus.Collector {
	return &collector{
		server: s,
		queries: prometheus.NewDesc("livens_dns_queries_total",
			"Queries answered, by the zone that the question lies in (empty: none), transport, response code and type.",
			[]string{"zone", "transport", "rcode", "type"}, nil),
		latency: prometheus.NewDesc("livens_dns_answer_duration_seconds",
			"Time from a query's receipt to its answer; one query in "+strconv.Itoa(latencySample)+" is timed.", nil, nil),
		truncated: prometheus.NewDesc("livens_dns_truncated_total",
			"Answers with the TC bit, by transport.", []string{"transport"}, nil),
		drops: prometheus.NewDesc("livens_dns_drops_total",
			"What was not served: datagrams that demand silence or had no room, answers that could not be sent, connections that had to end.",
			[]string{"reason"}, nil),
		connections: prometheus.NewDesc("livens_dns_tcp_connections",
			"TCP connections open now.", nil, nil),
		express: prometheus.NewDesc("livens_dns_xdp",
			"1 while UDP queries are taken from this network interface by XDP, 0 while sockets have them.", []string{"interface"}, nil),
	}
}

// Describe is prometheus.Collector's.
func (c *collector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.queries, c.latency, c.truncated, c.drops, c.connections, c.express} {
		to <- d
	}
}

// Collect is prometheus.Collector's.
func (c *collector) Collect(to chan<- prometheus.Metric) {
	workers, zoneNames := c.server.counted()
	c.collectQueries(to, workers, zoneNames)
	c.collectLatency(to, workers)
	truncated := map[string]uint64{udp: 0, tcp: 0}
	for _, w := range workers {
		truncated[w.transport] += w.truncated.Load()
	}
	for transport, n := range truncated {
		to <- prometheus.MustNewConstMetric(c.truncated, prometheus.CounterValue, float64(n), transport)
	}
	for i, reason := range dropNames {
		n := c.server.dropped(drop(i), workers)
		to <- prometheus.MustNewConstMetric(c.drops, prometheus.CounterValue, float64(n), reason)
	}
	to <- prometheus.MustNewConstMetric(c.connections, prometheus.GaugeValue, float64(c.server.tcp.open()))
	for _, e := range c.server.express {
		up := 0.0
		if e.up.Load() {
			up = 1
		}
		to <- prometheus.MustNewConstMetric(c.express, prometheus.GaugeValue, up, e.name)
	}
}

// dropped is what was dropped for one reason.
func (s *Server) dropped(why drop, workers []*stats) (n uint64) {
	for _, w := range workers {
		n += w.drops[why].Load()
	}
	if why == dropOverflow {
		for _, sock := range s.sockets {
			n += sock.overflow()
		}
		for _, e := range s.express {
			n += e.overflow()
		}
	}
	return n
}

func (c *collector) collectQueries(to chan<- prometheus.Metric, workers []*stats, zoneNames []string) {
	type table [len(countedRcodes) + 1][len(countedTypes) + 1]uint64
	sums := map[string]*table{udp: {}, tcp: {}}
	for id, zone := range zoneNames {
		for _, w := range workers {
			counts := w.zone(id)
			if counts == nil {
				continue
			}
			sum := sums[w.transport]
			for r := range sum {
				row := counts.row(uint8(r))
				if row == nil {
					continue
				}
				for q := range row {
					sum[r][q] += row[q].Load()
				}
			}
		}
		for transport, sum := range sums {
			for r := range sum {
				for q, n := range sum[r] {
					if n > 0 {
						to <- prometheus.MustNewConstMetric(c.queries, prometheus.CounterValue, float64(n),
							zone, transport, rcodeLabel(r), typeLabel(q))
					}
				}
			}
			*sum = table{}
		}
	}
}

func rcodeLabel(cell int) string {
	switch {
	case cell == len(countedRcodes):
		return "other"
	case countedRcodes[cell] == dns.RcodeBadVers:
		return "BADVERS" // miekg/dns calls it BADSIG, as TSIG does
	}
	return dns.RcodeToString[countedRcodes[cell]]
}

func typeLabel(cell int) string {
	if cell == len(countedTypes) {
		return "other"
	}
	return dns.TypeToString[countedTypes[cell]]
}

func (c *collector) collectLatency(to chan<- prometheus.Metric, workers []*stats) {
	var count, nanos uint64
	buckets := make(map[float64]uint64, len(latencyBounds))
	for i := range len(latencyBounds) + 1 {
		for _, w := range workers {
			count += w.latency[i].Load()
		}
		if i < len(latencyBounds) {
			buckets[latencyBounds[i].Seconds()] = count
		}
	}
	for _, w := range workers {
		nanos += w.nanos.Load()
	}
	to <- prometheus.MustNewConstHistogram(c.latency, count, float64(nanos)/1e9, buckets)
}

// zoneIDs gives every zone name a number that its counters keep across reloads; 0 is no zone.
type zoneIDs struct {
	mu    sync.Mutex
	names []string
	ids   map[string]int
}

func (z *zoneIDs) id(zone string) int {
	z.mu.Lock()
	defer z.mu.Unlock()
	if id, known := z.ids[zone]; known {
		return id
	}
	z.ids[zone] = len(z.names)
	z.names = append(z.names, zone)
	return z.ids[zone]
}

func (z *zoneIDs) all() []string {
	z.mu.Lock()
	defer z.mu.Unlock()
	return z.names[:len(z.names):len(z.names)]
}
