package cluster

import (
	"fmt"
	"testing"
	"time"

	"github.com/livens/livens/failover"
)

// offClocks runs a test with each nameserver's clock an hour ahead, and an hour behind.
func offClocks(t *testing.T, size int, test func(w *world, off int)) {
	for off := range size {
		for _, skew := range []time.Duration{time.Hour, -time.Hour} {
			t.Run(fmt.Sprintf("ns%d by %v", off+1, skew), func(t *testing.T) {
				w := newWorld(t, 1, make([]string, size)...)
				w.nodes[off].skew += skew
				w.change("the clock of ns%d is %v off", off+1, skew)
				test(w, off)
			})
		}
	}
}

// drained10 is a drain for ten minutes.
func drained10() failover.Order {
	o := drainPrimary
	o.For = 10 * time.Minute
	return o
}

// holds says that the primary is drained at all that run, until the ten minutes are over, and not after.
func (w *world) holds(given time.Time) {
	w.t.Helper()
	look := func(want bool) {
		for _, n := range w.nodes {
			if n.up && n.drained("primary") != want {
				w.fail("%v after the order %s has it drained: %t", w.now.Sub(given), n.name, !want)
			}
		}
	}
	look(true)
	w.run(given.Add(9*time.Minute + 30*time.Second).Sub(w.now))
	look(true)
	w.run(time.Minute)
	look(false)
}

// Of two nameservers the second is heard for the first time while an order is in force, and one of the clocks is an hour off:
// the order ends when it was to end.
func TestWrongClockHeardFirst(t *testing.T) {
	offClocks(t, 2, func(w *world, _ int) {
		w.nodes[0].start()
		w.run(20 * time.Second)
		w.must(w.nodes[0].give(drained10()))
		given := w.now
		w.run(30 * time.Second)
		w.nodes[1].start()
		w.change("ns2 joins")
		w.run(20 * time.Second)
		w.holds(given)
	})
}

// A nameserver that has forgotten the others' clocks takes over the time that is gone by from one that runs, whichever is off.
func TestRestartTakesTheTimeOver(t *testing.T) {
	offClocks(t, 3, func(w *world, _ int) {
		w.start()
		w.run(20 * time.Second)
		w.must(w.nodes[0].give(drained10()))
		given := w.now
		w.run(30 * time.Second)
		w.nodes[2].kill()
		w.nodes[0].kill()
		w.nodes[0].start()
		w.change("ns1 is restarted, ns3 away")
		w.run(20 * time.Second)
		w.holds(given)
	})
}

// A planned switch happens at its time, though a nameserver with a wrong clock joins before.
func TestPlannedSwitchAndWrongClock(t *testing.T) {
	offClocks(t, 2, func(w *world, _ int) {
		w.nodes[0].start()
		w.run(20 * time.Second)
		n := w.nodes[0]
		w.must(n.give(failover.Order{Verb: failover.DoFailover, Pool: "chat", Deployment: "redundant", Who: "alice", At: n.clock().Add(25 * time.Minute)}))
		w.run(30 * time.Second)
		w.nodes[1].start()
		w.change("ns2 joins")
		w.run(24 * time.Minute)
		for _, n := range w.nodes {
			if n.answers[0] != "primary" {
				w.fail("%s has switched before the time", n.name)
			}
		}
		w.run(time.Minute)
		for _, n := range w.nodes {
			if n.answers[0] != "redundant" {
				w.fail("%s has not switched", n.name)
			}
		}
	})
}

// Who is off is named: by a majority where there is one, and of two as the one whose time is not gone by.
func TestWrongClockIsNamed(t *testing.T) {
	offClocks(t, 3, func(w *world, off int) {
		w.start()
		w.run(20 * time.Second)
		for i, n := range w.nodes {
			want := "nameserver " + w.nodes[off].name
			if i == off {
				want = "this nameserver"
			}
			var named []string
			for _, a := range n.core.Status(n.clock()).Alerts(n.clock()) {
				if a.Code == "clock-skew" {
					named = append(named, a.Affects)
				}
			}
			if len(named) != 1 || named[0] != want {
				w.fail("%s names %q, want %q", n.name, named, want)
			}
		}
	})
}
