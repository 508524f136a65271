package events

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/livens/livens/failover"
)

// HookStats is how telling one hook goes, since the hook got its present settings. Start commands are one hook,
// named StartHook.
type HookStats struct {
	Hook    string `json:"hook"`
	Told    uint64 `json:"told"`     // events that it has
	Failed  uint64 `json:"failed"`   // tries
	GivenUp uint64 `json:"given_up"` // events that became too old, or for which there was no room
	Pending int    `json:"pending"`  // events that it is yet to be told, by whichever nameserver
}

// Stats are those of every hook, by name; start commands are there once one was wanted.
func (t *Teller) Stats() []HookStats {
	var out []HookStats
	at := map[string]int{}
	for _, w := range t.workers() {
		i, known := at[w.debt.hook]
		if !known {
			i = len(out)
			at[w.debt.hook] = i
			out = append(out, HookStats{Hook: w.debt.hook})
		}
		w.addTo(&out[i])
	}
	for hook, lost := range t.o.Log.lost() {
		if i, known := at[hook]; known {
			out[i].GivenUp += lost.events
		}
	}
	return out
}

func (w *worker) addTo(s *HookStats) {
	s.Pending += len(w.log.owed(w.debt))
	w.mu.Lock()
	defer w.mu.Unlock()
	s.Told += w.record.told
	s.Failed += w.record.failed
	s.GivenUp += w.record.givenUp
}

// lossLife is how long after it was last so it is worth a look that events were given up for want of room.
const lossLife = time.Hour

// alert says so.
func (l loss) alert(hook string, now time.Time) (failover.Alert, bool) {
	return failover.Alert{
		Code: "events-given-up", Severity: failover.Warning, Affects: "hook " + hook, Since: l.last,
		Text: fmt.Sprintf("%d events were never told to %s: more than %d waited, and the oldest were given up", l.events, hook, waitLimit),
		Hint: "look at the receiver, and why so much happens; what waits is told when it works",
	}, now.Sub(l.last) <= lossLife
}

// tellLosses logs the events that were given up since the last call.
func (t *Teller) tellLosses() {
	for hook, lost := range t.o.Log.lost() {
		if n := lost.events - t.lost[hook]; n > 0 {
			t.o.Logger.Error("events are given up untold: too many wait", "to", hook, "events", n, "limit", waitLimit)
			t.lost[hook] = lost.events
		}
	}
}

// Alerts are the hooks whose latest try failed, or whose events became too old, with code "hook-failing", and those for
// whose events there was no room, with code "events-given-up".
func (t *Teller) Alerts() []failover.Alert {
	var out []failover.Alert
	for _, w := range t.workers() {
		if a, failing := w.alert(); failing {
			out = append(out, a)
		}
	}
	lost := t.o.Log.lost()
	for _, hook := range slices.Sorted(maps.Keys(lost)) {
		if a, recent := lost[hook].alert(hook, time.Now()); recent {
			out = append(out, a)
		}
	}
	return out
}

func (w *worker) alert() (failover.Alert, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	r := w.record
	a := failover.Alert{Code: "hook-failing", Severity: failover.Warning, Affects: w.what, Since: r.since,
		Text: fmt.Sprintf("%s cannot be told what happened", w.what),
		Hint: "answers do not depend on it; look at the receiver, or correct the hook: what is pending is told when it works"}
	if r.err != nil {
		a.Text += ": " + r.err.Error()
	}
	if r.givenUp > 0 {
		a.Text += fmt.Sprintf(" (%d given up)", r.givenUp)
	}
	return a, !r.since.IsZero()
}
