package web

import (
	"maps"
	"net/netip"
	"runtime"
	"slices"

	"github.com/livens/livens/checker"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// metrics draws Prometheus metrics from the status document, anew for every scrape.
type metrics struct {
	status func() *Status
	descs  map[string]*prometheus.Desc
}

// help lists every metric drawn from the status document, with its labels.
var help = []struct {
	name, text string
	labels     []string
}{
	{"build_info", "The running livens; always 1.", []string{"version", "goversion"}},
	{"ready", "1 once answers rest on what was found out since the start.", nil},
	{"self_doubt", "1 while this observer does not trust its own verdicts.", nil},
	{"probes_under_way", "Probes now under way.", nil},
	{"probes_waited_total", "Probes that started late because too many were under way, or were opening connections.", nil},
	{"probes_late_total", "Probes that started more than 100 ms after their time: this host has more to do than it can.", nil},
	{"alerts", "Alerts raised now.", []string{"code", "severity"}},
	{"reload_success", "1 when the last reading of the configuration had no errors.", nil},
	{"reload_last_success_timestamp_seconds", "When the configuration was last read without errors; 0 if not since the start.", nil},
	{"problems", "What the last reading of the configuration found.", []string{"severity"}},
	{"zone_serial", "The SOA serial that is answered.", []string{"zone"}},
	{"zone_stale", "1 while the last good version of the zone is served, and not what its file says.", []string{"zone"}},
	{"pool_active", "1 for every deployment that the pool answers from.", []string{"pool", "deployment"}},
	{"pool_epoch", "Grows with every change of what the pool answers.", []string{"pool"}},
	{"pool_switch_age_seconds", "Time since the active deployment last changed.", []string{"pool"}},
	{"pool_ttl_seconds", "TTL of the pool's answers now.", []string{"pool"}},
	{"pool_provisional", "1 while no majority of the observers stands behind what the pool answers.", []string{"pool"}},
	{"pool_divergence", "Reached nameservers that answer otherwise for the pool than this one; only in a cluster.", []string{"pool"}},
	{"pool_all_down", "1 while no deployment of the pool is live.", []string{"pool"}},
	{"pool_disagreement", "1 while the pool answers from a deployment that this nameserver's own verdicts call down: forced, or all are.", []string{"pool"}},
	{"deployment_state", "1 for the state that the deployment is in.", []string{"pool", "deployment", "state"}},
	{"deployment_drained", "1 while the deployment is drained.", []string{"pool", "deployment"}},
	{"deployment_gate_open", "1 while the deployment's sync check passes; only for pools that have one.", []string{"pool", "deployment"}},
	{"target_verdict", "1 for the verdict on the target.", targetLabels("state")},
	{"target_doubt", "1 while the target is up and its latest probes fail or are late.", targetLabels()},
	{"target_latency_seconds", "How long the last successful probe took.", targetLabels()},
	{"target_result_age_seconds", "Time since the last probe finished; none before the first.", targetLabels()},
	{"target_interval_seconds", "Time between probes while nothing is in doubt.", targetLabels()},
	{"target_probes_total", "Probes sent since the target was added.", targetLabels()},
	{"target_failures_total", "Probes that failed.", targetLabels()},
	{"target_transitions_total", "Times that the verdict turned.", targetLabels()},
	{"cluster_observers", "Observers that are configured, this one among them.", nil},
	{"cluster_reached", "Observers that are reached now, this one among them.", nil},
	{"cluster_quorum", "1 while those that are reached are enough to decide.", nil},
	{"cluster_tells_hooks", "1 while it is this nameserver that tells hooks what happened.", nil},
	{"cluster_clock_offset_seconds", "The cluster's time minus this host's clock.", nil},
	{"cluster_sent_bytes_total", "Bytes sent to other nameservers.", nil},
	{"cluster_received_bytes_total", "Bytes received on the cluster's sockets.", nil},
	{"cluster_faults_total", "Messages and connections that were refused.", []string{"kind"}},
	{"peer_reached", "1 while the other nameserver's votes count.", peerLabels},
	{"peer_rtt_seconds", "Round-trip time to the other nameserver; none while it is not measured.", peerLabels},
	{"peer_clock_offset_seconds", "How far its clock is ahead of this host's; none while it is not measured.", peerLabels},
	{"moderator_requests_total", "Requests at the public listener, by what was asked for (poll, other) and HTTP status.", []string{"what", "code"}},
	{"moderator_handshake_failures_total", "Connections to the public listener that were given up before TLS stood.", nil},
	{"moderator_connections", "Connections to the public listener now.", nil},
	{"moderator_connections_cut_total", "Connections to the public listener that had to give way to others.", nil},
	{"moderator_connections_refused_total", "Connections to the public listener that were turned away: too many from one address.", nil},
	{"moderator_certificate_expiry_timestamp_seconds", "When the public listener's certificate ends; none without one.", nil},
	{"events_told_total", "Events that the hook has been told by this nameserver.", []string{"hook"}},
	{"events_failed_total", "Tries to tell the hook that failed.", []string{"hook"}},
	{"events_given_up_total", "Events that became too old to be told to the hook.", []string{"hook"}},
	{"events_pending", "Events that the hook is yet to be told, by whichever nameserver.", []string{"hook"}},
}

// peerLabels name another nameserver: its address as configured, and its name once it has spoken.
var peerLabels = []string{"peer", "nameserver"}

func targetLabels(more ...string) []string {
	return append([]string{"pool", "deployment", "address", "check"}, more...)
}

// newRegistry is a registry of its own with livens's metrics, the DNS server's, Go's and the process's.
func newRegistry(status func() *Status, dns prometheus.Collector) *prometheus.Registry {
	r := prometheus.NewPedanticRegistry()
	r.MustRegister(newMetrics(status), collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if dns != nil {
		r.MustRegister(dns)
	}
	return r
}

func newMetrics(status func() *Status) *metrics {
	m := &metrics{status: status, descs: map[string]*prometheus.Desc{}}
	for _, h := range help {
		m.descs[h.name] = prometheus.NewDesc("livens_"+h.name, h.text, h.labels, nil)
	}
	return m
}

// Describe implements prometheus.Collector.
func (m *metrics) Describe(out chan<- *prometheus.Desc) {
	for _, d := range m.descs {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (m *metrics) Collect(out chan<- prometheus.Metric) {
	s := m.status()
	var send sendFunc = func(kind prometheus.ValueType, name string, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(m.descs[name], kind, value, labels...)
	}
	gauge := func(name string, value float64, labels ...string) {
		send(prometheus.GaugeValue, name, value, labels...)
	}
	gauge("build_info", 1, s.Version, runtime.Version())
	gauge("ready", bit(s.Ready))
	gauge("self_doubt", bit(s.SelfDoubt != ""))
	gauge("probes_under_way", float64(s.Probing.UnderWay))
	send(prometheus.CounterValue, "probes_waited_total", float64(s.Probing.Waited))
	send(prometheus.CounterValue, "probes_late_total", float64(s.Probing.Late))
	s.collectReload(gauge)
	for _, z := range s.Zones {
		gauge("zone_serial", float64(z.Serial), z.Name)
		gauge("zone_stale", bit(z.Stale != ""), z.Name)
	}
	s.collectCluster(send)
	s.Moderator.collect(send)
	for i := range s.Pools {
		p := &s.Pools[i]
		p.collect(s, gauge)
		for j := range p.Targets {
			t := &p.Targets[j]
			t.collect(s, p.Pool, gauge)
			labels := []string{p.Pool, t.Deployment, t.Address.String(), t.Check}
			send(prometheus.CounterValue, "target_probes_total", float64(t.Probes), labels...)
			send(prometheus.CounterValue, "target_failures_total", float64(t.Failures), labels...)
			send(prometheus.CounterValue, "target_transitions_total", float64(t.Transitions), labels...)
		}
	}
}

type gaugeFunc func(name string, value float64, labels ...string)

func (s *Status) collectReload(gauge gaugeFunc) {
	alerts := map[[2]string]float64{}
	for _, a := range s.Alerts {
		alerts[[2]string{a.Code, string(a.Severity)}]++
	}
	for labels, n := range alerts {
		gauge("alerts", n, labels[:]...)
	}
	gauge("reload_success", bit(s.Reload.OK))
	var last float64
	if !s.Reload.LastSuccess.IsZero() {
		last = float64(s.Reload.LastSuccess.UnixMilli()) / 1000
	}
	gauge("reload_last_success_timestamp_seconds", last)
	gauge("problems", float64(len(s.Reload.Problems.Errors())), "error")
	gauge("problems", float64(len(s.Reload.Problems.Warnings())), "warning")
}

func (p *Pool) collect(s *Status, gauge gaugeFunc) {
	gauge("pool_epoch", float64(p.Epoch), p.Pool)
	gauge("pool_switch_age_seconds", s.Now.Sub(p.Since).Seconds(), p.Pool)
	gauge("pool_ttl_seconds", float64(p.TTL), p.Pool)
	gauge("pool_all_down", bit(p.AllDown), p.Pool)
	gauge("pool_provisional", bit(p.Provisional), p.Pool)
	if s.Cluster != nil {
		gauge("pool_divergence", float64(len(s.Others(p.Pool))), p.Pool)
	}
	gauge("pool_disagreement", bit(p.disagrees()), p.Pool)
	for _, d := range p.Deployments {
		gauge("pool_active", bit(d.Answers), p.Pool, d.Name)
		gauge("deployment_drained", bit(d.Drained != ""), p.Pool, d.Name)
		if d.Gate != "" {
			gauge("deployment_gate_open", bit(d.Gate == "open"), p.Pool, d.Name)
		}
		eachState(func(state checker.State) {
			gauge("deployment_state", bit(d.State == state), p.Pool, d.Name, state.String())
		})
	}
}

// disagrees says whether a deployment that answers is down by this nameserver's own verdicts, whatever the decision
// rests on: no address passes all its checks, and one fails.
func (p *Pool) disagrees() bool {
	return slices.ContainsFunc(p.Active, func(deployment string) bool {
		worst := map[netip.Addr]checker.State{}
		for _, t := range p.Targets {
			if t.Deployment == deployment && t.Check != syncCheck && worst[t.Address] != checker.Down {
				if before, seen := worst[t.Address]; !seen || before == checker.Up || t.State == checker.Down {
					worst[t.Address] = t.State
				}
			}
		}
		states := slices.Collect(maps.Values(worst))
		return slices.Contains(states, checker.Down) && !slices.Contains(states, checker.Up)
	})
}

func (t *Target) collect(s *Status, pool string, gauge gaugeFunc) {
	labels := []string{pool, t.Deployment, t.Address.String(), t.Check}
	eachState(func(state checker.State) {
		gauge("target_verdict", bit(t.State == state), append(labels, state.String())...)
	})
	gauge("target_doubt", bit(t.Doubt), labels...)
	gauge("target_latency_seconds", t.Latency, labels...)
	gauge("target_interval_seconds", t.Interval, labels...)
	if !t.At.IsZero() {
		gauge("target_result_age_seconds", s.Now.Sub(t.At).Seconds(), labels...)
	}
}

func eachState(do func(checker.State)) {
	for _, s := range []checker.State{checker.Up, checker.Down, checker.Unknown} {
		do(s)
	}
}

func bit(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
