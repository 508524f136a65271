package drill_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/livens/livens/checker"
	"github.com/livens/livens/failover"
	"github.com/livens/livens/internal/process"
)

// TestDrillChatFailback (F15): the primary was dead for a while and comes back, but the deployments cannot reach each other.
// The nameserver keeps everybody on the redundant one until they can and hold the same; then it moves them back, and
// nobody is without an open socket.
func TestDrillChatFailback(t *testing.T) {
	drill(t, plan{failback: "failback = \"gated\"\nfailback_delay = \"1s\"\n"}, func(w *world) row {
		began := time.Now()
		w.primary.kill()
		w.bothTo(w.redundant, began)
		w.active(w.redundant)
		w.hear(time.Now())
		for _, d := range w.all() {
			d.link.set(fault{stalled: true})
			d.link.reset()
		}
		w.must(w.primary.start())
		w.gate(w.primary, failover.Shut)
		back := time.Now()
		w.hear(back)
		time.Sleep(3 * time.Second) // thrice the delay: only the gate holds them back
		if err := w.steady(back); err != nil {
			t.Errorf("not in step: %v", err)
		}
		w.unmoved(back, w.noticed(back, time.Now()))
		for _, d := range w.all() {
			d.link.heal()
		}
		healed := time.Now()
		w.bothTo(w.primary, healed)
		w.active(w.primary)
		w.hear(time.Now())
		f := w.finish(began)
		if moved := w.noticed(healed, time.Now()); moved.gap > 0 {
			t.Errorf("%v without a socket on the way back", moved.gap)
		}
		for _, p := range w.parties() {
			for _, s := range p.switches(healed) {
				if !s.Planned || s.Gap > 0 || s.Replayed > 0 {
					t.Errorf("the %s: %+v, want a planned one to a deployment that has everything", p.role, s)
				}
			}
		}
		w.below(killedBound, f)
		return row{what: "the primary back, in step, then active", promised: "0 ms on the way back", figures: f}
	})
}

// gate waits until the nameserver holds that a deployment is up, and its gate as wanted.
func (w *world) gate(d *deployment, want failover.Gate) {
	w.t.Helper()
	w.must(process.Await(w.t.Context(), followLimit, func() error {
		status, err := w.nameservers[0].Status(w.t.Context())
		if err != nil {
			return err
		}
		for _, s := range status.Pool(poolName).Deployments {
			if s.Name == d.name && (s.State != checker.Up || s.Gate != want) {
				return fmt.Errorf("%s is %s, its gate %s: %s", d.name, s.State, s.Gate, s.GateWhy)
			}
		}
		return nil
	}))
}
