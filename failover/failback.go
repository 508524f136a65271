package failover

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/livens/livens/checker"
	"github.com/livens/livens/zones"
)

// autoDelay is how long after a switch failback = auto waits at least: a deployment that flaps within it would move
// every visitor twice.
const autoDelay = 10 * time.Second

// budgetWindow is the time over which max_failbacks counts.
const budgetWindow = time.Hour

// mayReturn is why traffic may move now from a live deployment to best; or "", and what that waits for is noted. Such a
// move is never made on memory alone: after a restart or self-doubt, best must have been judged anew.
func (w *weighing) mayReturn(best *candidate) string {
	if order := find(w.Overrides, ToFailback, best.Name, w.Now); order != nil && !order.spent(w.Pool, w.Previous) && best.known && !best.Doubt {
		if best.State == checker.Up && (best.Gate != Shut || order.Force) {
			return order.String()
		}
	}
	due, wait := w.returnDue(best)
	if due.IsZero() {
		w.pending = wait
		return ""
	}
	if !w.Now.Before(due) {
		w.returned = w.Pool.Policy != zones.AllLive // there, nobody is moved away from a live one
		return fmt.Sprintf("%s came back: up since %s, %s", best.Name, utc(best.Since), wait)
	}
	w.expect(due, fmt.Sprintf("%s gets traffic back at %s (%s)", best.Name, utc(due), wait))
	return ""
}

// returnDue is when the failback rule lets best answer, as things stand; zero with what must happen first.
func (w *weighing) returnDue(best *candidate) (due time.Time, wait string) {
	switch {
	case best.State != checker.Up:
		return time.Time{}, fmt.Sprintf("%s must be up by rise first", best.Name)
	case best.Drained != "":
		return time.Time{}, fmt.Sprintf("%s is drained %s", best.Name, best.Drained)
	case !best.known:
		return time.Time{}, fmt.Sprintf("%s must be judged anew first: %s", best.Name, best.Reason)
	}
	if best.Doubt {
		return time.Time{}, fmt.Sprintf("%s is in doubt: %s", best.Name, best.Reason)
	}
	since := later(best.Known, best.Since)
	if w.Pool.Policy != zones.AllLive { // there, one that enters moves nobody from another
		since = later(since, w.lastSwitch())
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
		due, wait = since.Add(w.Pool.FailbackDelay), "failback = delay"
	case zones.Gated:
		if best.Gate != Open {
			return time.Time{}, fmt.Sprintf("%s waits for its sync check: %s", best.Name, best.GateWhy)
		}
		due, wait = later(best.GateSince, since).Add(w.Pool.FailbackDelay), "failback = gated"
	}
	if used := w.recentFailbacks(); len(used) >= w.Pool.MaxFailbacks && w.Pool.Policy != zones.AllLive {
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
	if w.due.IsZero() || due.Before(w.due) {
		w.due, w.pending = due, pending
	}
	w.wakeAt(w.due)
	w.wakeAt(w.lowerTTLAt())
}

// lowerTTLAt is when the TTL must fall so that caches hold only the short one by the time of the switch.
func (w *weighing) lowerTTLAt() time.Time {
	return w.due.Add(-time.Duration(w.Pool.TTL) * time.Second)
}

// lookAhead notes the switch that the end of the next override brings: it decides once more, as if nothing but that had
// changed.
func (w *weighing) lookAhead() {
	next := w.nextToEnd()
	if next == nil || !w.due.IsZero() && !next.Until.Before(w.due) {
		return
	}
	then := w.Input
	then.Now, then.Previous = next.Until, w.decision()
	if after := weigh(then); !slices.Equal(after.active, w.active) {
		w.expect(next.Until, fmt.Sprintf("%s answers at %s, when the %s ends", strings.Join(after.active, ", "), utc(next.Until), next.what()))
	}
}

// nextToEnd is the override in force that ends first, or nil.
func (w *weighing) nextToEnd() *Override {
	var next *Override
	for i := range w.Overrides {
		o := &w.Overrides[i]
		if !o.Until.IsZero() && o.inForce(w.Now) && (next == nil || o.Until.Before(next.Until)) {
			next = o
		}
	}
	return next
}
