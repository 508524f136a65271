package drill_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/livens/livens/failover"
	"github.com/livens/livens/internal/lab"
)

// TestDrillNameserverDies (F12): a nameserver is killed, and misses a switch. Visitors are answered all the while. When
// it is back, the first thing that it answers is what the others answer, not what it remembers.
func TestDrillNameserverDies(t *testing.T) {
	t.Parallel()
	var back, slowest series
	repeat(t, func(t *testing.T) {
		w := newWorld(t, three())
		victim := w.nameservers[1]
		victim.kill()
		began := w.strike(func(w *world) { w.order(w.nameservers[0], failover.DoFailover, w.redundant) })
		w.switched(w.nameservers[2].watch, w.redundant, began)
		w.switched(w.resolver, w.redundant, began)
		w.silent(victim.watch, began)
		restarted := w.strike(func(*world) { w.must(victim.start()) })
		back.add(w.switched(victim.watch, w.redundant, restarted))
		for _, c := range victim.watch.Timeline().Since(restarted) {
			if c.Answer == w.primary.answer() {
				t.Errorf("%s answers with what it remembers, %v after it was started", victim.name, round(c.At.Sub(restarted)))
			}
		}
		_, longest := w.resolver.Asked()
		slowest.add(longest)
	})
	slowest.logf(t, "no visitor was without an answer; the slowest took")
	back.logf(t, "restarted, it gave the running answer after")
	back.worstBelow(t, 2*time.Second)
}

// TestDrillNameserverSleeps: a nameserver is stopped, as a paused virtual machine is, and misses a switch. The others
// switch without it; it follows once it goes on.
func TestDrillNameserverSleeps(t *testing.T) {
	t.Parallel()
	var took, back series
	repeat(t, func(t *testing.T) {
		w := newWorld(t, three())
		sleeper, others := w.nameservers[2], w.nameservers[:2]
		began := w.strike(func(w *world) {
			sleeper.freeze()
			w.primary.Kill()
		})
		for _, ns := range others {
			took.add(w.switched(ns.watch, w.redundant, began))
		}
		w.switched(w.resolver, w.redundant, began)
		awake := w.strike(func(*world) { sleeper.thaw() })
		back.add(w.switched(sleeper.watch, w.redundant, awake))
		w.stays(awake, time.Second, w.redundant, others...)
	})
	took.logf(t, "the others switched after")
	back.logf(t, "awake, it gave the running answer after")
	took.worstBelow(t, switchBound)
	back.worstBelow(t, reunionBound)
}

// TestDrillOrder (F7, F8): an operator has one nameserver switch to the redundant deployment, and another switch back.
func TestDrillOrder(t *testing.T) {
	t.Parallel()
	const bound = 500 * time.Millisecond
	var took, apart series
	repeat(t, func(t *testing.T) {
		w := newWorld(t, three())
		for _, order := range []struct {
			at   *nameserver
			verb failover.Verb
			to   *deployment
		}{
			{w.nameservers[0], failover.DoFailover, w.redundant},
			{w.nameservers[1], failover.DoFailback, w.primary},
		} {
			began := w.strike(func(w *world) { w.order(order.at, order.verb, order.to) })
			for _, ns := range w.nameservers {
				took.add(w.switched(ns.watch, order.to, began))
			}
			apart.add(lab.Apart(began, time.Now(), lines(w.nameservers)...))
		}
	})
	took.logf(t, "the order reached all after")
	apart.logf(t, "the nameservers gave different answers for")
	took.worstBelow(t, bound)
	apart.medianBelow(t, apartMedian)
	apart.worstBelow(t, apartWorst)
}

// TestDrillHangingWebhook: who is told of every switch accepts connections and says nothing.
func TestDrillHangingWebhook(t *testing.T) {
	t.Parallel()
	p := three()
	p.hook = true
	fault{
		plan: p, strike: func(w *world) { w.primary.Kill() },
		bound: killedBound + messageBound, apart: apartMedian,
		after: func(w *world) { w.toldHook() },
	}.drill(t)
}

// startHook has a host accept what is posted, and never reply.
func (w *world) startHook(host *lab.Host) {
	w.t.Helper()
	listener, err := host.Listen(netip.AddrPortFrom(host.Addr, webPort))
	w.must(err)
	w.t.Cleanup(func() { listener.Close() })
	w.hook = listener
}

// hookSection has livens.toml name the web server that hangs, if there is one.
func (w *world) hookSection() string {
	if w.hook == nil {
		return ""
	}
	return fmt.Sprintf("[[hook]]\nname = \"hangs\"\nurl = \"http://%s/\"\n", w.hook.Addr())
}

// toldHook fails the drill unless a nameserver has tried to tell the hook.
func (w *world) toldHook() {
	w.t.Helper()
	w.must(w.hook.SetDeadline(time.Now().Add(followLimit)))
	conn, err := w.hook.Accept()
	if err != nil {
		w.t.Fatalf("the hook was not told: %v", err)
	}
	conn.Close()
}
