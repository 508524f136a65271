package drill_test

import (
	"context"
	"errors"
	"time"

	"github.com/livens/livens/failover"
	"github.com/livens/livens/internal/lab"
	"github.com/livens/livens/internal/process"
)

// stays waits until so long after began, and fails the drill if a nameserver answered with anything but the deployment
// from began on.
func (w *world) stays(began time.Time, long time.Duration, d *deployment, nameservers ...*nameserver) {
	w.t.Helper()
	time.Sleep(time.Until(began.Add(long)))
	for _, ns := range nameservers {
		for _, c := range ns.watch.Timeline().Since(began) {
			if c.Answer != d.answer() {
				w.t.Errorf("%s answers %s %v after the fault, want %s all the while", ns.name, c.Answer, round(c.At.Sub(began)), d.answer())
			}
		}
	}
}

// reunion heals the network and returns for how long after that not all nameservers gave the same answer.
func (w *world) reunion(heal func()) time.Duration {
	w.t.Helper()
	began := w.strike(func(*world) { heal() })
	w.must(process.Await(w.t.Context(), followLimit, func() error {
		if now := time.Now(); lab.Apart(now, now.Add(1), lines(w.nameservers)...) > 0 {
			return errors.New("the nameservers give different answers")
		}
		return nil
	}))
	return lab.Apart(began, time.Now(), lines(w.nameservers)...)
}

// order gives one nameserver an order.
func (w *world) order(ns *nameserver, verb failover.Verb, d *deployment) {
	w.t.Helper()
	o := failover.Order{Verb: verb, Pool: poolName, Who: "drill"}
	if verb != failover.DoFailback {
		o.Deployment = d.Name
	}
	ctx, cancel := context.WithTimeout(w.t.Context(), followLimit)
	defer cancel()
	_, err := ns.process.Client.Order(ctx, o)
	w.must(err)
}

// provisional is whether the nameserver says that its decision is.
func (ns *nameserver) provisional() bool {
	w := ns.world
	w.t.Helper()
	status, err := ns.process.Status(w.t.Context())
	w.must(err)
	return len(status.Pools) == 1 && status.Pools[0].Provisional
}

// invariants fails the drill for what may never be seen, whatever the fault: an epoch that goes back, a nameserver that
// runs and gives no address, a visitor who is not answered.
func (w *world) invariants() {
	w.t.Helper()
	for _, ns := range w.nameservers {
		line := ns.watch.Timeline()
		for _, c := range line.Backward() {
			w.t.Errorf("%s: epoch %d, after a higher one", ns.name, c.Epoch)
		}
		if !ns.absent {
			w.addressesOnly(ns.name, line.Since(w.settled))
		}
	}
	w.addressesOnly("the resolver", w.resolver.Timeline().Since(w.settled))
}

func (w *world) addressesOnly(who string, line lab.Timeline) {
	w.t.Helper()
	for _, c := range line {
		if c.Answer != w.primary.answer() && c.Answer != w.redundant.answer() {
			w.t.Errorf("%s: %s, %v after all was well", who, c.Answer, round(c.At.Sub(w.settled)))
		}
	}
}
