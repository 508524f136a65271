package cluster

import (
	"github.com/livens/livens/checker"
	"github.com/livens/livens/failover"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestSilenceBehindOtherKeysSaysSo: whoever reads that a nameserver is silent learns that keys are why, where they are.
func TestSilenceBehindOtherKeysSaysSo(t *testing.T) {
	for text, want := range map[string]string{
		"": "is it running",
		"dial tcp 192.0.2.3:7946: connect: connection refused":                      "is it running",
		"Failed to join 192.0.2.3: No installed keys could decrypt the message":     "the key files differ",
		"failed to receive: can not decrypt: cipher: message authentication failed": "the key files differ",
		"encryption is configured but remote state is not encrypted":                "the key files differ",
	} {
		for _, cut := range []bool{false, true} {
			if cut && want == "is it running" {
				want = "open UDP"
			}
			s := &Status{Quorum: true, Peers: []Peer{{Name: "ns2", Error: text, Cut: cut}}}
			alerts := s.Alerts(time.Unix(1000, 0))
			if len(alerts) != 1 || alerts[0].Code != "peer-silent" || !strings.HasPrefix(alerts[0].Hint, want) {
				t.Errorf("%q, cut off %v: got %+v, want the hint %q", text, cut, alerts, want)
			}
		}
	}
}

// A nameserver that doubts itself is named by the others, and its votes do not count.
func TestSelfDoubtIsNamed(t *testing.T) {
	c := newCircle(t, "ns1", "ns2", "ns3")
	c.cores["ns2"].Observe(map[string]checker.Verdict{target: {State: checker.Unknown}}, "all targets fell silent at once", c.now)
	c.run(time.Second)
	s := c.cores["ns1"].Status(c.now)
	if !slices.ContainsFunc(s.Alerts(c.now), func(a failover.Alert) bool { return a.Code == "peer-self-doubt" && a.Affects == "nameserver ns2" }) {
		t.Errorf("alerts %+v", s.Alerts(c.now))
	}
	if votes := s.Votes(target); len(votes) != 2 {
		t.Errorf("votes %v", votes)
	}
}
