package drill_test

import (
	"testing"
	"time"

	"github.com/livens/livens/internal/lab"
)

// What a nameserver may take to notice, with the defaults, when it is alone: docs/performance.md has the measurements.
const (
	killedBound = 800 * time.Millisecond
	silentBound = 2300 * time.Millisecond
)

// TestDrillAloneKilled: the process of the active deployment dies, and every nameserver finds out by itself.
func TestDrillAloneKilled(t *testing.T) {
	drillAlone(t, 0, killedBound, func(w *world) { w.primary.Kill() })
}

// TestDrillAloneStopped: the active deployment hangs: it accepts connections, and says nothing.
func TestDrillAloneStopped(t *testing.T) {
	drillAlone(t, 0, silentBound, func(w *world) { w.must(w.primary.Freeze()) })
}

// TestDrillAloneSiteVanishes: the data center of the active deployment is gone, and the nameserver in it with it.
func TestDrillAloneSiteVanishes(t *testing.T) {
	drillAlone(t, 1, silentBound, func(w *world) { w.network.Cut(lab.Both(w.a, nil, 0)...) })
}

// drillAlone strikes the active deployment of nameservers that do not talk to one another; so many, the first ones, are
// lost with it.
func drillAlone(t *testing.T, lost int, bound time.Duration, strike func(*world)) {
	t.Parallel()
	var took, visitors series
	repeat(t, func(t *testing.T) {
		w := newWorld(t, plan{nameservers: 2})
		began := w.strike(strike)
		for _, ns := range w.nameservers[lost:] {
			took.add(w.switched(ns.watch, w.redundant, began))
		}
		visitors.add(w.switched(w.resolver, w.redundant, began))
	})
	took.logf(t, "the nameservers switched after")
	visitors.logf(t, "a visitor was sent elsewhere after")
	took.medianBelow(t, bound)
}
