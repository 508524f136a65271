package failover

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/livens/livens/checker"
)

// timeless logs as text without times.
func timeless(out *bytes.Buffer) *slog.Logger {
	return slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
}

// TestEventsInTheLog: orders and what nameservers notice of one another are logged, with what they have to say and no more.
func TestEventsInTheLog(t *testing.T) {
	var out bytes.Buffer
	log := timeless(&out)
	for _, e := range []Event{
		{Kind: EventOverride, At: time.Now(), Node: "ns1", Pool: "chat", Deployment: "a", To: "in force", Reason: "drain of a by alice"},
		{Kind: EventSwitch, Pool: "chat", From: "a", To: "b"},
		{Kind: EventVerdict, Pool: "chat", Deployment: "a", From: "up", To: "down"},
		{Kind: EventDivergence, To: "ns2 silent", Reason: "no sign of life of ns2"},
	} {
		e.LogTo(log)
	}
	want := `level=INFO msg=order pool=chat deployment=a to="in force" reason="drain of a by alice"
level=INFO msg=nameservers to="ns2 silent" reason="no sign of life of ns2"
`
	if out.String() != want {
		t.Errorf("got:\n%swant:\n%s", &out, want)
	}
}

// TestSwitchesInTheLog: each change that a resolver could see has its own words.
func TestSwitchesInTheLog(t *testing.T) {
	var out bytes.Buffer
	c := &Controller{options: Options{Log: timeless(&out)}}
	up := &Decision{Pool: "chat", Active: []string{"a"}, Epoch: 1}
	down := &Decision{Pool: "chat", Active: []string{"a"}, Epoch: 1, AllDown: true}
	later := &Decision{Pool: "chat", Active: []string{"a"}, Epoch: 2}
	moved := &Decision{Pool: "chat", Active: []string{"a"}, Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.7")}, Epoch: 2}
	other := &Decision{Pool: "chat", Active: []string{"b"}, Epoch: 2}
	for _, step := range []struct {
		before, next *Decision
		want         string
	}{
		{nil, up, `"pool answers"`}, {up, up, ""}, {up, down, `"every deployment is down"`}, {down, down, ""},
		{down, up, `"live again"`}, {up, later, ""}, {down, later, `"live again"`},
		{up, moved, `"addresses changed"`}, {down, moved, `"addresses changed"`}, {up, other, "switch"}, {down, other, "switch"},
	} {
		out.Reset()
		c.logSwitch(step.before, step.next)
		_, text, _ := strings.Cut(out.String(), "msg=")
		if got, _, _ := strings.Cut(text, " pool="); got != step.want {
			t.Errorf("from %+v to %+v: %s, want %s", step.before, step.next, got, step.want)
		}
	}
}

// TestOrdersInTheLogSayOnlyWhatWasSaid leaves out what was not given.
func TestOrdersInTheLogSayOnlyWhatWasSaid(t *testing.T) {
	for want, o := range map[string]Order{
		"[verb=failback pool=chat who=alice]": {Verb: DoFailback, Pool: "chat", Who: "alice"},
		"[verb=drain pool=chat deployment=a who=alice why=disks at=2026-03-01 12:00:00 +0000 UTC for=1h0m0s force=true]": {
			Verb: DoDrain, Pool: "chat", Deployment: "a", Who: "alice", Why: "disks", At: epochStart, For: time.Hour, Force: true,
		},
	} {
		if got := fmt.Sprint(o.attrs()); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// TestEventsHaveOneIDEverywhere: nameservers that never compared notes give a switch, and what becomes of an order, the
// same id. Other switches, and other orders for the same, have others.
func TestEventsHaveOneIDEverywhere(t *testing.T) {
	p := newWorld(t).pool
	a, b := start3s(t, "ns1", p), start3s(t, "ns2", p)
	for _, o := range []Order{{Verb: DoDrain, Deployment: "primary"}, {Verb: DoUndrain, Deployment: "primary"}, {Verb: DoDrain, Deployment: "primary"}} {
		a.obey(o)
		b.hear(News{Standing: joined, Overrides: a.overrides})
		a.pass(time.Minute)
		b.pass(time.Minute)
	}
	idsOf := func(m *member) (ids []string) {
		for _, e := range m.events {
			if e.Kind == EventSwitch || e.Kind == EventOverride {
				ids = append(ids, e.ID)
				if e.Epoch == 0 || len(e.ID) != 26 {
					t.Errorf("an event that does not say enough: %+v", e)
				}
			}
		}
		return ids
	}
	ids := idsOf(a)
	if here := idsOf(b); !slices.Equal(here, ids) || len(ids) < 3+2*2 {
		t.Errorf("%q and %q, want the same ids of three orders, and switches of two pools", ids, here)
	}
	slices.Sort(ids)
	if len(slices.Compact(ids)) != len(idsOf(a)) {
		t.Errorf("%q: one id for two events", ids)
	}
}

// TestThatAllAreDownMayHappenTwiceInAnEpoch: then these are two events.
func TestThatAllAreDownMayHappenTwiceInAnEpoch(t *testing.T) {
	m := start3s(t, "ns1", newWorld(t).pool)
	for range 2 {
		m.agree(map[string]checker.State{"primary": checker.Down, "redundant": checker.Down})
		m.pass(time.Minute)
		m.agree(map[string]checker.State{"primary": checker.Up, "redundant": checker.Up})
		m.pass(time.Minute)
	}
	ids := map[string]bool{}
	for _, e := range m.events {
		if ids[e.ID] {
			t.Errorf("%+v has the id of another", e)
		}
		ids[e.ID] = true
	}
	if len(ids) < 8 {
		t.Errorf("%d events", len(ids))
	}
}
