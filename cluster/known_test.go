package cluster

import (
	"slices"
	"testing"
	"time"

	"github.com/livens/livens/failover"
)

// A nameserver sees since when another is reached, since when that one's files differ, and whether it knows of orders.
func TestWhatIsKnownOfAPeer(t *testing.T) {
	w := newWorld(t, 1, "", "", "")
	w.start()
	w.run(20 * time.Second)
	ns1, ns2 := w.nodes[0], w.nodes[1]
	peer := func() *Peer { return &ns1.core.Status(ns1.clock()).Peers[0] }
	began := peer().Since
	if began.IsZero() || peer().Name != "ns2" {
		t.Fatalf("%+v", peer())
	}
	if zones := peer().Zones; len(zones) != 1 || !zones[0].Apart.IsZero() || zones[0].Hash != ns1.core.report.Zones["example.com."].Hash {
		t.Errorf("with equal files: %+v", zones)
	}
	ns2.edition = 1
	ns2.load()
	before := ns1.clock()
	w.run(10 * time.Second)
	if apart := peer().Zones[0].Apart; apart.Before(before) || apart.After(before.Add(5*time.Second)) {
		t.Errorf("apart since %v, changed at %v", apart, before)
	}
	ns2.edition = 0
	ns2.load()
	w.run(10 * time.Second)
	if apart := peer().Zones[0].Apart; !apart.IsZero() {
		t.Errorf("alike again, and apart since %v", apart)
	}
	if got := peer().Since; !got.Equal(began) {
		t.Errorf("reached since %v, before %v", got, began)
	}
	w.must(ns1.give(failover.Order{Verb: failover.DoDrain, Pool: "chat", Deployment: "redundant", Who: "alice"}))
	orders := ns1.engine.Status().Registers
	if known, untold, waits := ns1.core.known(orders); len(known) > 0 || !slices.Equal(untold, []string{"ns2", "ns3"}) || !waits {
		t.Errorf("before anybody can know the order: %v know it, %v do not, waits %t", known, untold, waits)
	}
	w.run(500 * time.Millisecond)
	if known, untold, waits := ns1.core.known(orders); !slices.Equal(known, []string{"ns2", "ns3"}) || len(untold) > 0 || waits {
		t.Errorf("after half a second: %v know the order, %v do not, waits %t", known, untold, waits)
	}
	ns2.kill()
	w.run(5 * time.Second)
	if known, untold, waits := ns1.core.known(orders); !slices.Equal(known, []string{"ns3"}) || !slices.Equal(untold, []string{"ns2"}) || waits {
		t.Errorf("with ns2 dead: %v know the order, %v do not, waits %t", known, untold, waits)
	}
	if got := peer().Since; !got.IsZero() {
		t.Errorf("silent, and reached since %v", got)
	}
	ns2.start()
	w.run(10 * time.Second)
	if got := peer().Since; !got.After(began) {
		t.Errorf("back, and reached since %v", got)
	}
}
