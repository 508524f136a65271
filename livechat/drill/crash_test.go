package drill_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/livens/livens/failover"
)

const (
	killedBound  = 300 * time.Millisecond  // without a socket, and for a message, when a deployment is killed
	silentBound  = 3 * time.Second         // the same when one falls silent while people write
	idleBound    = 8 * time.Second         // until it is noticed when nobody writes
	returnBound  = 2500 * time.Millisecond // from the return of the first of two dead deployments until both chat
	noMoreThan   = "≤ %v"                  // how the table says it
	steadyPeriod = 2 * time.Second         // of talk in which nothing may happen
)

func promise(bound time.Duration) string { return fmt.Sprintf(noMoreThan, bound) }

// below fails the drill when people noticed more than was promised.
func (w *world) below(bound time.Duration, f figures) {
	w.t.Helper()
	w.within(bound, f.gap, "without a socket")
	w.within(bound, f.slowest, "the slowest message")
}

// bothTo waits until both parties have switched to a deployment since a moment.
func (w *world) bothTo(d *deployment, since time.Time) {
	w.t.Helper()
	for _, p := range w.parties() {
		p.await("a switch to "+d.name, since, followLimit, switchedTo(d.name))
	}
}

// hear waits until each has been shown something that the other has said since a moment.
func (w *world) hear(since time.Time) {
	w.t.Helper()
	for _, way := range [][2]*party{{w.visitor, w.operator}, {w.operator, w.visitor}} {
		said := way[0].await("something is said", since, followLimit, kind("said"))
		way[1].await("it is shown: "+said.Text, said.time().Add(-time.Second), followLimit, func(e event) bool { return e.Kind == "got" && e.Text == said.Text })
	}
}

// TestDrillChatKilled (F9, F11, F13): the active deployment is killed while both write; then, once it is back, the other
// one. Every second time the Moderators are black-holed, from before a further visitor comes: what that adds to a first
// connection and to a switch is the difference of the medians.
func TestDrillChatKilled(t *testing.T) {
	drill(t, plan{}, func(w *world) row {
		began := time.Now()
		var first, gap [2][]time.Duration // with Moderators that answer; that do not
		var slowest []time.Duration
		active := w.primary
		for round := range 6 * repeats {
			for silent, f := range []fault{{}, {stalled: true}} {
				w.moderatorsDo(f)
				took, _, _ := w.firstWelcome(fmt.Sprintf("bob%d%d", round, silent))
				first[silent] = append(first[silent], took)
				seen := w.killed(active)
				gap[silent], slowest = append(gap[silent], seen.gap), append(slowest, seen.slowest)
				w.moderatorsDo(fault{})
				w.active(w.other(active))
				w.must(active.start())
				w.settle()
				active = w.other(active)
			}
		}
		f := w.finish(began)
		f.gap, f.slowest = percentile99(slices.Concat(gap[:]...)), percentile99(slowest)
		w.below(killedBound, f)
		addedFirst, addedGap := median(first[1])-median(first[0]), median(gap[1])-median(gap[0])
		w.within(moderatorBound, addedFirst, "a black-holed Moderator added to a first connection")
		w.within(moderatorBound, addedGap, "a black-holed Moderator added to a switch")
		more := fmt.Sprintf("a first welcome %v later, a switch %v; gaps of %s, with Moderators of %s", round(addedFirst), round(addedGap), spread(gap[1]), spread(gap[0]))
		report(t, row{what: "Moderators black-holed, first load and killed", promised: promise(moderatorBound) + " more", figures: f, more: more})
		return row{what: fmt.Sprintf("killed, %d times", len(slowest)), promised: promise(killedBound) + " (99th)", figures: f, more: "gaps of " + spread(slices.Concat(gap[:]...))}
	})
}

// killed kills a deployment, and is what the two noticed until they heard each other again.
func (w *world) killed(d *deployment) figures {
	w.t.Helper()
	struck := time.Now()
	d.kill()
	w.bothTo(w.other(d), struck)
	w.hear(time.Now())
	f := w.noticed(struck, time.Now())
	if max(f.gap, f.slowest) > killedBound {
		w.t.Logf("%v\nvisitor:\n%soperator:\n%s", f, told(w.visitor.seen(struck)), told(w.operator.seen(struck)))
	}
	return f
}

// TestDrillChatThereAndBack (F11, F15): A → B → A → B, each dying as soon as the other chats again: what was written
// last is nowhere but on the operator's page and on the one that has just died.
func TestDrillChatThereAndBack(t *testing.T) {
	t.Parallel()
	drill(t, plan{}, func(w *world) row {
		began := time.Now()
		active := w.primary
		for range 3 {
			struck := time.Now()
			active.kill()
			w.bothTo(w.other(active), struck)
			w.must(active.start())
			w.hear(struck)
			active = w.other(active)
		}
		return row{what: "A → B → A → B, killed one after the other", figures: w.finish(began)}
	})
}

// TestDrillChatStopped (F9): the active deployment is stopped (SIGSTOP) while both write, and goes on when it is no longer
// needed.
func TestDrillChatStopped(t *testing.T) {
	drill(t, plan{}, func(w *world) row {
		began := time.Now()
		w.primary.freeze()
		w.bothTo(w.redundant, began)
		w.hear(time.Now())
		seen := w.noticed(began, time.Now()) // before it goes on, which may cost something, too
		w.primary.thaw()
		w.settle()
		f := w.finish(began)
		f.gap, f.slowest = max(f.gap, seen.gap), max(f.slowest, seen.slowest)
		w.below(silentBound, f)
		return row{what: "SIGSTOP while both write", promised: promise(silentBound), figures: f}
	})
}

// TestDrillChatStoppedIdle (F9): the same while nobody writes. What is written next arrives.
func TestDrillChatStoppedIdle(t *testing.T) {
	drill(t, plan{idle: true}, func(w *world) row {
		return w.idleUntil(w.primary.freeze, "SIGSTOP while nobody writes")
	})
}

// idleUntil strikes while nobody writes, and holds how long it takes until both are elsewhere.
func (w *world) idleUntil(strike func(), what string) row {
	w.t.Helper()
	w.arrive()
	began := time.Now()
	strike()
	w.bothTo(w.redundant, began)
	took := time.Since(began)
	w.within(idleBound, took, "noticed")
	w.visitor.round()
	w.operator.round()
	f := w.finish(began)
	w.below(idleBound, f)
	return row{what: what, promised: promise(idleBound), figures: f, more: fmt.Sprintf("elsewhere after %v", round(took))}
}

// TestDrillChatStandbyFails (F10): nobody is affected.
func TestDrillChatStandbyFails(t *testing.T) {
	t.Parallel()
	drill(t, plan{}, func(w *world) row {
		began := time.Now()
		w.redundant.kill()
		w.hear(began)
		w.must(w.redundant.start())
		w.settle()
		f := w.finish(began)
		w.unmoved(began, f)
		return row{what: "the standby killed, and back", promised: "no switch", figures: f}
	})
}

// unmoved fails the drill if anybody was moved, or was without a socket, since a moment.
func (w *world) unmoved(since time.Time, f figures) {
	w.t.Helper()
	for _, p := range w.parties() {
		if s := p.switches(since); len(s) > 0 {
			w.t.Errorf("the %s switched: %+v", p.role, s)
		}
	}
	if f.gap > 0 {
		w.t.Errorf("%v without a socket", f.gap)
	}
}

// TestDrillChatBothDown (F14): both deployments are killed; the people are told after 3 s, and chat again soon after the
// first is back, whichever that is.
func TestDrillChatBothDown(t *testing.T) {
	for _, first := range []string{"primary", "redundant"} {
		t.Run(first, func(t *testing.T) {
			drill(t, plan{}, func(w *world) row {
				began := time.Now()
				w.primary.kill()
				w.redundant.kill()
				for _, p := range w.parties() {
					told := p.await("“we are reconnecting”", began, followLimit, kind("reconnecting"))
					if after := told.time().Sub(began); after < 2900*time.Millisecond {
						t.Errorf("the %s is told after %v", p.role, after)
					}
				}
				back := w.named(first)
				w.must(back.start())
				returned := time.Now()
				for _, p := range w.parties() {
					p.await("a welcome", returned.Add(-time.Second), followLimit, kind("ready"))
				}
				took := time.Since(returned)
				w.within(returnBound, took, "chatting again")
				w.hear(time.Now())
				w.must(w.other(back).start())
				w.settle()
				return row{what: "both killed, one back", promised: promise(returnBound) + " from there", figures: w.finish(began), more: fmt.Sprintf("live %v after its return", round(took))}
			})
		})
	}
}

func (w *world) named(id string) *deployment {
	if id == w.primary.name {
		return w.primary
	}
	return w.redundant
}

// TestDrillChatPlanned (F7, F8): an operator has all move to the redundant deployment; the primary is stopped, replaced,
// and takes over again. At no moment is anybody without an open socket.
func TestDrillChatPlanned(t *testing.T) {
	drill(t, plan{}, func(w *world) row {
		began := time.Now()
		w.obeyed(failover.DoFailover, w.redundant)
		w.bothTo(w.redundant, began)
		w.hear(time.Now())
		w.primary.stop()
		w.hear(time.Now())
		w.must(w.primary.start())
		w.goBack()
		f := w.finish(began)
		for _, p := range w.parties() {
			for _, s := range p.switches(began) {
				if !s.Planned || s.Gap > 0 {
					t.Errorf("the %s: %+v, want a planned one without a gap", p.role, s)
				}
			}
		}
		if f.gap > 0 {
			t.Errorf("%v without a socket", f.gap)
		}
		return row{what: "moved for an upgrade, and back", promised: "0 ms", figures: f}
	})
}
