package web

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// ModeratorStatus tells how the public listener does. Counts are since the start.
type ModeratorStatus struct {
	Listen      []string          `json:"listen"`                       // URLs as bound; those that cannot listen are missing
	Polls       map[string]uint64 `json:"polls"`                        // of pools, by HTTP status
	Others      map[string]uint64 `json:"others"`                       // of anything else, by HTTP status
	Pace        float64           `json:"polls_per_second"`             // over the last ten seconds
	Handshakes  uint64            `json:"handshake_failures"`           // connections that were given up before TLS stood
	Connections int               `json:"connections"`                  // now
	Cut         uint64            `json:"connections_cut"`              // that had to give way to others
	Refused     uint64            `json:"connections_refused"`          // that were turned away: too many from one address
	Expires     time.Time         `json:"certificate_expires,omitzero"` // zero: there is no certificate
	Complaint   *Complaint        `json:"last_complaint,omitempty"`     // of a handshake; nil: there was none
}

// Complaint is why a connection was given up before TLS stood.
type Complaint struct {
	At   time.Time `json:"at"`
	Text string    `json:"text"`
}

// Status is how the listeners do; listen is where they are.
func (m *Moderator) Status(listen []string) *ModeratorStatus {
	s := &ModeratorStatus{
		Listen: listen, Polls: m.polls.read(), Others: m.others.read(), Handshakes: m.handshakes.Load(), Expires: m.Expires(),
		Pace: m.pace.rate(time.Now()), Complaint: m.complaint.Load(),
	}
	s.Connections, s.Cut, s.Refused = m.guests.Now()
	return s
}

// Words tell in one line how the listeners do, at the time now.
func (m *ModeratorStatus) Words(now time.Time) string {
	words := fmt.Sprintf("%.1f polls a second", m.Pace)
	switch {
	case m.Expires.IsZero():
	case now.Before(m.Expires):
		words += ", certificate for " + Age(m.Expires.Sub(now))
	default:
		words += ", certificate ended " + Age(now.Sub(m.Expires)) + " ago"
	}
	if m.Refused > 0 {
		words += fmt.Sprintf(", %d connections refused", m.Refused)
	}
	if c := m.Complaint; c != nil {
		words += ", last complaint " + Age(now.Sub(c.At)) + " ago: " + c.Text
	}
	return words
}

// requestCounts counts replies by HTTP status.
type requestCounts [600]atomic.Uint64

func (c *requestCounts) add(code int) { c[code].Add(1) }

func (c *requestCounts) read() map[string]uint64 {
	out := map[string]uint64{}
	for code := range c {
		if n := c[code].Load(); n > 0 {
			out[strconv.Itoa(code)] = n
		}
	}
	return out
}

// collect draws the metrics of the public listener.
func (m *ModeratorStatus) collect(send sendFunc) {
	if m == nil {
		return
	}
	for what, counts := range map[string]map[string]uint64{"poll": m.Polls, "other": m.Others} {
		for _, code := range slices.Sorted(maps.Keys(counts)) {
			send(prometheus.CounterValue, "moderator_requests_total", float64(counts[code]), what, code)
		}
	}
	send(prometheus.CounterValue, "moderator_handshake_failures_total", float64(m.Handshakes))
	send(prometheus.CounterValue, "moderator_connections_cut_total", float64(m.Cut))
	send(prometheus.CounterValue, "moderator_connections_refused_total", float64(m.Refused))
	send(prometheus.GaugeValue, "moderator_connections", float64(m.Connections))
	if !m.Expires.IsZero() {
		send(prometheus.GaugeValue, "moderator_certificate_expiry_timestamp_seconds", float64(m.Expires.Unix()))
	}
}
