package failover

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/livens/livens/zones"
)

var choices = map[string]netip.Addr{"primary": netip.MustParseAddr("203.0.113.10"), "redundant": netip.MustParseAddr("198.51.100.20")}

// drawDecision is one of few, so that equals meet.
func drawDecision(r *rapid.T, label string) *Decision {
	return rapid.Custom(func(r *rapid.T) *Decision {
		names := rapid.SampledFrom([][]string{{"primary"}, {"redundant"}, {"primary", "redundant"}}).Draw(r, "active")
		d := &Decision{
			Pool: "chat", Active: names, Epoch: uint64(rapid.IntRange(1, 3).Draw(r, "epoch")), Reason: "drawn",
			Provisional: rapid.Bool().Draw(r, "provisional"), Guess: rapid.IntRange(0, 3).Draw(r, "guess") == 0,
			Since: epochStart.Add(time.Duration(rapid.IntRange(-2, 1).Draw(r, "since")) * time.Second),
		}
		for _, n := range names {
			d.Addresses = append(d.Addresses, choices[n])
		}
		return d
	}).Draw(r, label)
}

func TestPreferenceAmongDecisionsIsATotalOrder(t *testing.T) {
	p := newWorld(t).pool
	rapid.Check(t, func(r *rapid.T) {
		a, b, c := drawDecision(r, "a"), drawDecision(r, "b"), drawDecision(r, "c")
		if prefer(p, a, a) != 0 || prefer(p, a, b) != -prefer(p, b, a) {
			r.Fatalf("not antisymmetric: %d, %d", prefer(p, a, b), prefer(p, b, a))
		}
		if prefer(p, a, b) >= 0 && prefer(p, b, c) >= 0 && prefer(p, a, c) < 0 {
			r.Fatalf("not transitive: %+v %+v %+v", a, b, c)
		}
		if prefer(p, a, b) == 0 && (!sameChoice(a, b) || a.Epoch != b.Epoch || !a.Since.Equal(b.Since)) {
			r.Fatalf("two that differ are held for one: %+v %+v", a, b)
		}
		switch { // the rule, sentence by sentence
		case a.Guess != b.Guess:
			if prefer(p, a, b) > 0 != b.Guess {
				r.Fatalf("a guess is preferred: %+v %+v", a, b)
			}
		case a.Guess:
		case a.Provisional != b.Provisional:
			if prefer(p, a, b) > 0 != b.Provisional {
				r.Fatalf("a provisional one is preferred: %+v %+v", a, b)
			}
		case a.Epoch != b.Epoch:
			if prefer(p, a, b) > 0 != (a.Epoch > b.Epoch) {
				r.Fatalf("an older one is preferred: %+v %+v", a, b)
			}
		case a.Active[0] != b.Active[0] && len(a.Active) == len(b.Active):
			if prefer(p, a, b) > 0 != (a.Active[0] == "redundant") {
				r.Fatalf("the earlier deployment is preferred: %+v %+v", a, b)
			}
		}
	})
}

func TestAdoptingNeverTakesAnEpochBack(t *testing.T) {
	p := newWorld(t).pool
	rapid.Check(t, func(r *rapid.T) {
		own, heard := drawDecision(r, "own"), drawDecision(r, "heard")
		d := adopt(p, own, heard, true, epochStart)
		switch same := sameChoice(own, heard); {
		case d.Epoch < own.Epoch || d.Epoch < heard.Epoch:
			r.Fatalf("epoch %d after %d and %d", d.Epoch, own.Epoch, heard.Epoch)
		case !same && d.Epoch == own.Epoch:
			r.Fatalf("another choice under the same epoch %d", d.Epoch)
		case same && d.Epoch != max(own.Epoch, heard.Epoch):
			r.Fatalf("the same choice, and a new epoch %d after %d and %d", d.Epoch, own.Epoch, heard.Epoch)
		case !sameChoice(d, heard) || d.Reason != heard.Reason || d.Provisional != heard.Provisional:
			r.Fatalf("not taken over: %+v of %+v", d, heard)
		case d.Since.After(epochStart):
			r.Fatalf("since %v lies ahead", d.Since)
		}
		if again := adopt(p, d, heard, true, epochStart); again.Epoch != d.Epoch {
			r.Fatalf("not idempotent: epoch %d, then %d", d.Epoch, again.Epoch)
		}
	})
}

func TestOnlySoundDecisionsAreAdopted(t *testing.T) {
	p := newWorld(t, func(p *zones.Pool) { p.Hash = "a" }).pool
	sound := Decision{Pool: "chat", Definition: "a", Active: []string{"redundant"}, Addresses: []netip.Addr{choices["redundant"]}, Epoch: 1}
	if !sound.sound(p, epochStart) {
		t.Fatal("a sound one is refused")
	}
	for what, spoil := range map[string]func(*Decision){
		"another definition":      func(d *Decision) { d.Definition = "b" },
		"no deployment":           func(d *Decision) { d.Active = nil },
		"no address":              func(d *Decision) { d.Addresses = nil },
		"a deployment not known":  func(d *Decision) { d.Active = []string{"third"} },
		"an epoch without a next": func(d *Decision) { d.Epoch = 1<<64 - 1 },
	} {
		d := sound
		d.Active = slices.Clone(d.Active)
		spoil(&d)
		if d.sound(p, epochStart) {
			t.Errorf("%s: adopted", what)
		}
	}
}

func TestHeldTellsTheChoiceAndNoView(t *testing.T) {
	w := newWorld(t)
	w.up("primary", "redundant")
	d := w.answers("primary")
	h := d.Held()
	if h.Deployments != nil || h.Steps != nil || h.TTL != 0 || !h.Recheck.IsZero() || h.Pending != "" {
		t.Errorf("held: %+v", h)
	}
	if !sameChoice(h, d) || h.Epoch != d.Epoch || h.Reason != d.Reason || len(d.Deployments) == 0 {
		t.Errorf("held %+v of %+v", h, d)
	}
}
