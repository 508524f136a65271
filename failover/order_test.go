package failover

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/livens/livens/checker"
	"github.com/livens/livens/zones"
)

// give plans an order in the world and, if it is not refused, puts what follows in force.
func (w *world) give(o Order) error {
	w.t.Helper()
	o.Pool, o.Who = w.pool.Name, "alice"
	set := &zones.Set{Pools: []*zones.Pool{w.pool}}
	next, err := o.plan(desk{set, map[string]*Decision{w.pool.Name: w.previous}, w.overrides, "ns1", w.now})
	if err != nil && !errors.Is(err, ErrRefused) {
		w.t.Fatalf("an error that is no refusal: %v", err)
	}
	if err == nil {
		w.overrides = next
		w.after(time.Millisecond)
	}
	return err
}

func (w *world) refused(o Order, why string) {
	w.t.Helper()
	if err := w.give(o); err == nil || !strings.Contains(err.Error(), why) {
		w.t.Errorf("%+v: got %v, want a refusal that says %q", o, err, why)
	}
}

func (w *world) obeyed(o Order) {
	w.t.Helper()
	if err := w.give(o); err != nil {
		w.t.Fatalf("%+v: %v", o, err)
	}
}

func TestFailoverOrder(t *testing.T) {
	w := newWorld(t, gated)
	w.up("primary", "redundant")
	w.sync("redundant", checker.Down)
	w.answers("primary")
	w.refused(Order{Verb: DoFailover, Deployment: "secondary"}, "primary, redundant")
	w.refused(Order{Verb: DoFailover, Deployment: "redundant"}, "not in sync (HTTP 503")
	w.sync("redundant", checker.Up)
	w.down("redundant")
	w.answers("primary")
	w.refused(Order{Verb: DoFailover, Deployment: "redundant"}, "is down (connect: refused)")
	w.refused(Order{Verb: DoFailover, Deployment: "redundant", Force: true}, "--force needs --for")
	w.obeyed(Order{Verb: DoFailover, Deployment: "redundant", Force: true, For: time.Hour})
	w.answers("redundant")
	w.up("redundant")
	w.answers("redundant")
	w.obeyed(Order{Verb: DoFailover, Deployment: "redundant"})
	if len(w.overrides) != 1 || w.overrides[0].Force {
		t.Errorf("a second order did not replace the first: %v", w.overrides)
	}
	w.obeyed(Order{Verb: DoFailback})
	w.answers("redundant") // the gate is shut: the order waits
	w.sync("primary", checker.Up)
	w.answers("primary")
}

func TestFailoverToDrainingIsRefused(t *testing.T) {
	w := newWorld(t)
	w.up("primary", "redundant")
	w.answers("primary")
	w.obeyed(Order{Verb: DoDrain, Deployment: "redundant"})
	w.answers("primary")
	w.refused(Order{Verb: DoFailover, Deployment: "redundant"}, "is draining")
	w.refused(Order{Verb: DoDrain, Deployment: "primary"}, "last live deployment")
	w.obeyed(Order{Verb: DoDrain, Deployment: "primary", Force: true, For: time.Minute})
	w.answers("primary") // both drained: the first in order, and nobody is left without an answer
	w.obeyed(Order{Verb: DoUndrain, Deployment: "redundant"})
	w.answers("redundant")
	w.refused(Order{Verb: DoUndrain, Deployment: "redundant"}, "is not drained")
}

func TestUndrainOfAFileDrainSaysWhoDrains(t *testing.T) {
	w := newWorld(t)
	w.up("primary", "redundant")
	v := verdictOf(checker.Up)
	v.Drain, v.Reason = true, "kernel upgrade"
	w.verdict("primary", w.pool.Checks[0], v)
	w.answers("redundant")
	w.refused(Order{Verb: DoUndrain, Deployment: "primary"}, "kernel upgrade")
}

func TestOrdersToOtherPools(t *testing.T) {
	w := newWorld(t, func(p *zones.Pool) { p.Policy = zones.AllLive })
	w.up("primary", "redundant")
	w.answers("primary", "redundant")
	w.refused(Order{Verb: DoFailover, Deployment: "redundant"}, "drain")
	w.pool.Follow = "other"
	w.refused(Order{Verb: DoDrain, Deployment: "primary"}, "give the order to other")
	_, err := Order{Verb: DoFailback, Pool: "cat", Who: "alice"}.plan(desk{set: &zones.Set{Pools: []*zones.Pool{w.pool}}, now: w.now})
	if err == nil || !strings.Contains(err.Error(), "chat") {
		t.Errorf("unknown pool: %v", err)
	}
}

func TestFailbackOrderWhenNothingIsLive(t *testing.T) {
	w := newWorld(t)
	w.down("primary", "redundant")
	w.answers("primary")
	w.obeyed(Order{Verb: DoFailback}) // nothing is preferred to the primary
	if len(w.overrides) != 0 {
		t.Errorf("overrides: %v", w.overrides)
	}
}

func TestFailbackOrderWaitsForADeadDeployment(t *testing.T) {
	w := newWorld(t, func(p *zones.Pool) { p.Failback = zones.Manual })
	w.up("redundant")
	w.down("primary")
	w.answers("redundant")
	w.obeyed(Order{Verb: DoFailback})
	w.answers("redundant")
	w.after(time.Minute)
	w.up("primary")
	w.answers("primary")
}

func TestOrdersThatNobodyMeans(t *testing.T) {
	w := newWorld(t)
	w.up("primary", "redundant")
	w.answers("primary")
	set := &zones.Set{Pools: []*zones.Pool{w.pool}}
	for why, o := range map[string]Order{
		"an author":  {},
		"below zero": {Who: "alice", For: -1},
		"plain text": {Who: "alice", Why: "x\x1b[31m"},
		"one line":   {Who: "alice\nbob"},
		"bytes long": {Who: "alice", Why: strings.Repeat("x", maxText+1)},
	} {
		o.Verb, o.Pool, o.Deployment = DoDrain, w.pool.Name, "primary"
		_, err := o.plan(desk{set: set, decisions: map[string]*Decision{w.pool.Name: w.previous}, now: w.now})
		if !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), why) {
			t.Errorf("%+v: %v, want a refusal that says %q", o, err, why)
		}
	}
}

func TestExpiredOverridesCountNoMore(t *testing.T) {
	w := newWorld(t)
	w.up("primary", "redundant")
	w.answers("primary")
	w.obeyed(Order{Verb: DoDrain, Deployment: "redundant", For: time.Minute})
	w.after(time.Hour)
	w.obeyed(Order{Verb: DoFailover, Deployment: "redundant", For: time.Minute})
	if len(w.overrides) != 2 || w.overrides[0].pending(w.now) || !w.overrides[1].inForce(w.now) {
		t.Errorf("registers: %v", w.overrides)
	}
	w.refused(Order{Verb: DoUndrain, Deployment: "redundant"}, "is not drained")
}

// TestFailoverToAColdDeploymentSaysHow: no order starts it, so the refusal tells what does.
func TestFailoverToAColdDeploymentSaysHow(t *testing.T) {
	w := newWorld(t, func(p *zones.Pool) { p.Deployments[1].Cold = true })
	w.up("primary")
	w.down("redundant")
	w.answers("primary")
	if !w.previous.state("redundant").Cold || w.previous.state("primary").Cold {
		t.Errorf("which deployment is cold is not in the decision: %+v", w.previous.Deployments)
	}
	w.refused(Order{Verb: DoFailover, Deployment: "redundant"}, "redundant is cold and down: start it first, or plan the switch")
	w.obeyed(Order{Verb: DoFailover, Deployment: "redundant", At: w.now.Add(time.Hour)})
	w.up("redundant")
	w.answers("primary")
	w.refused(Order{Verb: DoFailover, Deployment: "redundant"}, "is planned")
	w.obeyed(Order{Verb: DoFailback})
	w.obeyed(Order{Verb: DoFailover, Deployment: "redundant"})
	w.answers("redundant")
}
