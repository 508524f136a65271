package drill_test

import (
	"testing"
	"time"

	"github.com/livens/livens/internal/lab"
)

// longWatch is how long drills look on where nothing may happen: longer than tie_hold and minority_hold.
const longWatch = 15 * time.Second

// TestDrillOneObserverInside (F1): the nameserver beside the active deployment, and no other, cannot reach it.
func TestDrillOneObserverInside(t *testing.T) { drillOneObserver(t, 0) }

// TestDrillOneObserverOutside (F2): one nameserver in another data center, and no other, cannot reach it.
func TestDrillOneObserverOutside(t *testing.T) { drillOneObserver(t, 2) }

// drillOneObserver is held while no other drill is: an observer that starves for seconds sees the deployment fail, too, and
// the two of them are a majority.
func drillOneObserver(t *testing.T, which int) {
	w := newWorld(t, three())
	began := w.strike(func(w *world) { w.network.Cut(lab.Both(w.nameservers[which].host, w.primary.host, 0)...) })
	w.stays(began, longWatch, w.primary, w.nameservers...)
}

// TestDrillMinority: a nameserver loses the two others and the active deployment at once. It keeps its answer for
// minority_hold, acts then, and says that it does so provisionally; the majority stays, and wins when they meet again.
func TestDrillMinority(t *testing.T) {
	t.Parallel()
	p := three()
	p.hold = 2 * time.Second
	var took, reunions series
	repeat(t, func(t *testing.T) {
		w := newWorld(t, p)
		alone, majority := w.nameservers[0], w.nameservers[1:]
		var heal func()
		began := w.strike(func(w *world) {
			rules := lab.Both(alone.host, w.primary.host, 0)
			for _, ns := range majority {
				rules = append(rules, lab.Both(alone.host, ns.host, 0)...)
			}
			heal = w.network.Cut(rules...)
		})
		took.add(w.switched(alone.watch, w.redundant, began))
		if !alone.provisional() {
			t.Errorf("%s acts without saying that it does so provisionally", alone.name)
		}
		w.stays(began, 0, w.primary, majority...)
		reunions.add(w.reunion(heal))
		w.stays(began, 0, w.primary, majority...)
	})
	took.logf(t, "the minority acted after")
	reunions.logf(t, "healed, the nameservers gave one answer after")
	if first := took.quantile(0); first < p.hold {
		t.Errorf("the minority acted after %v, before %v had passed", first, p.hold)
	}
	took.worstBelow(t, p.hold+switchBound)
	reunions.worstBelow(t, reunionBound)
}

// TestDrillTwoLoseOne: of two nameservers one is lost with its data center and the active deployment. The other may take
// little longer than one beside it that has always been alone.
func TestDrillTwoLoseOne(t *testing.T) {
	t.Parallel()
	var alone, survivor, later series
	repeat(t, func(t *testing.T) {
		w := newWorld(t, plan{nameservers: 2, cluster: true, lone: true})
		began := w.strike(func(w *world) { w.network.Cut(lab.Both(w.a, nil, 0)...) })
		one, other := w.switched(w.nameservers[2].watch, w.redundant, began), w.switched(w.nameservers[1].watch, w.redundant, began)
		alone.add(one)
		survivor.add(other)
		later.add(other - one)
	})
	alone.logf(t, "alone it switched after")
	survivor.logf(t, "the survivor switched after")
	later.logf(t, "that is later by")
	later.worstBelow(t, 1500*time.Millisecond)
}

// TestDrillWitness: two nameservers and a witness elsewhere, which is a process as they are and answers nobody. The data
// center with the active deployment and one of the two is gone: the other one and the witness are a majority, and it
// acts on that at once, which it could not alone.
func TestDrillWitness(t *testing.T) {
	t.Parallel()
	p := plan{nameservers: 2, cluster: true, witness: true}
	var heal func()
	var reunions series
	fault{
		plan: p, strike: func(w *world) { heal = w.network.Cut(lab.Both(w.a, nil, 0)...) },
		lost: 1, bound: switchBound, apart: apartMedian,
		after: func(w *world) {
			status, err := w.witness.process.Status(t.Context())
			w.must(err)
			if w.nameservers[1].provisional() || !status.Witness || len(status.Listen.DNS) > 0 {
				w.t.Errorf("the answer is provisional, or the witness answers at %v", status.Listen.DNS)
			}
			reunions.add(w.reunion(heal))
		},
	}.drill(t)
	reunions.logf(t, "healed, the nameservers gave one answer after")
	reunions.worstBelow(t, reunionBound)
}

// TestDrillTwoWithoutGossip: two nameservers cannot talk, and one cannot reach the active deployment. Each sees that the
// other still answers DNS, so neither takes the other for lost. It is held while no other drill is, as those above.
func TestDrillTwoWithoutGossip(t *testing.T) {
	const hold = 5 * time.Second
	w := newWorld(t, plan{nameservers: 2, cluster: true, hold: hold})
	one, two := w.nameservers[0], w.nameservers[1]
	began := w.strike(func(w *world) {
		rules := lab.Both(one.host, two.host, gossipPort)
		w.network.Cut(append(rules, lab.Both(two.host, w.primary.host, 0)...)...)
	})
	w.stays(began, hold, w.primary, one, two)
}
