package livens_test

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/livens/livens/cluster"
)

// traffic is what a cut keeps from passing.
type traffic int

const (
	gossip     traffic = iota + 1 // what is sent between cluster ports
	everything                    // that, DNS queries and probes
)

// between is a way between two ends, by their names in alphabetical order.
func between(a, b string) [2]string { return [2]string{min(a, b), max(a, b)} }

// cut keeps packets from passing between two ends: names of nameservers, or addresses.
func (n *network) cut(a, b string, what traffic) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cuts[between(a, b)] = what
}

func (n *network) isCut(a, b string, what traffic) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.cuts[between(a, b)] >= what
}

// heal ends all cuts. What waited for an answer goes on.
func (n *network) heal() {
	n.mu.Lock()
	defer n.mu.Unlock()
	clear(n.cuts)
	for _, h := range n.hosts {
		h.wake()
	}
}

// delay is what a packet takes from one nameserver to another. No two ways are alike, so that messages sent at one
// instant of fake time arrive in an order.
func (n *network) delay(from, to int) time.Duration {
	return 2*time.Millisecond + time.Duration(10*from+to)*17*time.Microsecond
}

// wire carries what a nameserver says to the others: a cluster.Carrier.
type wire struct {
	*nameserver
	received chan cluster.Packet
	mu       sync.Mutex
	sent     map[string]time.Time // by peer: when the last packet arrives
}

// plug connects a nameserver that starts.
func (n *network) plug(to *nameserver) *wire {
	w := &wire{nameserver: to, received: make(chan cluster.Packet, 1024), sent: map[string]time.Time{}}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.wires[to.address()+":7946"] = w
	return w
}

// unplug cuts a nameserver off for good, as its end does: whatever it says from now on is lost.
func (n *network) unplug(from *nameserver) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.wires, from.address()+":7946")
}

// wire is what is connected at an address; nil: nothing.
func (n *network) wire(address string) *wire {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.wires[address]
}

// Run waits for the end of the nameserver.
func (w *wire) Run(ctx context.Context) error {
	<-ctx.Done()
	if w.network.wire(w.address()+":7946") == w {
		w.network.unplug(w.nameserver)
	}
	return nil
}

// Send sends a packet, which arrives after the delay of the way, or never. Packets do not overtake each other.
func (w *wire) Send(peer string, data []byte, _ bool) {
	to := w.network.wire(peer)
	if to == nil || w.network.wire(w.address()+":7946") != w {
		return
	}
	due := time.Now().Add(w.network.delay(w.place, to.place))
	w.mu.Lock()
	if last := w.sent[peer]; !due.After(last) {
		due = last.Add(time.Microsecond)
	}
	w.sent[peer] = due
	w.mu.Unlock()
	data = slices.Clone(data)
	time.AfterFunc(time.Until(due), func() {
		if w.network.wire(peer) == to && !w.network.isCut(w.name, to.name, gossip) {
			to.received <- cluster.Packet{Peer: w.address() + ":7946", Name: w.name, Data: data}
		}
	})
}

// Received, Links, Faults, Refuse and Traffic make the wire a cluster.Carrier.
func (w *wire) Received() <-chan cluster.Packet { return w.received }

func (w *wire) Links() []cluster.Link { return nil }

func (w *wire) Faults() []cluster.Fault { return nil }

func (w *wire) Refuse([]cluster.Fault) {}

func (w *wire) Traffic() (sent, received uint64) { return 0, 0 }
