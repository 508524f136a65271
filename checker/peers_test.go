package checker

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/livens/livens/zones"
)

// While another nameserver is heard, this one is not cut off: two deployments that fall silent together are dead.
func TestPeerHeardIsNoSelfDoubt(t *testing.T) {
	for _, from := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			var heard atomic.Bool
			heard.Store(from)
			var lost atomic.Pointer[time.Time]
			lose := func(at time.Time) { lost.Store(&at) }
			lose(time.Now().Add(24 * time.Hour))
			b := newBench(Options{Heard: func() time.Time {
				if gone := lost.Load(); !heard.Load() && time.Now().After(*gone) {
					return *gone
				}
				return time.Now()
			}})
			targets := []Target{on("192.0.2.1", defaults(zones.Check{})), on("192.0.2.2", defaults(zones.Check{}))}
			b.Update(targets)
			b.run()
			time.Sleep(10 * time.Second)
			lose(time.Now())
			b.setAll(silent)
			time.Sleep(4 * time.Second)
			synctest.Wait()
			want := Down
			if !from {
				want = Unknown
			}
			for _, target := range targets {
				b.want(t, target, want)
			}
			heard.Store(true) // a peer's voice alone ends the doubt
			time.Sleep(6 * time.Second)
			synctest.Wait()
			for _, target := range targets {
				b.want(t, target, Down)
			}
			b.stop(t)
		})
	}
}

// A target that somebody else doubts is asked at once and not after its interval.
func TestHurryAsksAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		check := defaults(zones.Check{})
		check.Interval = time.Hour
		b := newBench(Options{})
		target := on("192.0.2.1", check)
		b.Update([]Target{target})
		b.run()
		time.Sleep(10 * time.Second)
		before := b.Stats().Targets[target.Key].Probes
		time.Sleep(10 * time.Second)
		if n := b.Stats().Targets[target.Key].Probes; n != before {
			t.Fatalf("probed without a reason: %d", n-before)
		}
		b.Hurry([]string{target.Key, "no such target"})
		time.Sleep(time.Millisecond)
		synctest.Wait()
		if n := b.Stats().Targets[target.Key].Probes; n != before+1 {
			t.Errorf("%d probes, want one more than %d", n, before)
		}
		b.stop(t)
	})
}
