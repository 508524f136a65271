package cluster

import (
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/livens/livens/checker"
	"github.com/livens/livens/failover"
)

// reports draws versions of one nameserver's report.
func reports(t *rapid.T, n int) []*Report {
	keys := rapid.SampledFrom([]string{"k1", "k2", "k3", "k4"})
	var out []*Report
	for i := range n {
		r := &Report{Name: "ns2", Boot: 7, Version: uint64(i + 1), Livens: rapid.SampledFrom([]string{"1", "2"}).Draw(t, "version")}
		r.Votes = rapid.MapOf(keys, rapid.Custom(func(t *rapid.T) Vote {
			return Vote{State: checker.Up, Doubt: rapid.Bool().Draw(t, "doubt")}
		})).Draw(t, "votes")
		r.Held = map[string]*failover.Decision{"chat": {Pool: "chat", Epoch: uint64(rapid.IntRange(1, 3).Draw(t, "epoch"))}}
		out = append(out, r)
	}
	return out
}

// A change applied to the version that it changes gives the next one, and leaves the one before as it was.
func TestDeltaTurnsOneReportIntoTheNext(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		versions := reports(t, 2)
		before, after := versions[0], versions[1]
		kept := *before
		kept.Votes = patched(before.Votes, map[string]Vote{}, nil)
		got := before.apply(diff(before, after))
		if !equalTables(got.Votes, after.Votes) || !equalTables(got.Held, after.Held) || got.Version != after.Version || got.Livens != after.Livens {
			t.Fatalf("got %+v, want %+v", got, after)
		}
		if !equalTables(before.Votes, kept.Votes) {
			t.Fatal("the report before was changed")
		}
	})
}

// However messages about a nameserver arrive, in whatever order, repeated or through others: as soon as the latest report
// has, it is what is known.
func TestNeighbourKnowsTheLatest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		versions := reports(t, 5)
		latest := versions[len(versions)-1]
		n := &neighbour{name: "ns2", hears: map[string]time.Time{}}
		at := time.Unix(1000, 0)
		n.hearing(7, 1, 1, at, "")
		for _, i := range rapid.SliceOfN(rapid.IntRange(0, len(versions)-1), 0, 20).Draw(t, "order") {
			r := versions[i]
			n.hearing(r.Boot, uint64(rapid.IntRange(1, 9).Draw(t, "seq")), r.Version, at, rapid.SampledFrom([]string{"", "ns3"}).Draw(t, "via"))
			known := n.report
			if n.take(r); known != nil && n.report.Version < known.Version {
				t.Fatalf("went back from version %d to %d", known.Version, n.report.Version)
			}
		}
		n.take(latest)
		if n.report != latest || n.lacks() {
			t.Fatalf("knows version %d of %d", n.report.Version, latest.Version)
		}
	})
}

// In whatever order a report and the changes since arrive, once all have, the latest version is known, as its owner has it.
func TestChangesWaitForWhatTheyChange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		versions := reports(t, 6)
		latest := versions[len(versions)-1]
		first := rapid.IntRange(0, len(versions)-1).Draw(t, "the report")
		c := NewCore(CoreOptions{Self: Report{Name: "ns1", Boot: 1}, Peers: []string{"ns2"}}, time.Unix(1000, 0))
		n := &neighbour{name: "ns2", hears: map[string]time.Time{}}
		c.nodes = []*neighbour{n}
		n.hearing(7, 1, latest.Version, c.started, "")
		for _, i := range rapid.Permutation([]int{0, 1, 2, 3, 4, 5}).Draw(t, "order") {
			m := &Message{From: "ns2"}
			if i == 5 {
				m.Full = []*Report{versions[first]}
			} else {
				m.Delta = []*Delta{diff(versions[i], versions[i+1])}
			}
			c.adopt(m, c.started)
		}
		if n.lacks() || !equalTables(n.report.Votes, latest.Votes) || !equalTables(n.report.Held, latest.Held) {
			t.Fatalf("knows version %d of %d", n.at(), latest.Version)
		}
		if len(n.early) > 0 {
			t.Fatalf("%d changes are kept that fit nothing", len(n.early))
		}
	})
}

// A sign of life that was overtaken makes nobody older or younger, and no circle of go-betweens keeps the dead alive.
func TestLateSignsOfLife(t *testing.T) {
	at := time.Unix(1000, 0)
	n := &neighbour{name: "ns2", hears: map[string]time.Time{}}
	n.hearing(7, 5, 1, at, "")
	n.hearing(7, 4, 1, at.Add(-time.Second), "ns3")
	n.hearing(7, 5, 1, at.Add(time.Second), "ns3")
	if !n.heard.Equal(at) || n.via != "" {
		t.Errorf("heard at %v through %q", n.heard, n.via)
	}
	n.hearing(8, 1, 1, at.Add(-time.Second), "ns3")
	if n.boot != 7 {
		t.Error("the process before counts")
	}
	n.hearing(8, 1, 1, at.Add(time.Second), "ns3")
	if n.boot != 8 || n.report != nil {
		t.Error("the next process does not count")
	}
}

func TestVoteIsOnlyWhatIsFresh(t *testing.T) {
	now := time.Unix(1000, 0)
	up := checker.Verdict{State: checker.Up, Reason: "HTTP 200", At: now.Add(-2 * time.Second), Streak: 3}
	if v, ok := vote(up, 2500*time.Millisecond, now); !ok || !reflect.DeepEqual(v, Vote{State: checker.Up}) {
		t.Errorf("a fresh one: %+v, %t", v, ok)
	}
	if _, ok := vote(up, 1500*time.Millisecond, now); ok {
		t.Error("an old one counts")
	}
	if _, ok := vote(checker.Verdict{State: checker.Unknown, At: now}, time.Hour, now); ok {
		t.Error("unknown counts")
	}
	if _, ok := vote(checker.Verdict{State: checker.Up}, time.Hour, now); ok {
		t.Error("one that is only remembered counts")
	}
	down := checker.Verdict{State: checker.Down, Reason: strings.Repeat("é", 100), At: now, Streak: -4}
	if v, _ := vote(down, time.Second, now); len(v.Reason) > maxReason || !utf8.ValidString(v.Reason) || !v.Bad {
		t.Errorf("a talkative one: %+v", v)
	}
}
