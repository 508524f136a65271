package failover

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/livens/livens/checker"
	"github.com/livens/livens/zones"
)

// alerts are the codes raised for the world's last decision, with their severities.
func (w *world) alerts(want ...string) []Alert {
	w.t.Helper()
	w.decide()
	raised := poolAlerts(w.pool, w.previous, w.now)
	var got []string
	for _, a := range raised {
		got = append(got, string(a.Severity)+" "+a.Code)
		if a.Affects == "" || a.Text == "" || a.Hint == "" {
			w.t.Errorf("an alert that does not say enough: %+v", a)
		}
	}
	if !slices.Equal(got, want) {
		w.t.Errorf("alerts %q, want %q", got, want)
	}
	return raised
}

func TestAlerts(t *testing.T) {
	w := newWorld(t, gated)
	w.up("primary", "redundant")
	w.sync("primary", checker.Up)
	w.sync("redundant", checker.Up)
	w.alerts()
	w.down("redundant")
	w.alerts("warning deployment-down") // F10
	w.order(ToDrain, "redundant")
	w.alerts() // it was taken out on purpose
	w.overrides = nil
	w.down("primary")
	w.alerts("critical pool-all-down")
	w.order(ToFailover, "primary", forced, until(w.now.Add(time.Hour)))
	w.up("redundant")
	w.alerts("critical deployment-down") // the dead one answers, because an operator forces it
}

// What answers again after the first success is down by rise until it has proven itself: no order forces traffic onto it.
func TestNoAlertForWhatHasRevived(t *testing.T) {
	w := newWorld(t)
	w.up("primary", "redundant")
	w.alerts()
	w.down("primary", "redundant")
	w.alerts("critical pool-all-down")
	w.verdict("redundant", w.pool.Checks[0], checker.Verdict{State: checker.Down, Streak: 1, Reason: "HTTP 200"})
	raised := w.alerts("warning deployment-down")
	if !strings.Contains(raised[0].Affects, "primary") {
		t.Errorf("raised for %s", raised[0].Affects)
	}
	w.down("redundant")
	w.alerts("critical pool-all-down")
}

func TestAlertForAGateThatStaysShut(t *testing.T) {
	w := newWorld(t, gated)
	w.up("primary", "redundant")
	w.sync("primary", checker.Down)
	w.sync("redundant", checker.Up)
	w.alerts()
	w.after(gateAlertAfter)
	for _, a := range w.alerts("warning gate-shut") {
		if !strings.Contains(a.Text, "HTTP 503") {
			t.Errorf("it does not say why: %s", a.Text)
		}
	}
}

func TestAlertForASpentBudget(t *testing.T) {
	w := newWorld(t, func(p *zones.Pool) { p.MaxFailbacks = 1 })
	w.up("primary", "redundant")
	w.decide()
	w.after(time.Minute)
	w.down("primary")
	w.decide()
	w.after(time.Minute)
	w.up("primary")
	w.answers("primary")
	w.alerts("warning failback-budget")
	w.after(budgetWindow)
	w.alerts()
}
