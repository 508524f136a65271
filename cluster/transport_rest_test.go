package cluster

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// cpu is what the process has used of the processor.
func cpu(t *testing.T) time.Duration {
	var use unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &use); err != nil {
		t.Fatal(err)
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}

// TestSevenAtRest has seven nameservers send heartbeats and nothing else, and holds what that costs, all seven
// together, to half of what the cluster may use: 100 KB/s, and 5 % of a core each.
func TestSevenAtRest(t *testing.T) {
	const (
		beat      = 200 * time.Millisecond
		beats     = 15
		heartbeat = 100 // bytes
	)
	addrs := freeAddrs(t, 7)
	var all []*testTransport
	for i := range addrs {
		all = append(all, startTransport(t, addrs, i, nil))
	}
	meet(t, all...)
	traffic := func() (sent uint64) {
		for _, r := range all {
			s, _ := r.Traffic()
			sent += s
		}
		return sent
	}
	tick := time.NewTicker(beat)
	defer tick.Stop()
	<-tick.C
	began, sentBefore, cpuBefore := time.Now(), traffic(), cpu(t)
	for range beats {
		for _, r := range all {
			for _, l := range r.Links() {
				r.Send(l.Peer, make([]byte, heartbeat), false)
			}
		}
		<-tick.C
	}
	took := time.Since(began)
	rate := float64(traffic()-sentBefore) / took.Seconds()
	share := (cpu(t) - cpuBefore).Seconds() / took.Seconds() / 7
	t.Logf("%.1f KB/s in all, %.2f %% of a core each", rate/1000, share*100)
	if least := float64(7 * 6 * beats * heartbeat); rate*took.Seconds() < least {
		t.Errorf("%.0f bytes counted, but %.0f were sent", rate*took.Seconds(), least)
	}
	if rate > 50e3 {
		t.Errorf("%.0f bytes a second", rate)
	}
	if share > 0.025 {
		t.Errorf("%.2f %% of a core each", share*100)
	}
}
