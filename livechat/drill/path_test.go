package drill_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/livens/livens/failover"
)

// TestDrillChatStall (F2): for 1.5 s nothing passes between the browsers and the active deployment, which is fine. Nobody
// is moved.
func TestDrillChatStall(t *testing.T) {
	t.Parallel()
	drill(t, plan{}, func(w *world) row {
		began := time.Now()
		w.blackHole()
		time.Sleep(1500 * time.Millisecond) // what the promise says
		w.primary.suffer(fault{})
		w.name(fault{})
		w.hear(time.Now())
		time.Sleep(steadyPeriod)
		f := w.finish(began)
		w.unmoved(began, f)
		return row{what: "path stalled for 1.5 s", promised: "no switch", figures: f}
	})
}

// TestDrillChatHiccup (F1): a redundant component fails over within the deployment, which takes 400 ms. Nobody is moved,
// and the nameserver, says the same all the while.
func TestDrillChatHiccup(t *testing.T) {
	t.Parallel()
	drill(t, plan{}, func(w *world) row {
		began := time.Now()
		w.primary.freeze()
		time.Sleep(400 * time.Millisecond) // what the drill is about
		w.primary.thaw()
		w.hear(time.Now())
		time.Sleep(steadyPeriod)
		f := w.finish(began)
		w.unmoved(began, f)
		if err := w.steady(began); err != nil {
			t.Error(err)
		}
		return row{what: "a hiccup of 400 ms", promised: "no switch", figures: f}
	})
}

// TestDrillChatReset (F1): a router that lost its state breaks every connection. All are back at once.
func TestDrillChatReset(t *testing.T) {
	drill(t, plan{}, func(w *world) row {
		began := time.Now()
		for range 5 {
			struck := time.Now()
			w.resetAll()
			for _, p := range w.parties() {
				p.await("a welcome", struck, followLimit, kind("ready"))
			}
			w.hear(time.Now())
		}
		f := w.finish(began)
		w.below(killedBound, f)
		return row{what: "every connection reset, 5 times", promised: promise(killedBound), figures: f}
	})
}

// TestDrillChatBlackHole (F3, F4): nothing passes any more between the browsers and the active deployment.
func TestDrillChatBlackHole(t *testing.T) {
	drill(t, plan{}, func(w *world) row {
		return w.writingUntil(w.blackHole, "path black-holed while both write")
	})
}

// TestDrillChatBlackHoleIdle (F3, F4): the same while nobody writes.
func TestDrillChatBlackHoleIdle(t *testing.T) {
	drill(t, plan{idle: true}, func(w *world) row {
		return w.idleUntil(w.blackHole, "path black-holed while nobody writes")
	})
}

// writingUntil strikes while both write, and holds how long it takes until both are elsewhere and hear each other.
func (w *world) writingUntil(strike func(), what string) row {
	w.t.Helper()
	began := time.Now()
	strike()
	w.bothTo(w.redundant, began)
	w.hear(time.Now())
	f := w.finish(began)
	w.below(silentBound, f)
	return row{what: what, promised: promise(silentBound), figures: f}
}

// blackHole lets nothing pass between browsers and the primary, by whichever name.
func (w *world) blackHole() {
	w.primary.suffer(fault{stalled: true})
	w.name(fault{stalled: true})
}

// TestDrillChatRefused (F5): what stands before the active deployment answers every new connection with an error, breaks those
// that are open, and is well by the nameserver's check: one error after the other, at the one and at the other deployment.
func TestDrillChatRefused(t *testing.T) {
	drill(t, plan{}, func(w *world) row {
		began := time.Now()
		active := w.primary
		var seen []string
		for _, f := range []fault{{upgrade: http.StatusForbidden}, {upgrade: http.StatusServiceUnavailable}, {refusing: true}} {
			struck := time.Now()
			w.breakAt(active, f)
			w.bothTo(w.other(active), struck)
			w.hear(time.Now())
			seen = append(seen, fmt.Sprint(round(w.noticed(struck, time.Now()).gap)))
			active.suffer(fault{})
			w.name(fault{})
			active = w.other(active)
			w.obeyed(failover.DoFailover, active)
			w.active(active)
		}
		f := w.finish(began)
		w.below(killedBound, f)
		return row{what: "upgrade answered 403, 503, connections refused", promised: promise(killedBound), figures: f, more: "gaps of " + strings.Join(seen, ", ")}
	})
}

// breakAt breaks the connections to a deployment, and does so with new ones as the fault says, also by the service's name.
func (w *world) breakAt(d *deployment, f fault) {
	d.suffer(f)
	w.name(f)
	w.resetAll()
}

// TestDrillChatNoWelcome (F5): the primary opens WebSockets, and never welcomes.
func TestDrillChatNoWelcome(t *testing.T) {
	t.Parallel()
	drill(t, plan{}, func(w *world) row {
		return w.writingUntil(func() { w.breakAt(w.primary, fault{withhold: framesOf("welcome")}) }, "welcome never sent")
	})
}

// TestDrillChatNoAck (F5): the primary takes messages and acknowledges none.
func TestDrillChatNoAck(t *testing.T) {
	t.Parallel()
	drill(t, plan{}, func(w *world) row {
		return w.writingUntil(func() {
			f := fault{withhold: framesOf("ack")}
			w.primary.suffer(f)
			w.name(f)
		}, "acknowledgement withheld")
	})
}

// TestDrillChatSides (F11): each of the two reaches only one deployment, and not the same.
func TestDrillChatSides(t *testing.T) {
	drill(t, plan{}, func(w *world) row {
		began := time.Now()
		for _, path := range []*relay{w.primary.paths[visitorRole], w.fronts[visitorRole]} {
			path.set(fault{refusing: true})
			path.reset()
		}
		w.visitor.await("a switch", began, followLimit, switchedTo(w.redundant.name))
		w.hear(time.Now())
		time.Sleep(steadyPeriod) // the two deployments relay
		w.hear(time.Now())
		f := w.finish(began)
		w.below(killedBound, f)
		if got := value[string](w.operator.tab, "drill.speakers[0].chat.deployment"); got != w.primary.name {
			t.Errorf("the operator is at %s", got)
		}
		return row{what: "visitor and operator on different sides", promised: promise(killedBound), figures: f}
	})
}
