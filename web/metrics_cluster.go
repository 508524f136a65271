package web

import "github.com/prometheus/client_golang/prometheus"

type sendFunc func(kind prometheus.ValueType, name string, value float64, labels ...string)

// collectCluster draws what concerns the other nameservers, and whom they tell.
func (s *Status) collectCluster(send sendFunc) {
	for _, h := range s.Hooks {
		send(prometheus.CounterValue, "events_told_total", float64(h.Told), h.Hook)
		send(prometheus.CounterValue, "events_failed_total", float64(h.Failed), h.Hook)
		send(prometheus.CounterValue, "events_given_up_total", float64(h.GivenUp), h.Hook)
		send(prometheus.GaugeValue, "events_pending", float64(h.Pending), h.Hook)
	}
	c := s.Cluster
	if c == nil {
		return
	}
	send(prometheus.GaugeValue, "cluster_observers", float64(c.Size))
	send(prometheus.GaugeValue, "cluster_reached", float64(c.Reach))
	send(prometheus.GaugeValue, "cluster_quorum", bit(c.Quorum))
	send(prometheus.GaugeValue, "cluster_tells_hooks", bit(c.Teller == s.Name))
	send(prometheus.GaugeValue, "cluster_clock_offset_seconds", c.Offset)
	send(prometheus.CounterValue, "cluster_sent_bytes_total", float64(c.Sent))
	send(prometheus.CounterValue, "cluster_received_bytes_total", float64(c.Received))
	for _, f := range c.Faults {
		send(prometheus.CounterValue, "cluster_faults_total", float64(f.Count), string(f.Kind))
	}
	for i := range c.Peers {
		p := &c.Peers[i]
		send(prometheus.GaugeValue, "peer_reached", bit(p.Reached), p.Address, p.Name)
		if p.Reached && p.RTT > 0 {
			send(prometheus.GaugeValue, "peer_rtt_seconds", p.RTT, p.Address, p.Name)
			send(prometheus.GaugeValue, "peer_clock_offset_seconds", p.Offset, p.Address, p.Name)
		}
	}
}
