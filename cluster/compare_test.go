package cluster

import (
	"testing"
	"time"

	"github.com/livens/livens/failover"
)

// TestWhatIsNoticedOfOthersHasAnEpoch: that of the pool, or the highest where it concerns no pool.
func TestWhatIsNoticedOfOthersHasAnEpoch(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	c := NewCore(CoreOptions{Self: Report{Name: "ns1", Boot: 1}, Peers: []string{"p2"}}, now)
	c.report.Held = map[string]*failover.Decision{"chat": {Pool: "chat", Epoch: 7}, "mail": {Pool: "mail", Epoch: 9}}
	c.tellApart(map[string]bool{"chat": true}, now)
	c.tellApart(nil, now)
	c.tellReached(&neighbour{name: "ns2", met: true}, now)
	c.tellReached(&neighbour{name: "ns3", met: true, left: true}, now)
	want := []struct {
		to    string
		epoch uint64
	}{{"apart", 7}, {"agreed", 7}, {"ns2 silent", 9}, {"ns3 stopped", 9}}
	told := c.Happened()
	for i, e := range told {
		if i >= len(want) || e.To != want[i].to || e.Epoch != want[i].epoch || e.ID == "" || e.Reason == "" {
			t.Errorf("%+v, want %+v", e, want[min(i, len(want)-1)])
		}
	}
	if len(told) != len(want) {
		t.Errorf("%d events, want %d", len(told), len(want))
	}
}
