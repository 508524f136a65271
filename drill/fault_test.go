package drill_test

import (
	"testing"
	"time"

	"github.com/livens/livens/internal/lab"
)

// What nameservers that talk may take, with the defaults.
const (
	switchBound  = 2500 * time.Millisecond // from any fault until they all have switched, every time
	messageBound = 300 * time.Millisecond  // that talking adds to what one alone takes
	apartMedian  = 300 * time.Millisecond  // between the first that switches and the last
	apartWorst   = time.Second
	reunionBound = time.Second // from the healing of a network until all give one answer, every time
)

// fault is one that takes the primary deployment from visitors, and what it may cost.
type fault struct {
	plan   plan
	strike func(*world)
	lost   int           // so many nameservers, the first ones, are lost with it
	bound  time.Duration // until the connected ones have switched: the median, if it is below switchBound
	apart  time.Duration // between the first of them and the last
	after  func(*world)  // what comes then; may be nil
}

// drill has the fault happen, several times.
func (f fault) drill(t *testing.T) {
	var took, apart, visitors series
	repeat(t, func(t *testing.T) {
		w := newWorld(t, f.plan)
		connected := w.nameservers[f.lost:]
		began := w.strike(f.strike)
		for _, ns := range connected {
			took.add(w.switched(ns.watch, w.redundant, began))
		}
		visitors.add(w.switched(w.resolver, w.redundant, began))
		apart.add(lab.Apart(began, time.Now(), lines(connected)...))
		if f.after != nil {
			f.after(w)
		}
	})
	took.logf(t, "the nameservers switched after")
	visitors.logf(t, "a visitor was sent elsewhere after")
	apart.logf(t, "the nameservers gave different answers for")
	took.medianBelow(t, f.bound)
	took.worstBelow(t, switchBound)
	apart.medianBelow(t, f.apart)
	apart.worstBelow(t, f.apart+apartWorst-apartMedian)
}

// lines are what the nameservers were seen to answer.
func lines(nameservers []*nameserver) (lines []lab.Timeline) {
	for _, ns := range nameservers {
		lines = append(lines, ns.watch.Timeline())
	}
	return lines
}

// TestDrillKilled (F9): the process of the active deployment dies.
func TestDrillKilled(t *testing.T) {
	t.Parallel()
	fault{
		plan: three(), strike: func(w *world) { w.primary.Kill() },
		bound: killedBound + messageBound, apart: apartMedian,
	}.drill(t)
}

// TestDrillTwoKilled: the same with two nameservers, who need each other's vote.
func TestDrillTwoKilled(t *testing.T) {
	t.Parallel()
	fault{
		plan: plan{nameservers: 2, cluster: true}, strike: func(w *world) { w.primary.Kill() },
		bound: killedBound + messageBound, apart: apartMedian,
	}.drill(t)
}

// TestDrillStopped (F2): the active deployment hangs.
func TestDrillStopped(t *testing.T) {
	t.Parallel()
	fault{
		plan: three(), strike: func(w *world) { w.must(w.primary.Freeze()) },
		bound: switchBound, apart: apartMedian,
	}.drill(t)
}

// TestDrillRouterDies (F3): the only way to the active deployment is gone; the nameserver beside it is reached.
func TestDrillRouterDies(t *testing.T) {
	t.Parallel()
	fault{
		plan: three(), strike: func(w *world) { w.network.Cut(lab.Both(w.primary.host, nil, 0)...) },
		bound: switchBound, apart: apartMedian,
	}.drill(t)
}

// TestDrillSiteVanishes (F4): the data center with the active deployment and one of three nameservers is gone. The
// nameserver in it still sees that deployment, and is alone; when the data center is back, it follows the others.
func TestDrillSiteVanishes(t *testing.T) {
	t.Parallel()
	var reunions series
	var heal func()
	fault{
		plan: three(), strike: func(w *world) { heal = w.network.Cut(lab.Both(w.a, nil, 0)...) },
		lost: 1, bound: switchBound, apart: apartMedian,
		after: func(w *world) { reunions.add(w.reunion(heal)) },
	}.drill(t)
	reunions.logf(t, "healed, the nameservers gave one answer after")
	reunions.worstBelow(t, reunionBound)
}

// TestDrillFirewallError (F5): a rule drops whatever opens a connection to the active deployment from outside its data
// center. The nameserver inside sees nothing of it, and neither do open connections.
func TestDrillFirewallError(t *testing.T) {
	t.Parallel()
	fault{
		plan: three(), strike: func(w *world) {
			w.network.Cut(
				lab.Rule{From: w.b, To: w.primary.host, Port: webPort, Opening: true},
				lab.Rule{From: w.c, To: w.primary.host, Port: webPort, Opening: true},
			)
		},
		bound: switchBound, apart: apartMedian,
	}.drill(t)
}

// TestDrillDelayedLinks: one of three nameservers is 80 ms away from everybody, each way.
func TestDrillDelayedLinks(t *testing.T) {
	t.Parallel()
	const delay = 80 * time.Millisecond
	p := three()
	p.delayed = delay
	fault{
		plan: p, strike: func(w *world) { w.primary.Kill() },
		bound: killedBound + messageBound + 2*delay, apart: apartMedian + delay,
	}.drill(t)
}

// three is the plan of most drills.
func three() plan { return plan{nameservers: 3, cluster: true} }
