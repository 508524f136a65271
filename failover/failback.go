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
	if order := find(w.Overrides, ToFailback, best.Name, w.clock()); order != nil && !order.spent(w.Pool, w.Previous) && best.known && !best.Doubt {
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

// lookAhead notes the switch that the beginning or end of an override brings: it decides once more for each such time,
// as if nothing but that had changed.
func (w *weighing) lookAhead() {
	if len(w.Overrides) == 0 {
		return
	}
	then := w.Input
	then.Previous = w.decision()
	for _, t := range w.turns() {
		then.Now = w.local(t.at)
		if !w.due.IsZero() && !then.Now.Before(w.due) {
			return
		}
		after := weigh(then)
		switch {
		case !slices.Equal(after.active, w.active):
			w.expect(then.Now, fmt.Sprintf("%s answers at %s, when the %s %s", strings.Join(after.active, ", "), utc(t.at), t.order.what(), t.verb))
			return
		case after.waits != "" && t.verb == begins: // what it waits for may come at any time
			w.expect(then.Now, fmt.Sprintf("the %s begins at %s; as things stand it waits: %s", t.order.what(), utc(t.at), after.waits))
			return
		}
	}
}

// turn is a time at which an override begins or ends.
type turn struct {
	at    time.Time // by the clock of orders
	order *Override
	verb  string
}

const (
	begins = "begins"
	ends   = "ends"
)

// turns are the times to come, in order.
func (w *weighing) turns() []turn {
	var out []turn
	now := w.clock()
	for i := range w.Overrides {
		o := &w.Overrides[i]
		if o.Cleared {
			continue
		}
		if o.From.After(now) {
			out = append(out, turn{o.From, o, begins})
		}
		if o.Until.After(now) {
			out = append(out, turn{o.Until, o, ends})
		}
	}
	slices.SortStableFunc(out, func(a, b turn) int { return a.at.Compare(b.at) })
	return out
}
