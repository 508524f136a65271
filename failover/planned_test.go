package failover

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/livens/livens/checker"
	"github.com/livens/livens/zones"
)

func TestAPlannedSwitch(t *testing.T) {
	m := start3s(t, "ns1", newWorld(t).pool)
	at := m.now.Add(time.Hour)
	m.obey(Order{Verb: DoFailover, Deployment: "redundant", At: at, For: 2 * time.Hour})
	m.tells("override chat redundant →planned")
	ttl := func(pool string) uint32 { return m.last.Decisions[pool].TTL }
	m.pass(at.Sub(m.now) - 30*time.Second - time.Millisecond)
	if ttl("www") != 30 || ttl("chat") != 10 {
		t.Errorf("TTLs %d and %d too early", ttl("www"), ttl("chat"))
	}
	m.pass(time.Millisecond)
	if ttl("www") != 5 || ttl("chat") != 10 {
		t.Errorf("TTLs %d and %d: the follower's falls one of its own ahead", ttl("www"), ttl("chat"))
	}
	m.pass(20 * time.Second)
	if ttl("chat") != 5 {
		t.Errorf("TTL %d ten seconds ahead", ttl("chat"))
	}
	m.pass(10*time.Second - time.Millisecond)
	m.answers("primary")
	m.pass(time.Millisecond)
	m.answers("redundant")
	m.tells("override chat redundant planned→in force", "switch chat primary→redundant", "switch www primary→redundant")
	m.pass(2*time.Hour - 10*time.Second)
	if ttl("chat") != 5 {
		t.Errorf("TTL %d ahead of the return", ttl("chat"))
	}
	m.pass(10*time.Second - time.Millisecond)
	m.answers("redundant")
	m.pass(time.Millisecond)
	m.answers("primary") // failback = auto
}

func TestAPlannedSwitchWaitsForAStandbyThatIsFit(t *testing.T) {
	for what, c := range map[string]struct {
		spoil, mend func(*world)
		why         string
	}{
		"down":    {func(w *world) { w.down("redundant") }, func(w *world) { w.up("redundant") }, "is down (connect: refused)"},
		"drained": {func(w *world) { w.order(ToDrain, "redundant") }, func(w *world) { w.remove(ToDrain, "") }, "is draining"},
		"gate":    {func(w *world) { w.sync("redundant", checker.Down) }, func(w *world) { w.sync("redundant", checker.Up) }, "is not in sync"},
		"unknown": {func(w *world) { w.is("redundant", checker.Unknown) }, func(w *world) { w.up("redundant") }, "must be judged anew"},
		"doubt": {func(w *world) {
			v := verdictOf(checker.Up)
			v.Doubt = true
			w.verdict("redundant", w.pool.Checks[0], v)
		}, func(w *world) { w.up("redundant") }, "is in doubt"},
	} {
		t.Run(what, func(t *testing.T) {
			w := newWorld(t, gated)
			w.up("primary", "redundant")
			w.sync("primary", checker.Up)
			w.sync("redundant", checker.Up)
			w.answers("primary")
			at := w.now.Add(time.Hour)
			w.order(ToFailover, "redundant", func(o *Override) { o.From = at })
			w.answers("primary")
			c.spoil(w)
			w.now = at
			d := w.answers("primary")
			if !strings.Contains(d.Waits, c.why) || !strings.Contains(d.Pending, c.why) || !d.Lowered {
				t.Errorf("waits %q, pending %q, lowered %v; want one that says %q", d.Waits, d.Pending, d.Lowered, c.why)
			}
			if got := poolAlerts(w.pool, d, w.now); !slices.ContainsFunc(got, func(a Alert) bool { return a.Code == "planned-switch-waits" }) {
				t.Errorf("no alert says so: %+v", got)
			}
			w.after(time.Minute)
			c.mend(w)
			if d := w.answers("redundant"); d.Waits != "" {
				t.Errorf("it waits still: %s", d.Waits)
			}
			c.spoil(w) // once carried out, it waits no more
			if d := w.decide(); d.Waits != "" {
				t.Errorf("it waits again: %s", d.Waits)
			}
		})
	}
}

func TestAForcedPlannedSwitchWaitsForNothing(t *testing.T) {
	w := newWorld(t)
	w.up("primary")
	w.down("redundant")
	w.answers("primary")
	w.order(ToFailover, "redundant", forced, func(o *Override) { o.From, o.Until = w.now.Add(time.Hour), w.now.Add(2*time.Hour) })
	w.answers("primary")
	w.after(time.Hour)
	w.answers("redundant")
}

func TestPlannedOrdersThatAreRefused(t *testing.T) {
	w := newWorld(t)
	w.up("primary", "redundant")
	w.answers("primary")
	in := func(d time.Duration) Order {
		return Order{Verb: DoFailover, Deployment: "redundant", At: w.now.Add(d)}
	}
	w.refused(in(-2*time.Minute), "has passed")
	w.refused(in(9*time.Second), utc(w.now.Add(11*time.Second))+" at the earliest")
	w.refused(in(366*24*time.Hour), "more than a year")
	w.refused(Order{Verb: DoFailback, At: w.now.Add(time.Hour)}, "cannot be planned")
	w.obeyed(in(-time.Second)) // at once
	w.answers("redundant")
	w.refused(in(time.Hour), "is in force: livens failback chat ends it")
	w.obeyed(Order{Verb: DoFailback})
	w.answers("primary")
	w.down("redundant") // it may be mended by then
	w.answers("primary")
	w.obeyed(in(time.Hour))
	w.obeyed(in(2 * time.Hour))
	if n := len(w.overrides); n != 2 {
		t.Errorf("%d registers: a second plan replaces the first", n)
	}
	w.obeyed(Order{Verb: DoFailback}) // calls it off
	w.after(3 * time.Hour)
	w.up("redundant")
	w.answers("primary")
}

func TestTheTTLOfFollowersBoundsAPlan(t *testing.T) {
	m := start3s(t, "ns1", newWorld(t).pool)
	_, err := m.Plan(Order{Verb: DoFailover, Pool: "chat", Deployment: "redundant", Who: "alice", At: m.now.Add(20 * time.Second)}, m.now)
	if err == nil || !strings.Contains(err.Error(), "pool www for 30s") {
		t.Errorf("got %v", err)
	}
}

func TestAPlannedDrain(t *testing.T) {
	w := newWorld(t)
	w.up("primary", "redundant")
	w.answers("primary")
	w.obeyed(Order{Verb: DoDrain, Deployment: "primary", At: w.now.Add(time.Hour), For: time.Hour})
	w.answers("primary")
	w.after(time.Hour)
	w.answers("redundant")
	w.after(time.Hour)
	w.answers("primary")
}

func TestPreview(t *testing.T) {
	m := start3s(t, "ns1", newWorld(t).pool)
	look := func(o Order) *Forecast {
		t.Helper()
		o.Pool, o.Who = "chat", "alice"
		before := m.Status()
		f, err := m.Preview(o, m.now)
		if err != nil {
			t.Fatal(err)
		}
		if e := m.Take(); m.Status() != before || e.Publication != nil || len(e.Events) > 0 || len(m.overrides) > 0 {
			t.Error("a preview changed something")
		}
		return f
	}
	at := m.now.Add(time.Hour)
	f := look(Order{Verb: DoFailover, Deployment: "redundant", At: at, For: time.Hour})
	want := func(what string, got, want time.Time) {
		t.Helper()
		if !got.Equal(want) {
			t.Errorf("%s %v, want %v", what, got, want)
		}
	}
	if !slices.Equal(f.Before, []string{"primary"}) || !slices.Equal(f.After, []string{"redundant"}) || f.Waits != "" {
		t.Errorf("%+v", f)
	}
	want("lowered", f.Lowered, at.Add(-10*time.Second))
	want("switch", f.Switch, at)
	want("followed", f.Followed, at.Add(5*time.Second))
	want("ends", f.Ends, at.Add(time.Hour))
	want("returns", f.Returns, at.Add(time.Hour))

	f = look(Order{Verb: DoFailover, Deployment: "redundant"})
	want("switch at once", f.Switch, m.now)
	want("followed, with the follower's TTL", f.Followed, m.now.Add(30*time.Second))
	want("lowered at once", f.Lowered, time.Time{})
	want("returns", f.Returns, time.Time{})

	m.agree(map[string]checker.State{"redundant": checker.Down})
	f = look(Order{Verb: DoFailover, Deployment: "redundant", At: at})
	if !f.Switch.IsZero() || !strings.Contains(f.Waits, "is down") || !slices.Equal(f.After, []string{"primary"}) {
		t.Errorf("of a standby that is down: %+v", f)
	}
	if _, err := m.Preview(Order{Verb: DoFailover, Pool: "chat", Deployment: "redundant", Who: "alice"}, m.now); err == nil {
		t.Error("a preview of what is refused")
	}
}

func TestPreviewOfAReturnThatNeedsAnOperator(t *testing.T) {
	m := start3s(t, "ns1", newWorld(t, func(p *zones.Pool) { p.Failback = zones.Manual }).pool)
	f, err := m.Preview(Order{Verb: DoFailover, Pool: "chat", Deployment: "redundant", Who: "alice", For: time.Hour}, m.now)
	if err != nil {
		t.Fatal(err)
	}
	if !f.Returns.IsZero() || !strings.Contains(f.Return, "livens failback chat") {
		t.Errorf("%+v", f)
	}
}
