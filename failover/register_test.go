package failover

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// drawOverrides are registers of few pools and writers, so that versions meet.
func drawOverrides(r *rapid.T, label string) []Override {
	return rapid.SliceOfN(rapid.Custom(func(r *rapid.T) Override {
		pick := func(label string, from ...string) string { return rapid.SampledFrom(from).Draw(r, label) }
		o := Override{
			Kind: Kind(pick("kind", "failover", "failback", "drain")), Pool: pick("pool", "a", "b"), Deployment: pick("deployment", "x", "y"),
			Who: pick("who", "alice", "bob"), Node: pick("node", "ns1", "ns2"), Clock: uint64(rapid.IntRange(1, 3).Draw(r, "clock")),
			Cleared: rapid.Bool().Draw(r, "cleared"), Force: rapid.Bool().Draw(r, "force"), At: epochStart,
		}
		if rapid.Bool().Draw(r, "ends") {
			o.Until = epochStart.Add(time.Hour)
		}
		return o
	}), 0, 12).Draw(r, label)
}

func TestMergingOverridesKeepsTheLaws(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		a, b, c := drawOverrides(r, "a"), drawOverrides(r, "b"), drawOverrides(r, "c")
		ab := MergeOverrides(a, b)
		if ba := MergeOverrides(b, a); !reflect.DeepEqual(ab, ba) {
			r.Fatalf("not commutative:\n%v\n%v", ab, ba)
		}
		if x, y := MergeOverrides(ab, c), MergeOverrides(a, MergeOverrides(b, c)); !reflect.DeepEqual(x, y) {
			r.Fatalf("not associative:\n%v\n%v", x, y)
		}
		if again := MergeOverrides(ab, ab); !reflect.DeepEqual(again, ab) {
			r.Fatalf("not idempotent:\n%v\n%v", ab, again)
		}
		seen := map[register]bool{}
		for i := range ab {
			if seen[ab[i].register()] {
				r.Fatalf("two versions of one register: %v", ab)
			}
			seen[ab[i].register()] = true
		}
		for _, o := range slices.Concat(a, b) {
			i := slices.IndexFunc(ab, func(x Override) bool { return x.register() == o.register() })
			if i < 0 || o.compare(&ab[i]) > 0 {
				r.Fatalf("a version was lost that is not older: %v", o)
			}
		}
	})
}

func TestALaterTombstoneEndsAnOrderEverywhere(t *testing.T) {
	order := Override{Kind: ToFailover, Pool: "chat", Deployment: "redundant", Clock: 7, Node: "ns2"}
	other := Override{Kind: ToFailover, Pool: "chat", Deployment: "primary", Clock: 8, Node: "ns1", Cleared: true}
	for _, merged := range [][]Override{MergeOverrides([]Override{order}, []Override{other}), MergeOverrides([]Override{other}, []Override{order})} {
		if len(merged) != 1 || !merged[0].Cleared {
			t.Errorf("merged: %v; a pool has one preference", merged)
		}
	}
}

func TestTheOldestRegistersAreForgotten(t *testing.T) {
	var all []Override
	for i := range maxRegisters + 10 {
		all = append(all, Override{Kind: ToDrain, Pool: fmt.Sprint("p", i), Deployment: "x", Clock: uint64(i)})
	}
	a, b := MergeOverrides(all[:6000], all[6000:]), MergeOverrides(all[3000:], all[:9000])
	if len(a) != maxRegisters || !reflect.DeepEqual(a, b) {
		t.Fatalf("%d and %d registers, equal: %v", len(a), len(b), reflect.DeepEqual(a, b))
	}
	for _, o := range a {
		if o.Clock < 10 {
			t.Fatalf("an old one was kept: %+v", o)
		}
	}
}

func TestUnsoundOrdersOfOthersAreNotTaken(t *testing.T) {
	sound := Override{Kind: ToDrain, Pool: "chat", Deployment: "redundant", Who: "alice", Clock: 1}
	if !sound.sound(epochStart) {
		t.Fatal("a sound one is refused")
	}
	for what, spoil := range map[string]func(*Override){
		"kind":  func(o *Override) { o.Kind = "reboot" },
		"clock": func(o *Override) { o.Clock = 1 << 63 },
		"who":   func(o *Override) { o.Who = "x\x1b[31m" },
		"why":   func(o *Override) { o.Why = string(make([]byte, 300)) },
		"seen":  func(o *Override) { o.Seen = []string{"a\nb"} },
	} {
		o := sound
		spoil(&o)
		if o.sound(epochStart) {
			t.Errorf("%s: taken", what)
		}
	}
}

// TestOrdersGoOnAfterTheFarthestClock has a nameserver take the farthest clock that others may have: its next order must
// be taken by all.
func TestOrdersGoOnAfterTheFarthestClock(t *testing.T) {
	farthest := Override{Kind: ToDrain, Pool: "chat", Deployment: "redundant", Who: "alice", Clock: uint64(epochStart.Add(farAhead).UnixMilli())}
	if !farthest.sound(epochStart) {
		t.Fatal("the farthest is refused")
	}
	now := epochStart.Add(time.Millisecond)
	next, err := (&desk{overrides: []Override{farthest}, node: "b", now: now}).write(Override{Kind: ToDrain, Pool: "chat", Deployment: "redundant", Cleared: true})
	if err != nil || len(next) != 1 || !next[0].Cleared || !next[0].sound(now) {
		t.Errorf("the next order is %+v, %v: nobody takes it", next, err)
	}
}
