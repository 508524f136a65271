package failover

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/livens/livens/zones"
)

// BenchmarkUse takes up a Set of 10,000 pools with two deployments each, as a start or a reload does.
func BenchmarkUse(b *testing.B) {
	check := &zones.Check{Kind: zones.HTTPS, Port: 443, Path: "/healthz", Host: "chat.example.com", Interval: time.Second, FastInterval: time.Second / 5, Timeout: time.Second / 2, Fall: 4, Rise: 3}
	set := &zones.Set{}
	for i := range 10000 {
		at := func(net byte) []netip.Addr {
			return []netip.Addr{netip.AddrFrom4([4]byte{net, 0, byte(i >> 8), byte(i)})}
		}
		set.Pools = append(set.Pools, &zones.Pool{
			Name: fmt.Sprintf("p%d", i), Policy: zones.Failover, TTL: 10, TTLMin: 5, Failback: zones.Auto, AllDown: zones.LastGood, MaxFailbacks: 4,
			Checks: []*zones.Check{check}, Deployments: []*zones.Deployment{{Name: "primary", Addresses: at(10)}, {Name: "redundant", Addresses: at(11)}},
		})
	}
	set.Zones = []*zones.Zone{{Name: "example.com.", Pools: set.Pools}}
	for b.Loop() {
		e := NewEngine(EngineOptions{Alone: true}, epochStart)
		e.Use(set, epochStart)
		e.Targets()
	}
}

// BenchmarkDecide makes one decision for a pool of two deployments.
func BenchmarkDecide(b *testing.B) {
	w := newWorld(b)
	w.up("primary", "redundant")
	w.previous = w.decide()
	in := Input{Pool: w.pool, View: w.view, Previous: w.previous, Now: w.now}
	for b.Loop() {
		Decide(in)
	}
}
