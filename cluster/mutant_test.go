package cluster

import (
	"strings"
	"testing"
	"time"

	"github.com/livens/livens/checker"
	"github.com/livens/livens/failover"
)

// A livens with a fault does not get through the histories: what the simulator checks can fail.
func TestHistoriesFindFaults(t *testing.T) {
	for fault, c := range map[string]struct {
		spoil func(*simNode, *failover.News)
		check func(*world)
		finds string
	}{
		"what is down is agreed 6 s late":      {agreedLate, (*world).noDeadAnswer, "have called down for"},
		"orders are judged by a clock 5 s off": {clockAhead, (*world).ordersHold, "before its time"},
		"orders are forgotten":                 {ordersEnd, (*world).ordersHold, "too early"},
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			for seed := uint64(2); seed < 80; seed += 2 { // those in which what follows is seen to its end
				w := history(t, seed, func(w *world) {
					w.spoil, w.tolerant, w.checks = c.spoil, true, []func(*world){c.check}
				})
				if strings.Contains(w.broken, c.finds) {
					t.Logf("seed %d: %s", seed, w.broken)
					return
				}
			}
			t.Error("nobody notices")
		})
	}
}

// agreedLate keeps the engine from learning for 6 s that a target is agreed to be down.
func agreedLate(n *simNode, news *failover.News) {
	const late = 6 * time.Second
	for key, v := range news.Verdicts {
		ago := n.clock().Sub(v.Since)
		if v.State != checker.Down || ago >= late {
			continue
		}
		delete(news.Verdicts, key)
		boot := n.boot
		n.w.after(late-ago, func() {
			if a := n.core.agreed[key]; n.up && !n.stopped && n.boot == boot && a != nil {
				n.core.news[key], n.core.unread = a.Agreed, true
				n.follow()
			}
		})
	}
}

func clockAhead(_ *simNode, news *failover.News) { news.Standing.Skew += 5 * time.Second }

// ordersEnd has the engine's clock run ahead of all orders for every other ten seconds.
func ordersEnd(n *simNode, news *failover.News) {
	if n.w.now.Sub(epoch)/(10*time.Second)%2 == 1 {
		news.Standing.Skew += 2 * time.Hour
	}
}
