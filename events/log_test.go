package events

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/livens/livens/failover"
	"github.com/livens/livens/zones"
	"pgregory.net/rapid"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// switched is a switch that the nameserver called after the id saw.
func switched(id string, at time.Duration) failover.Event {
	return failover.Event{ID: id, Kind: failover.EventSwitch, At: noon.Add(at), Node: "ns-" + id, Pool: "chat", From: "a", To: "b",
		Reason: "a went down", Quorum: true}
}

func ids(entries []Entry) []string {
	out := []string{}
	for _, e := range entries {
		out = append(out, e.ID)
	}
	return out
}

// all is everything that a Log could send.
func all(l *Log) []Entry { return l.memory().Events }

func TestTheSameEventSeenByTwoIsOneWithTheSmallerID(t *testing.T) {
	a, b := NewLog(), NewLog()
	a.Add(switched("x", 0), noon)
	late := switched("c", 5*time.Second)
	late.Quorum = false
	b.Add(late, noon)
	a.Merge(b.Pending(noon), noon)
	b.Merge(a.Pending(noon), noon)
	for _, l := range []*Log{a, b} {
		if got := l.Recent(-1); len(got) != 1 || got[0].ID != "c" || !got[0].Quorum {
			t.Errorf("%+v, want one event c with the quorum of x", got)
		}
	}
}

func TestWhatMakesEventsDifferent(t *testing.T) {
	for name, change := range map[string]func(*failover.Event){
		"kind": func(e *failover.Event) { e.Kind = failover.EventVerdict }, "pool": func(e *failover.Event) { e.Pool = "mail" },
		"deployment": func(e *failover.Event) { e.Deployment = "a" }, "to": func(e *failover.Event) { e.To = "c" },
		"from": func(e *failover.Event) { e.From = "c" }, "time": func(e *failover.Event) { e.At = e.At.Add(same + 1) },
	} {
		l, e := NewLog(), switched("y", 0)
		l.Add(switched("x", 0), noon)
		change(&e)
		l.Merge([]Entry{{Event: e}}, noon)
		if n := len(l.Recent(-1)); n != 2 {
			t.Errorf("another %s: %d events, want 2", name, n)
		}
	}
	l := NewLog()
	verdict := failover.Event{ID: "x", Kind: failover.EventVerdict, Node: "ns1", At: noon, From: "up", To: "down"}
	l.Add(verdict, noon)
	verdict.ID, verdict.Node, verdict.From = "y", "ns2", "unknown"
	l.Add(verdict, noon)
	if got := ids(l.Recent(-1)); !slices.Equal(got, []string{"x"}) {
		t.Errorf("%v: From makes only switches different", got)
	}
}

// TestAChainOfSightings: what is within 5 s of the earliest is one event with it, whoever was heard first.
func TestAChainOfSightings(t *testing.T) {
	chain := []Entry{{Event: switched("c", 0)}, {Event: switched("b", 4*time.Second)}, {Event: switched("a", 8*time.Second)}}
	for range 10 {
		l := NewLog()
		for _, i := range rand.Perm(3) {
			l.Merge(chain[i:i+1], noon)
		}
		if got := ids(l.Recent(-1)); !slices.Equal(got, []string{"b", "a"}) {
			t.Fatalf("%v, want b, a", got)
		}
	}
}

// TestRegroupedSightingsStayTold: an older sighting that comes late makes two events of one that was told.
func TestRegroupedSightingsStayTold(t *testing.T) {
	l := NewLog()
	l.Merge([]Entry{{Event: switched("b", 4*time.Second)}, {Event: switched("a", 8*time.Second)}}, noon)
	l.Told("a", "page", noon)
	l.Merge([]Entry{{Event: switched("c", 0)}}, noon)
	for _, e := range l.Recent(-1) {
		if !slices.Equal(e.Told, []string{"page"}) {
			t.Errorf("%s would be told again: %v", e.ID, e.Told)
		}
	}
}

// What one nameserver sees twice happened twice, however soon: there and back and there again within seconds.
func TestNothingIsSwallowed(t *testing.T) {
	a, b := NewLog(), NewLog()
	for i, at := range []time.Duration{0, time.Second, 2 * time.Second} {
		for j, l := range []*Log{a, b} {
			e := switched(fmt.Sprintf("%d-%d", i, j), at+time.Duration(j)*10*time.Millisecond)
			e.Node = fmt.Sprintf("ns%d", j)
			l.Add(e, noon)
		}
	}
	a.Merge(b.Pending(noon), noon)
	b.Merge(a.Pending(noon), noon)
	for _, l := range []*Log{a, b} {
		if got := ids(l.Recent(-1)); !slices.Equal(got, []string{"0-0", "1-0", "2-0"}) {
			t.Errorf("%v, want three events, each seen by two", got)
		}
	}
}

func TestAnEventWithoutIDAndTimeGetsThem(t *testing.T) {
	l := NewLog()
	later := noon.Add(time.Hour)
	l.Add(failover.Event{Kind: failover.EventStart}, later)
	if got := l.Recent(1)[0]; len(got.ID) < 20 || !got.At.Equal(later) {
		t.Errorf("%+v, want an ID and the time", got)
	}
}

func TestTheRingHoldsTheNewestThousand(t *testing.T) {
	l := NewLog()
	for _, i := range rand.Perm(ringSightings + 7) {
		l.sightings[fmt.Sprint(i)] = &sighting{Entry: Entry{Event: switched(fmt.Sprint(i), time.Duration(i)*time.Minute)}}
	}
	l.settle(noon)
	got := l.Recent(-1)
	newest := fmt.Sprint(ringSightings + 6)
	if len(got) != ring || got[ring-1].ID != newest || len(l.sightings) != ringSightings {
		t.Errorf("%d events up to %s, %d sightings", len(got), got[len(got)-1].ID, len(l.sightings))
	}
	if last := l.Recent(1); len(last) != 1 || last[0].ID != newest || len(l.Recent(0)) != 0 {
		t.Errorf("Recent(1) = %v", last)
	}
	if n := len(l.Pending(noon)); n > shareLimit {
		t.Errorf("%d sent at once", n)
	}
}

func TestPendingIsWhatIsOwedOrNew(t *testing.T) {
	l := NewLog()
	l.Use([]zones.HookConfig{{Name: "page", URL: "http://x"}}, noon)
	l.Add(switched("x", 0), noon)
	later := noon.Add(time.Hour)
	if got := ids(l.Pending(later)); !slices.Equal(got, []string{"x"}) {
		t.Fatalf("owed: %v", got)
	}
	l.Told("x", "page", later)
	if got := l.Pending(later); len(got) != 1 || !slices.Equal(got[0].Told, []string{"page"}) {
		t.Fatalf("just told: %v: others would tell it again", got)
	}
	later = later.Add(shareFor + 1)
	if got := l.Pending(later); len(got) != 0 {
		t.Fatalf("told long ago: %v", got)
	}
	l.Merge([]Entry{{Event: switched("x", 0)}}, later)
	if got := l.Pending(later); len(got) != 1 || len(got[0].Told) != 1 {
		t.Errorf("%v, want what the sender does not know", got)
	}
}

func TestLastSaysWhoIsOwed(t *testing.T) {
	l := NewLog()
	l.Use([]zones.HookConfig{{Name: "chatops", URL: "http://a"}, {Name: "pager", URL: "http://b", Events: []string{"verdict"}}}, noon)
	other := switched("b", time.Minute)
	other.Pool = "mail"
	l.Add(switched("a", 0), noon)
	l.Add(other, noon)
	l.Add(switched("c", 2*time.Minute), noon)
	l.Told("a", "chatops", noon)
	for _, c := range []struct {
		n    int
		pool string
		want string
	}{{-1, "", "abc"}, {2, "", "bc"}, {0, "", ""}, {9, "", "abc"}, {-1, "chat", "ac"}, {1, "mail", "b"}, {1, "none", ""}} {
		got := ""
		for _, h := range l.Last(c.n, c.pool) {
			got += h.ID
			if told := h.ID == "a"; slices.Equal(h.Owed, []string{"chatops"}) == told || slices.Equal(h.Told, []string{"chatops"}) != told {
				t.Errorf("%s: told %q, owed %q", h.ID, h.Told, h.Owed)
			}
		}
		if got != c.want {
			t.Errorf("the last %d of %q: %q, want %q", c.n, c.pool, got, c.want)
		}
	}
}

func TestANewHookIsToldNothingOld(t *testing.T) {
	l, hook := NewLog(), zones.HookConfig{Name: "page", URL: "http://x"}
	l.Add(switched("x", 0), noon)
	l.Use([]zones.HookConfig{hook}, noon.Add(time.Second))
	l.Add(switched("y", time.Minute), noon.Add(time.Minute))
	l.Use([]zones.HookConfig{hook}, noon.Add(time.Hour))
	if got := l.owed(hookDebt(hook)); len(got) != 1 || got[0].ID != "y" {
		t.Errorf("owed %v, want y", got)
	}
}

func TestMergeRefusesWhatCannotBe(t *testing.T) {
	l := NewLog()
	l.Merge([]Entry{{Event: switched("", 0)}, {Event: switched("x", 25*time.Hour)}}, noon)
	if got := l.Recent(-1); len(got) != 0 {
		t.Errorf("took %v", got)
	}
}

func TestChangesSignalAndCoalesce(t *testing.T) {
	l := NewLog()
	first, second := l.Changes(), l.Changes()
	l.Add(switched("x", 0), noon)
	l.Add(switched("y", time.Minute), noon)
	for _, c := range []<-chan struct{}{first, second} {
		if len(c) != 1 {
			t.Errorf("%d signals, want 1", len(c))
		}
		<-c
	}
	l.Merge(all(l), noon)
	if len(first) != 0 {
		t.Error("a repeat is no change")
	}
}

// TestLogsConverge: whatever was seen and told where, and in whatever order and however often parts were exchanged,
// nameservers that have heard everything hold the same. Chains of sightings less than 5 s apart, and a ring that is too
// small, are among it.
func TestLogsConverge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		logs := make([]*Log, rapid.IntRange(2, 4).Draw(t, "logs"))
		for i := range logs {
			logs[i] = NewLog()
			logs[i].limit = rapid.SampledFrom([]int{6, 1000}).Draw(t, "limit")
			logs[i].limit = logs[0].limit
		}
		pick := rapid.IntRange(0, len(logs)-1)
		for i := range rapid.IntRange(1, 40).Draw(t, "steps") {
			l, other := logs[pick.Draw(t, "log")], logs[pick.Draw(t, "other")]
			switch rapid.IntRange(0, 2).Draw(t, "step") {
			case 0:
				e := switched(fmt.Sprintf("%03d%d", rapid.IntRange(0, 999).Draw(t, "id"), i), time.Duration(rapid.IntRange(0, 20).Draw(t, "at"))*time.Second)
				e.To, e.Quorum = rapid.SampledFrom([]string{"b", "c"}).Draw(t, "to"), rapid.Bool().Draw(t, "quorum")
				l.Add(e, noon)
			case 1:
				if known := l.Recent(-1); len(known) > 0 {
					l.Told(rapid.SampledFrom(known).Draw(t, "told").ID, rapid.SampledFrom([]string{"h", "i"}).Draw(t, "hook"), noon)
				}
			case 2:
				part := rapid.Permutation(l.Pending(noon)).Draw(t, "order")
				other.Merge(part[:rapid.IntRange(0, len(part)).Draw(t, "part")], noon)
			}
		}
		for range 2 * len(logs) {
			for i, l := range logs {
				logs[(i+1)%len(logs)].Merge(rapid.Permutation(l.Pending(noon)).Draw(t, "all"), noon)
			}
		}
		for i, l := range logs[1:] {
			if !reflect.DeepEqual(l.Recent(-1), logs[0].Recent(-1)) {
				t.Fatalf("log %d differs:\n%+v\n%+v", i+1, l.Recent(-1), logs[0].Recent(-1))
			}
		}
		before := logs[0].Recent(-1)
		logs[0].Merge(all(logs[0]), noon)
		if !reflect.DeepEqual(logs[0].Recent(-1), before) {
			t.Fatal("a repeat changed something")
		}
	})
}

// A nameserver that was cut off adopts a switch long after the others made it: that is the same switch, and nobody is told
// twice. The same deployments under another epoch are another one.
func TestASwitchIsOneByItsEpoch(t *testing.T) {
	made := failover.Event{ID: "b", Kind: failover.EventSwitch, At: time.Unix(1000, 0), Pool: "chat", From: "primary", To: "redundant", Epoch: 7}
	late := made
	late.ID, late.Node, late.At = "a", "ns3", made.At.Add(time.Minute)
	again := made
	again.ID, again.At, again.Epoch = "c", made.At.Add(2*time.Minute), 9
	l := NewLog()
	l.Add(made, made.At)
	l.Merge([]Entry{{Event: late}, {Event: again}}, again.At)
	if got := l.Recent(9); len(got) != 2 || got[0].Epoch != 7 || got[1].Epoch != 9 {
		t.Errorf("kept %+v", got)
	}
}
