package cluster

import (
	"testing"
	"time"
)

// One of three nameservers has its clock set by an hour while an order is in force: the order holds everywhere, at every moment.
func TestAClockThatIsSetEndsNoOrder(t *testing.T) {
	for _, by := range []time.Duration{time.Hour, -time.Hour} {
		w := newWorld(t, 1, "", "", "")
		w.start()
		w.run(20 * time.Second)
		drain := drainPrimary
		drain.For = 10 * time.Minute
		w.must(w.nodes[0].give(drain))
		w.run(5 * time.Second)
		w.checks = append(w.checks, func(w *world) {
			for _, n := range w.nodes {
				if !n.drained("primary") || n.answers[0] != "redundant" {
					w.fail("at %s the drain has ended", n.name)
				}
			}
		})
		w.setClock(w.nodes[2], by)
		w.run(time.Minute)
	}
}
