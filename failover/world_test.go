package failover

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/livens/livens/checker"
	"github.com/livens/livens/zones"
)

// epochStart is when every test world begins.
var epochStart = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// world is one pool with what a decision depends on, moved by hand.
type world struct {
	t         testing.TB
	pool      *zones.Pool
	view      View
	overrides []Override
	previous  *Decision
	now       time.Time
	tieHold   time.Duration
}

// newWorld is a pool of two deployments with the defaults of the configuration and nothing known yet.
func newWorld(t testing.TB, change ...func(*zones.Pool)) *world {
	p := &zones.Pool{
		Name: "chat", Zone: "example.com.", Answers: []string{"chat.example.com."}, Policy: zones.Failover, TTL: 10, TTLMin: 5,
		Failback: zones.Auto, FailbackDelay: time.Minute, AllDown: zones.LastGood, MaxFailbacks: 4,
		Checks: []*zones.Check{{Kind: zones.HTTP, Port: 80, Path: "/healthz"}},
		Deployments: []*zones.Deployment{
			{Name: "primary", Addresses: []netip.Addr{netip.MustParseAddr("203.0.113.10")}},
			{Name: "redundant", Addresses: []netip.Addr{netip.MustParseAddr("198.51.100.20")}},
		},
	}
	for _, f := range change {
		f(p)
	}
	return &world{t: t, pool: p, view: View{}, now: epochStart}
}

func gated(p *zones.Pool) {
	p.Failback = zones.Gated
	p.Sync = &zones.Check{Kind: zones.HTTP, Port: 80, Path: "/syncz"}
}

// verdict sets what is known of every address of a deployment under one check.
func (w *world) verdict(deployment string, check *zones.Check, v checker.Verdict) {
	d := w.pool.Deployment(deployment)
	for _, a := range d.Addresses {
		w.at(deployment, a, check, v)
	}
}

func (w *world) at(deployment string, a netip.Addr, check *zones.Check, v checker.Verdict) {
	v.At = w.now
	w.view[targets(w.pool, w.pool.Deployment(deployment), a, []*zones.Check{check})[0].Key] = Agreed{Verdict: v}
}

func (w *world) is(deployment string, s checker.State) {
	w.verdict(deployment, w.pool.Checks[0], verdictOf(s))
}

func verdictOf(s checker.State) checker.Verdict {
	switch s {
	case checker.Up:
		return checker.Verdict{State: s, Streak: 3, Reason: "HTTP 200"}
	case checker.Down:
		return checker.Verdict{State: s, Streak: -4, Reason: "connect: refused"}
	}
	return checker.Verdict{}
}

// tie divides the observers on a deployment from now on.
func (w *world) tie(name string) {
	w.is(name, checker.Unknown)
	for key, v := range w.view {
		if v.At.Equal(w.now) && v.State == checker.Unknown {
			v.Tied = w.now
			w.view[key] = v
		}
	}
}

func (w *world) up(names ...string) {
	for _, n := range names {
		w.is(n, checker.Up)
	}
}

func (w *world) down(names ...string) {
	for _, n := range names {
		w.is(n, checker.Down)
	}
}

func (w *world) sync(deployment string, s checker.State) {
	v := verdictOf(s)
	if s == checker.Down {
		v.Reason = "HTTP 503, wanted 200–299"
	}
	w.verdict(deployment, w.pool.Sync, v)
}

// after moves the clock.
func (w *world) after(d time.Duration) { w.now = w.now.Add(d) }

// order puts an override in force that was given now.
func (w *world) order(kind Kind, deployment string, change ...func(*Override)) {
	o := Override{Kind: kind, Pool: w.pool.Name, Deployment: deployment, Who: "alice", At: w.now, Clock: uint64(w.now.UnixMilli())}
	if w.previous != nil {
		o.Seen = w.previous.Active
	}
	for _, f := range change {
		f(&o)
	}
	w.overrides = append(w.overrides, o)
}

// remove leaves out the overrides of one kind, for one deployment or ("") for any.
func (w *world) remove(kind Kind, deployment string) {
	w.overrides = slices.DeleteFunc(w.overrides, func(o Override) bool {
		return o.Kind == kind && (deployment == "" || o.Deployment == deployment)
	})
}

// decide makes the next decision, and checks what must hold of every one.
func (w *world) decide() *Decision {
	w.t.Helper()
	in := Input{Pool: w.pool, View: w.view, Overrides: w.overrides, Previous: w.previous, Now: w.now, TieHold: w.tieHold}
	d := Decide(in)
	if len(d.Active) == 0 || len(d.Addresses) == 0 {
		w.t.Fatalf("empty answer: %+v", d)
	}
	if d.Reason == "" {
		w.t.Fatalf("a decision without a reason: %+v", d)
	}
	if !d.Recheck.IsZero() && !d.Recheck.After(w.now) {
		w.t.Fatalf("recheck at %v is not after now %v", d.Recheck, w.now)
	}
	in.Previous = d
	if again := Decide(in); !slices.Equal(again.Active, d.Active) || again.Epoch != d.Epoch || again.TTL != d.TTL || again.Reason != d.Reason {
		w.t.Fatalf("not stable:\n%+v\nthen\n%+v", d, again)
	}
	w.previous = d
	retire(w.overrides, w.pool, d)
	return d
}

// answers asserts which deployments answer after a decision.
func (w *world) answers(want ...string) *Decision {
	w.t.Helper()
	d := w.decide()
	if !slices.Equal(d.Active, want) {
		w.t.Fatalf("%v answers, want %v; reason: %s\nsteps: %q", d.Active, want, d.Reason, d.Steps)
	}
	return d
}

// Held are the decisions that other nameservers are told of, as the cluster tells them.
func (s *Status) Held() []*Decision {
	out := make([]*Decision, 0, len(s.Decisions))
	for _, d := range s.Decisions {
		if !d.Guess {
			out = append(out, d.Held())
		}
	}
	return out
}
