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

// sent is what others are sent.
func sent(l *Log) []Entry { return sentAt(l, noon) }

func sentAt(l *Log, now time.Time) []Entry {
	pending, _ := l.Pending(now)
	return pending
}

func TestTheSameEventSeenByTwoIsOneWithTheIDOfTheFirst(t *testing.T) {
	a, b := NewLog(), NewLog()
	first := switched("x", 0)
	first.Quorum = false
	a.Add(first, noon)
	b.Add(switched("c", 5*time.Second), noon)
	a.Merge(sent(b), noon)
	b.Merge(sent(a), noon)
	for _, l := range []*Log{a, b} {
		if got := l.Recent(-1); len(got) != 1 || got[0].ID != "x" || got[0].Node != "ns-x" || !got[0].Quorum {
			t.Errorf("%+v, want one event x with the quorum of c", got)
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
		if got := ids(l.Recent(-1)); !slices.Equal(got, []string{"c", "a"}) {
			t.Fatalf("%v, want c, a", got)
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
	a.Merge(sent(b), noon)
	b.Merge(sent(a), noon)
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
	if n := len(sent(l)); n > shareLimit {
		t.Errorf("%d sent at once", n)
	}
}

func TestPendingIsWhatIsOwedOrNew(t *testing.T) {
	l := NewLog()
	l.Use([]zones.HookConfig{{Name: "page", URL: "http://x"}}, noon)
	l.Add(switched("x", 0), noon)
	later := noon.Add(time.Hour)
	if got := ids(sentAt(l, later)); !slices.Equal(got, []string{"x"}) {
		t.Fatalf("owed: %v", got)
	}
	l.Told("x", "page", later)
	if got := sentAt(l, later); len(got) != 1 || !slices.Equal(got[0].Told, []string{"page"}) {
		t.Fatalf("just told: %v: others would tell it again", got)
	}
	later = later.Add(shareFor + 1)
	if got := sentAt(l, later); len(got) != 0 {
		t.Fatalf("told long ago: %v", got)
	}
	l.Merge([]Entry{{Event: switched("x", 0)}}, later)
	if got := sentAt(l, later); len(got) != 1 || len(got[0].Told) != 1 {
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
				if rapid.Bool().Draw(t, "known by its id") {
					e.ID, e.Node = rapid.SampledFrom([]string{"x", "y"}).Draw(t, "known"), fmt.Sprint("ns", slices.Index(logs, l))
				}
				e.To, e.Quorum = rapid.SampledFrom([]string{"b", "c"}).Draw(t, "to"), rapid.Bool().Draw(t, "quorum")
				l.Add(e, noon)
			case 1:
				if known := l.Recent(-1); len(known) > 0 {
					l.Told(rapid.SampledFrom(known).Draw(t, "told").ID, rapid.SampledFrom([]string{"h", "i"}).Draw(t, "hook"), noon)
				}
			case 2:
				part := rapid.Permutation(sent(l)).Draw(t, "order")
				other.Merge(part[:rapid.IntRange(0, len(part)).Draw(t, "part")], noon)
			}
		}
		for range 2 * len(logs) {
			for i, l := range logs {
				logs[(i+1)%len(logs)].Merge(rapid.Permutation(sent(l)).Draw(t, "all"), noon)
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
// twice. The same deployments under another epoch, and so another id, are another one.
func TestASwitchIsOneByItsEpoch(t *testing.T) {
	made := switched("b", 0)
	late, again := made, made
	late.Node, late.At = "ns3", made.At.Add(time.Minute)
	again.ID, again.At = "c", made.At.Add(2*time.Minute)
	l := NewLog()
	l.Merge([]Entry{{Event: late}}, noon)
	l.Told("b", "page", noon)
	l.Add(made, noon)
	l.Merge([]Entry{{Event: again}}, noon)
	got := l.Recent(9)
	if want := (Entry{made, []string{"ns-b", "ns3"}, []string{"page"}, late.At}); len(got) != 2 || !reflect.DeepEqual(got[0], want) || got[1].ID != "c" {
		t.Errorf("kept %+v", got)
	}
}

// Two orders for one thing within seconds, each heard of first by another nameserver, are two.
func TestOrdersAreOneByTheirIDAlone(t *testing.T) {
	l := NewLog()
	for i, node := range []string{"ns1", "ns2"} {
		l.Add(failover.Event{ID: node, Kind: failover.EventOverride, At: noon.Add(time.Duration(i) * time.Second), Node: node, Pool: "chat", To: "in force"}, noon)
	}
	if n := len(l.Recent(-1)); n != 2 {
		t.Errorf("%d events, want 2", n)
	}
}

var page = zones.HookConfig{Name: "page", URL: "http://x"}

// many are verdicts that a nameserver saw, one a pool: each nameserver has its own ids for them.
func many(node string, n int) []failover.Event {
	out := make([]failover.Event, n)
	for i := range out {
		out[i] = failover.Event{ID: fmt.Sprintf("%s-%05d", node, i), Kind: failover.EventVerdict, At: noon.Add(time.Duration(i) * time.Millisecond),
			Node: node, Pool: fmt.Sprint("p", i), To: "down"}
	}
	return out
}

// TestWhatIsOwedIsKeptBeyondTheRing: also across a restart, and until it is told.
func TestWhatIsOwedIsKeptBeyondTheRing(t *testing.T) {
	const n = ringSightings + 500
	l, folder := NewLog(), t.TempDir()
	l.Use([]zones.HookConfig{page}, noon)
	l.AddAll(many("ns1", n), noon)
	if err := l.write(folder); err != nil {
		t.Fatal(err)
	}
	l, err := Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	l.Add(failover.Event{Kind: failover.EventStart, At: noon.Add(time.Hour), Node: "ns1"}, noon) // before it is known whom what is owed to
	l.Use([]zones.HookConfig{page}, noon.Add(time.Hour))
	owed := l.owed(hookDebt(page))
	if len(owed) < n || len(l.lost()) != 0 {
		t.Fatalf("%d owed, want %d; lost %v", len(owed), n, l.lost())
	}
	for _, o := range owed {
		l.Told(o.ID, page.Name, noon)
	}
	l.Use([]zones.HookConfig{page}, noon.Add(time.Hour))
	if left := len(l.owed(hookDebt(page))); left != 0 || len(l.Recent(-1)) != ring || len(l.sightings) != ringSightings {
		t.Errorf("%d owed, %d events of %d sightings are kept when all are told", left, len(l.Recent(-1)), len(l.sightings))
	}
}

// TestWhatIsGivenUpIsCounted: of more than can wait the oldest go, and none of them comes back from others while that is so.
func TestWhatIsGivenUpIsCounted(t *testing.T) {
	l := NewLog()
	l.limit, l.waiting = 4, 10
	l.Use([]zones.HookConfig{page, {Name: "starts", URL: "http://y", Events: []string{"start"}}}, noon)
	all := many("ns1", 13)
	l.AddAll(all, noon)
	for range 2 {
		if owed := l.owed(hookDebt(page)); len(owed) != 10 || owed[0].ID != all[3].ID || l.lost()["page"] != (loss{3, noon}) || len(l.lost()) != 1 {
			t.Fatalf("%d owed from %s on; lost %+v", len(owed), owed[0].ID, l.lost())
		}
		l.Merge([]Entry{{Event: all[0]}}, noon)
	}
	l.Told(all[12].ID, page.Name, noon)
	l.Merge([]Entry{{Event: all[0]}}, noon)
	l.Merge([]Entry{{Event: all[0]}}, noon)
	if n := len(l.owed(hookDebt(page))); n != 10 {
		t.Errorf("%d owed: what another nameserver still tells of is taken when there is room", n)
	}
}

// TestManyAreSentInTurn: nameservers that saw more than can be sent at a time end with the same ids, and know
// what was told.
func TestManyAreSentInTurn(t *testing.T) {
	const n = 2*shareLimit + 7
	now, logs := noon, []*Log{NewLog(), NewLog()}
	for i, l := range logs {
		l.Use([]zones.HookConfig{page}, noon)
		l.AddAll(many(fmt.Sprint("ns", i), n), noon)
	}
	exchange := func() {
		for range 2*n/(shareLimit/2) + 1 {
			now = now.Add(shareTurn)
			for i, l := range logs {
				pending, more := l.Pending(now)
				if len(pending) > shareLimit || !more {
					t.Fatalf("%d sent at once, more to come: %v", len(pending), more)
				}
				logs[1-i].Merge(pending, now)
			}
		}
	}
	exchange()
	if a, b := logs[0].Recent(-1), logs[1].Recent(-1); len(a) != n || !reflect.DeepEqual(ids(a), ids(b)) {
		t.Errorf("%d and %d events, with other ids", len(a), len(b))
	}
	for _, e := range logs[0].Recent(-1)[:n/2] {
		logs[0].Told(e.ID, page.Name, now)
	}
	exchange()
	if owed := len(logs[1].owed(hookDebt(page))); owed != n-n/2 {
		t.Errorf("%d are owed at the other one, want %d", owed, n-n/2)
	}
}
