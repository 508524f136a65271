// Package cluster makes several nameservers one: they tell each other what they see and hold, and come to the same
// answer without a leader.
//
// # How
//
// Every nameserver keeps one Report: its votes on targets, the decisions and orders it holds, and which data it serves.
// It alone writes its report; the others keep the latest they have. A heartbeat every 200 ms goes to every peer and says
// which versions of whose reports exist, so that whatever is lost is asked for again; a change goes out at once. What is
// heard of a third is passed on, so that nameservers that cannot reach each other directly still agree through another.
//
// Core is all of that without sockets and clock: the simulator in this package's tests drives whole clusters of it.
// Transport carries messages over hashicorp/memberlist, encrypted. Node puts the two together, and gives the failover
// controller its verdicts: it is a failover.Observers.
//
// # What counts
//
// A vote counts while its observer is reached: its heartbeats come, directly or through others, and its report is at
// hand. Ages run from local receipt; no message carries a time that anything is decided by. See count for how votes make
// an agreed state, and docs/agreement.md for who answers what in which partition.
package cluster

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"

	"github.com/livens/livens/checker"
	"github.com/livens/livens/events"
	"github.com/livens/livens/failover"
	"github.com/livens/livens/zones"
)

// Options are what a Node is made with.
type Options struct {
	Config  *zones.Config // with Cluster set
	Keys    [][]byte      // the cluster's keys; the first encrypts. None: nobody is talked to, as if all were cut off
	Version string        // of livens
	Events  *events.Log
	Log     *slog.Logger
	// Carrier carries messages in place of a Transport, and Exchange asks DNS queries in place of UDP; nil: those. With them
	// a test puts nameservers on a network in memory.
	Carrier  Carrier
	Exchange func(ctx context.Context, query *dns.Msg, where netip.AddrPort) (*dns.Msg, error)
}

// Carrier carries messages between nameservers: a Transport.
type Carrier interface {
	Run(context.Context) error
	Send(peer string, data []byte, reliable bool)
	Received() <-chan Packet
	Links() []Link
	Faults() []Fault
	Refuse([]Fault) // books what was refused
	Traffic() (sent, received uint64)
}

// Node is a nameserver's part of the cluster. Its methods may be called from any goroutine.
type Node struct {
	options Options
	lookout *lookout
	courier *courier
	changes chan struct{}             // holds at most one signal
	joined  chan struct{}             // closed when the wait for running decisions is over
	heard   atomic.Pointer[time.Time] // when a nameserver elsewhere was last heard; the checker asks with its own lock held

	mu        sync.Mutex
	core      *Core
	carrier   Carrier // nil while its sockets cannot be bound
	mute      error   // why
	checker   *checker.Checker
	set       *zones.Set // what targets were taken from
	addresses int        // how many the decisions then had
}

// New makes a Node that has heard nothing yet. Run binds its sockets.
func New(o Options) *Node {
	if o.Exchange == nil {
		o.Exchange = askUDP
	}
	config := o.Config.Cluster
	advertised := config.Advertise
	if !advertised.IsValid() {
		advertised = config.Listen
	}
	core := NewCore(CoreOptions{
		Self: Report{
			Name: o.Config.Name, Boot: 1 + rand.Uint64N(1<<63), Address: advertised.String(), Site: o.Config.Site, Livens: o.Version, Witness: len(o.Config.Listen) == 0,
		},
		Peers: config.Peers, MinorityHold: config.MinorityHold, TieHold: config.TieHold,
	}, time.Now())
	return &Node{
		options: o, core: core, changes: make(chan struct{}, 1), joined: make(chan struct{}), lookout: newLookout(config.Peers),
		courier: newCourier(),
	}
}

// bindRetry is how often sockets that cannot be bound are tried again: a nameserver that cannot talk to the others
// answers all the same.
const bindRetry = 5 * time.Second

// Run takes part until ctx is done; then it tells the others that this nameserver stops. checker is this observer's.
func (n *Node) Run(ctx context.Context, c *checker.Checker) error {
	n.mu.Lock()
	n.checker = c
	n.mu.Unlock()
	carried, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	received, ended := n.bind(carried)
	var beside sync.WaitGroup
	beside.Go(func() { n.lookout.run(ctx, n) })
	beside.Go(func() { n.courier.run(ctx, n.send) })
	defer beside.Wait()
	happened := n.options.Events.Changes()
	var share <-chan time.Time // when events are sent next
	tick, again := time.NewTicker(Heartbeat), time.NewTicker(bindRetry)
	defer tick.Stop()
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			n.do(func(c *Core, now time.Time) { c.Leave(now) })
			stop()
			return <-ended
		case p := <-received:
			if !n.courier.take(p) {
				n.do(func(c *Core, now time.Time) { c.Receive(p.Peer, p.Data, now) })
			}
		case r := <-n.courier.read:
			n.do(func(c *Core, now time.Time) { c.received(r.peer, r.message, r.err, now) })
		case <-c.Changes():
			n.observe(false)
		case <-happened:
			if share == nil {
				share = time.After(shareDelay)
			}
		case <-share:
			if share = nil; n.share() {
				share = time.After(Heartbeat)
			}
		case <-tick.C:
			n.observe(true)
		case <-again.C:
			if received == nil {
				received, ended = n.bind(carried)
			}
		}
	}
}

// shareDelay is how long events are gathered before they are sent, when thousands happen, or are told, at once.
const shareDelay = 50 * time.Millisecond

// share sends the others what happened, and says whether there is more than can be sent at a time.
func (n *Node) share() bool {
	pending, more := n.options.Events.Pending(time.Now())
	n.do(func(c *Core, now time.Time) { c.TellEvents(pending, now) })
	return more
}

// bind opens the transport, and runs it until ctx is done. When that fails received is nil, and ended holds its end.
func (n *Node) bind(ctx context.Context) (received <-chan Packet, ended <-chan error) {
	end := make(chan error, 1)
	config := n.options.Config.Cluster
	carrier, err := n.options.Carrier, error(nil)
	if carrier == nil {
		carrier, err = NewTransport(TransportOptions{
			Name: n.options.Config.Name, Listen: config.Listen, Advertise: config.Advertise, Peers: config.Peers, Keys: n.options.Keys, Log: n.options.Log,
		})
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.mute = err; err != nil {
		n.options.Log.Error("the other nameservers cannot be talked to", "error", err, "retry", bindRetry)
		end <- nil
		return nil, end
	}
	n.carrier = carrier
	go func() { end <- carrier.Run(ctx) }()
	return carrier.Received(), end
}

// observe takes this observer's verdicts, and on a tick lets time pass.
func (n *Node) observe(tick bool) {
	verdicts := n.checker.Verdicts()
	doubt, _ := n.checker.SelfDoubt()
	n.do(func(c *Core, now time.Time) {
		c.Observe(verdicts, doubt, now)
		if tick {
			c.Tick(now)
		}
	})
}

// do lets the core work, and carries out what follows from it.
func (n *Node) do(work func(*Core, time.Time)) {
	n.mu.Lock()
	work(n.core, time.Now())
	out, hurry, unread, learnt := n.core.Take(), n.core.Hurry(), n.core.Unread(), n.core.Learnt()
	heard := n.core.HeardElsewhere()
	n.heard.Store(&heard)
	if n.core.Joined() {
		n.join()
	}
	happened := n.core.Happened()
	refused, checker, carrier := n.core.Noticed(), n.checker, n.carrier
	n.mu.Unlock()
	if carrier != nil {
		for _, o := range out {
			if o.Message.large() {
				n.courier.carry(o)
			} else {
				carrier.Send(o.Peer, o.Message.encode(), o.Reliable)
			}
		}
		carrier.Refuse(refused)
	}
	if len(hurry) > 0 && checker != nil {
		checker.Hurry(hurry)
	}
	for _, e := range happened {
		e.LogTo(n.options.Log)
	}
	n.options.Events.AddAll(happened, time.Now())
	if len(learnt) > 0 {
		n.options.Events.Merge(learnt, time.Now())
	}
	if unread {
		signal(n.changes)
	}
}

// send writes a message and sends it.
func (n *Node) send(o Outgoing) {
	n.mu.Lock()
	carrier := n.carrier
	n.mu.Unlock()
	if carrier != nil {
		carrier.Send(o.Peer, o.Message.encode(), o.Reliable)
	}
}

func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// join tells whoever waits that the running decisions have been heard. It is called with mu held.
func (n *Node) join() {
	select {
	case <-n.joined:
	default:
		close(n.joined)
	}
}

// Joined waits until the running decisions have been heard, 2 s at most.
func (n *Node) Joined(ctx context.Context) {
	select {
	case <-n.joined:
	case <-ctx.Done():
	}
}

// Changes and News make the Node the failover controller's observers.
func (n *Node) Changes() <-chan struct{} { return n.changes }

// News is what is new since the last call.
func (n *Node) News() failover.News {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.core.News(time.Now())
}

// Tell takes what this nameserver holds now. The controller calls it after each change.
func (n *Node) Tell(s *failover.Status) {
	if s.Set == nil {
		return
	}
	n.do(func(c *Core, now time.Time) {
		if targets := n.targets(s); targets != nil {
			c.Watch(targets, now)
		}
		c.Tell(s, now)
	})
}

// Heard is when a nameserver in another site was last heard: the checker asks before it doubts itself.
func (n *Node) Heard() time.Time {
	if at := n.heard.Load(); at != nil {
		return *at
	}
	return time.Time{}
}

// Status is what is known of the cluster now.
func (n *Node) Status() *Status {
	n.mu.Lock()
	s, carrier := n.core.Status(time.Now()), n.carrier
	if n.mute != nil {
		s.Mute = n.mute.Error()
	}
	n.mu.Unlock()
	n.lookout.report(s)
	if carrier == nil {
		return s
	}
	for _, link := range carrier.Links() {
		for i := range s.Peers {
			if p := &s.Peers[i]; p.Address == link.Peer {
				p.Error = link.Err
			}
		}
	}
	s.Faults = carrier.Faults()
	s.Sent, s.Received = carrier.Traffic()
	return s
}

// Tells says whether it is this nameserver that tells hooks now.
func (n *Node) Tells() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.core.Teller(time.Now()) == n.options.Config.Name
}

// Serving says where this nameserver answers DNS queries.
func (n *Node) Serving(where []string) {
	n.do(func(c *Core, now time.Time) { c.Serving(where, now) })
}

// targets are what is voted on, when that is not what was voted on before; else nil. It is called with mu held.
func (n *Node) targets(s *failover.Status) map[string]Target {
	kept := 0 // addresses, with those that answer though they are no longer configured
	for _, d := range s.Decisions {
		for _, x := range d.Deployments {
			kept += len(x.Address)
		}
	}
	if n.set == s.Set && n.addresses == kept {
		return nil
	}
	n.set, n.addresses = s.Set, kept
	out := map[string]Target{}
	for _, p := range s.Set.Pools {
		for _, t := range failover.Targets(p, s.Decisions[p.Name]) {
			out[t.Key] = Target{Site: p.Deployment(t.Deployment).Site, Fresh: 2*t.Check.Interval + t.Check.Timeout}
		}
	}
	return out
}
