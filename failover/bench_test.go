package failover

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/livens/livens/checker"
	"github.com/livens/livens/zones"
)

// manyPools is a Set of n pools with two deployments each, in so many zones.
func manyPools(n, inZones int) *zones.Set {
	check := &zones.Check{Kind: zones.HTTPS, Port: 443, Path: "/healthz", Host: "chat.example.com", Interval: time.Second, FastInterval: time.Second / 5, Timeout: time.Second / 2, Fall: 4, Rise: 3}
	set := &zones.Set{}
	for i := range inZones {
		set.Zones = append(set.Zones, &zones.Zone{Name: fmt.Sprintf("z%d.example.com.", i)})
	}
	for i := range n {
		at := func(net byte) []netip.Addr {
			return []netip.Addr{netip.AddrFrom4([4]byte{net, 0, byte(i >> 8), byte(i)})}
		}
		z := set.Zones[i%inZones]
		p := &zones.Pool{
			Name: fmt.Sprintf("p%d", i), Zone: z.Name, Policy: zones.Failover, TTL: 10, TTLMin: 5, Failback: zones.Auto, AllDown: zones.LastGood, MaxFailbacks: 4,
			Checks: []*zones.Check{check}, Deployments: []*zones.Deployment{{Name: "primary", Addresses: at(10)}, {Name: "redundant", Addresses: at(11)}},
		}
		set.Pools, z.Pools = append(set.Pools, p), append(z.Pools, p)
	}
	return set
}

// BenchmarkUse takes up a Set of 10,000 pools, as a start or a reload does.
func BenchmarkUse(b *testing.B) {
	set := manyPools(10000, 1)
	for b.Loop() {
		e := NewEngine(EngineOptions{Alone: true}, epochStart)
		e.Use(set, epochStart)
		e.Targets()
	}
}

// switcher is an engine, and a function that makes one of its pools switch.
func switcher(t testing.TB, set *zones.Set) (*Engine, func()) {
	e := NewEngine(EngineOptions{Alone: true}, epochStart)
	now, standing := epochStart, Standing{Quorum: true, Joined: true}
	e.Use(set, now)
	verdicts := View{}
	up, down := checker.Verdict{State: checker.Up, At: now, Streak: 3}, checker.Verdict{State: checker.Down, At: now, Streak: -4}
	for _, p := range set.Pools {
		for _, target := range Targets(p, nil) {
			verdicts[target.Key] = Agreed{Verdict: up}
		}
	}
	e.Hear(News{Standing: standing, Verdicts: verdicts}, now)
	e.Take()
	p := set.Pools[len(set.Pools)/2]
	a, b := targets(p, p.Deployments[0], p.Deployments[0].Addresses[0], p.Checks)[0].Key, targets(p, p.Deployments[1], p.Deployments[1].Addresses[0], p.Checks)[0].Key
	live, dead := a, b
	return e, func() {
		now = now.Add(time.Second)
		live, dead = dead, live
		e.Hear(News{Standing: standing, Verdicts: View{live: {Verdict: up}, dead: {Verdict: down}}}, now)
	}
}

// BenchmarkSwitch is one pool of 10,000 that switches: what comes before its publication, and all that is done.
func BenchmarkSwitch(b *testing.B) {
	for _, inZones := range []int{1, 10000} {
		e, flip := switcher(b, manyPools(10000, inZones))
		b.Run(fmt.Sprintf("zones=%d/published", inZones), func(b *testing.B) {
			for b.Loop() {
				flip()
				if e.Take().Publication == nil {
					b.Fatal("no switch")
				}
			}
		})
		b.Run(fmt.Sprintf("zones=%d/all", inZones), func(b *testing.B) {
			for b.Loop() {
				flip()
				e.Take()
				e.Status()
				e.Memory()
				e.Next()
			}
		})
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
