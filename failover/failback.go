package failover

import (
	"fmt"
	"time"

	"github.com/livens/livens/checker"
	"github.com/livens/livens/zones"
)

// autoDelay is how long after a switch failback = auto waits at least: a deployment that flaps within it would move
// every visitor twice.
const autoDelay = 10 * time.Second

// budgetWindow is the time over which max_failbacks counts.
const budgetWindow = time.Hour

// mayReturn says whether traffic may move now from a live deployment to best, and otherwise notes what it waits for.
func (w *weighing) mayReturn(best *candidate) bool {
	if order := find(w.Overrides, ToFailback, best.Name, w.Now); order != nil && order.At.After(w.Previous.Since) {
		if best.State == checker.Up && (best.Gate != Shut || order.Force) {
			w.step("%s is carried out", order)
			return true
		}
	}
	due, wait := w.returnDue(best)
	if due.IsZero() {
		w.pending = wait
		return false
	}
	if !w.Now.Before(due) {
		return true
	}
	w.expect(due, fmt.Sprintf("%s gets traffic back at %s (%s)", best.Name, utc(due), wait))
	return false
}

// returnDue is when the failback rule lets best answer, as things stand; zero with what must happen first.
func (w *weighing) returnDue(best *candidate) (due time.Time, wait string) {
	if best.State != checker.Up {
		return time.Time{}, fmt.Sprintf("%s must be up by rise first", best.Name)
	}
	switch w.Pool.Failback {
	case zones.Manual:
		return time.Time{}, fmt.Sprintf("failback = manual: livens failback %s moves traffic back to %s", w.Pool.Name, best.Name)
	case zones.Auto:
		due, wait = w.lastSwitch().Add(autoDelay), "failback = auto"
		if w.Pool.Policy == zones.AllLive {
			due = w.Now
		}
	case zones.Delay:
		due, wait = later(best.Since, w.lastSwitch()).Add(w.Pool.FailbackDelay), "failback = delay"
	case zones.Gated:
		if best.Gate != Open {
			return time.Time{}, fmt.Sprintf("%s waits for its sync check: %s", best.Name, best.GateWhy)
		}
		since := later(best.GateSince, later(best.Since, w.lastSwitch()))
		due, wait = since.Add(w.Pool.FailbackDelay), "failback = gated"
	}
	if used := w.recentFailbacks(); len(used) >= w.Pool.MaxFailbacks {
		free := used[len(used)-w.Pool.MaxFailbacks].Add(budgetWindow)
		if free.After(due) {
			due, wait = free, fmt.Sprintf("max_failbacks = %d in an hour", w.Pool.MaxFailbacks)
		}
	}
	return due, wait
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// recentFailbacks are the moves that count against the budget now.
func (w *weighing) recentFailbacks() []time.Time {
	var out []time.Time
	if w.Previous != nil {
		for _, t := range w.Previous.Failbacks {
			if w.Now.Sub(t) < budgetWindow {
				out = append(out, t)
			}
		}
	}
	return out
}

// expect notes a switch that is due at a known time: the TTL falls one TTL ahead of it.
func (w *weighing) expect(due time.Time, pending string) {
	w.due, w.pending = due, pending
	w.wakeAt(due)
	w.wakeAt(w.lowerTTLAt())
}

// lowerTTLAt is when the TTL must fall so that caches hold only the short one by the time of the switch.
func (w *weighing) lowerTTLAt() time.Time {
	return w.due.Add(-time.Duration(w.Pool.TTL) * time.Second)
}

// expectExpiry notes the switch that the end of an operator's preference will bring, once that is what answers.
func (w *weighing) expectExpiry(order *Override) {
	if order == nil || order.Until.IsZero() || w.active[0] != order.Deployment {
		return
	}
	next := w.best(nil)
	if next.Name == order.Deployment || w.rank(next) != live {
		return
	}
	due, wait := w.returnDue(next)
	if due.IsZero() {
		w.pending = wait
		return
	}
	due = later(due, order.Until)
	w.expect(due, fmt.Sprintf("%s gets traffic back at %s, when the %s ends (%s)", next.Name, utc(due), order.Kind, wait))
}
