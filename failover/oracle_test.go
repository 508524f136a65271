package failover

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/livens/livens/checker"
	"github.com/livens/livens/zones"
)

// oracle restates the decision contract for policy failover the long way round: it keeps a history of its own and
// asks each question of it afresh, one sentence of the contract at a time.
type oracle struct {
	pool    *zones.Pool
	now     time.Time
	state   map[string]checker.State
	streak  map[string]int
	since   map[string]time.Time // of state
	gate    map[string]bool
	gateAt  map[string]time.Time
	drained map[string]bool
	prefer  *Override
	goBack  *Override
	obeyed  bool // prefer has been carried out

	active     string
	lastGood   string // what answered when it was live for the last time
	switched   time.Time
	live       bool // what answers was live when it was last looked at
	moves      []time.Time
	ordered    bool // the last move was an operator's
	everything bool // all_down = all answers
}

func (o *oracle) order() []string {
	var names []string
	for _, d := range o.pool.Deployments {
		names = append(names, d.Name)
	}
	if o.prefer != nil {
		names = slices.DeleteFunc(names, func(n string) bool { return n == o.prefer.Deployment })
		names = append([]string{o.prefer.Deployment}, names...)
	}
	return names
}

// first is the first deployment in order of which all conditions hold, or "".
func (o *oracle) first(conditions ...func(string) bool) string {
	for _, n := range o.order() {
		if !slices.ContainsFunc(conditions, func(c func(string) bool) bool { return !c(n) }) {
			return n
		}
	}
	return ""
}

func (o *oracle) isUp(n string) bool {
	return o.state[n] == checker.Up || n == o.active && o.live && !o.everything && o.oneSuccess(n)
}
func (o *oracle) oneSuccess(n string) bool { return o.state[n] == checker.Down && o.streak[n] > 0 }
func (o *oracle) isUnknown(n string) bool  { return o.state[n] == checker.Unknown }
func (o *oracle) undrained(n string) bool  { return !o.drained[n] }
func (o *oracle) isDrained(n string) bool  { return o.drained[n] }

func (o *oracle) decide() []string {
	names := o.judge()
	o.obeyed = o.obeyed || o.prefer != nil && slices.Equal(names, []string{o.prefer.Deployment})
	return names
}

func (o *oracle) judge() []string {
	if p := o.prefer; p != nil && p.Force {
		return o.to(p.Deployment, o.isUp(p.Deployment))
	}
	levels := [][]func(string) bool{
		{o.isUp, o.undrained}, {o.isUp, o.isDrained}, {o.oneSuccess, o.undrained}, {o.oneSuccess, o.isDrained},
		{o.isUnknown, o.undrained}, {o.isUnknown, o.isDrained},
	}
	for level, conditions := range levels {
		best := o.first(conditions...)
		if best == "" {
			continue
		}
		if o.active == "" || o.everything {
			return o.to(best, true)
		}
		if level < 4 && o.isUnknown(o.active) && o.undrained(o.active) && !o.orderIsFresh(best) {
			return o.to(o.active, true) // nothing is known against it
		}
		onLevel := !slices.ContainsFunc(conditions, func(c func(string) bool) bool { return !c(o.active) })
		if !onLevel || best == o.active || o.orderIsFresh(best) {
			return o.to(best, true)
		}
		if !o.mayMove(best) {
			return o.to(o.active, true)
		}
		if !o.ordered {
			o.moves = append(o.moves, o.now)
		}
		return o.to(best, true)
	}
	return o.nobody()
}

func (o *oracle) orderIsFresh(best string) bool {
	return o.prefer != nil && o.prefer.Deployment == best && !o.obeyed
}

func (o *oracle) mayMove(best string) bool {
	o.ordered = false
	if o.state[best] != checker.Up {
		return false
	}
	if g := o.goBack; g != nil && g.Deployment == best && g.At.After(o.switched) && (o.pool.Sync == nil || o.gate[best]) {
		o.ordered = true
		return true
	}
	if o.drained[best] {
		return false
	}
	lately := 0
	for _, t := range o.moves {
		if o.now.Sub(t) < time.Hour {
			lately++
		}
	}
	if lately >= o.pool.MaxFailbacks {
		return false
	}
	has := func(t time.Time, d time.Duration) bool { return o.now.Sub(t) >= d }
	switch o.pool.Failback {
	case zones.Auto:
		return has(o.switched, 10*time.Second)
	case zones.Delay:
		return has(o.switched, o.pool.FailbackDelay) && has(o.since[best], o.pool.FailbackDelay)
	case zones.Gated:
		return has(o.switched, o.pool.FailbackDelay) && has(o.since[best], o.pool.FailbackDelay) &&
			o.gate[best] && has(o.gateAt[best], o.pool.FailbackDelay)
	}
	return false
}

func (o *oracle) nobody() []string {
	first := o.pool.Deployments[0].Name
	switch {
	case o.pool.AllDown == zones.All:
		var all []string
		for _, d := range o.pool.Deployments {
			all = append(all, d.Name)
		}
		if !o.everything {
			o.switched = o.now
		}
		o.everything, o.live = true, false
		return all
	case o.pool.AllDown == zones.Primary || o.lastGood == "":
		return o.to(first, false)
	}
	return o.to(o.lastGood, false)
}

func (o *oracle) to(n string, live bool) []string {
	if o.isUp(n) || o.oneSuccess(n) {
		o.lastGood = n
	}
	if n != o.active || o.everything {
		o.switched = o.now
	}
	o.active, o.live, o.everything = n, live, false
	return []string{n}
}

// TestDecideAgainstOracle drives both through long random histories.
func TestDecideAgainstOracle(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		w := newWorld(t, func(p *zones.Pool) {
			p.Failback = rapid.SampledFrom([]zones.Failback{zones.Auto, zones.Delay, zones.Manual, zones.Gated}).Draw(r, "failback")
			p.AllDown = rapid.SampledFrom([]zones.AllDown{zones.LastGood, zones.Primary, zones.All}).Draw(r, "all_down")
			p.MaxFailbacks = rapid.IntRange(1, 3).Draw(r, "max_failbacks")
			if p.Failback == zones.Gated {
				gated(p)
			}
			p.Deployments = append(p.Deployments, &zones.Deployment{Name: "third", Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.30")}})
		})
		o := &oracle{
			pool: w.pool, state: map[string]checker.State{}, streak: map[string]int{}, since: map[string]time.Time{},
			gate: map[string]bool{}, gateAt: map[string]time.Time{}, drained: map[string]bool{},
		}
		var history []string
		for range rapid.IntRange(1, 60).Draw(r, "steps") {
			w.after(time.Duration(rapid.IntRange(1, 40000).Draw(r, "ms")) * time.Millisecond)
			o.now = w.now
			history = append(history, fmt.Sprintf("%6.1fs %s", w.now.Sub(epochStart).Seconds(), o.event(r, w)))
			got, want := w.decide(), o.decide()
			if !slices.Equal(got.Active, want) {
				r.Fatalf("%v answers, the oracle says %v\nreason: %s\nsteps: %q\nhistory: %q", got.Active, want, got.Reason, got.Steps, history)
			}
		}
	})
}

// event changes the world and the oracle's history alike, and says how.
func (o *oracle) event(r *rapid.T, w *world) string {
	name := rapid.SampledFrom([]string{"primary", "redundant", "third"}).Draw(r, "who")
	switch what := rapid.SampledFrom([]string{"up", "up", "down", "down", "success", "sync", "no sync", "drain", "undrain", "prefer", "force", "forget", "go back", "wait"}).Draw(r, "what"); what {
	case "up", "down":
		s := map[string]checker.State{"up": checker.Up, "down": checker.Down}[what]
		w.is(name, s)
		if o.state[name] != s {
			o.since[name] = o.now
		}
		o.state[name], o.streak[name] = s, verdictOf(s).Streak
		return what + " " + name
	case "success":
		if o.state[name] == checker.Down {
			w.verdict(name, w.pool.Checks[0], checker.Verdict{State: checker.Down, Streak: 1, Reason: "HTTP 200"})
			o.streak[name] = 1
		}
		return what + " " + name
	case "sync", "no sync":
		if w.pool.Sync == nil {
			return "wait"
		}
		open := what == "sync"
		w.sync(name, map[bool]checker.State{true: checker.Up, false: checker.Down}[open])
		if o.gate[name] != open {
			o.gateAt[name] = o.now
		}
		o.gate[name] = open
		return what + " " + name
	case "drain":
		w.order(ToDrain, name)
		o.drained[name] = true
		return what + " " + name
	case "undrain":
		w.remove(ToDrain, name)
		o.drained[name] = false
		return what + " " + name
	case "prefer", "force":
		w.remove(ToFailover, "")
		w.order(ToFailover, name, func(x *Override) { x.Force = what == "force" })
		last := w.overrides[len(w.overrides)-1]
		o.prefer, o.obeyed = &last, false
		return what + " " + name
	case "forget":
		w.remove(ToFailover, "")
		o.prefer = nil
		return what
	case "go back":
		w.remove(ToFailback, "")
		w.order(ToFailback, name)
		last := w.overrides[len(w.overrides)-1]
		o.goBack = &last
		return what + " " + name
	}
	return "wait"
}
