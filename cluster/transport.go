package cluster

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"
)

// TransportOptions is what a Transport is made of.
type TransportOptions struct {
	Name      string         // of this nameserver, at most 255 bytes; no two nameservers may have the same
	Listen    netip.AddrPort // UDP and TCP
	Advertise netip.AddrPort // where peers reach this nameserver; zero: Listen
	Peers     []string       // host:port of every other nameserver; hosts are addresses or names
	Keys      [][]byte       // 32 bytes each; the first encrypts, all decrypt
	Log       *slog.Logger
}

// Transport carries messages between the nameservers of one cluster, encrypted and authenticated by their keys.
//
// The library keeps the membership and says who left or died. Messages do not wait for its word: they go straight to
// where a peer was last met, and are taken from any address that a peer is configured to have. So neither the
// library's timers nor its mistakes can cut off a peer whose packets arrive.
//
// Who holds a key is trusted not to lie about itself. Packets can be replayed; telling that is up to the receiver.
type Transport struct {
	name      string
	advertise netip.AddrPort
	log       *slog.Logger
	faults    *faultBook
	sockets   *sockets
	contacts  *contacts
	library   *memberlist.Memberlist
	received  chan Packet
}

const (
	streamPatience  = 5 * time.Second        // for a whole message over TCP
	forgetPatience  = 5 * time.Second        // until the library forgets the dead
	leavePatience   = 500 * time.Millisecond // for telling the others that one leaves
	clusterLabel    = "livens"               // on everything sent: foreign clusters and noise are known without decrypting
	receivedBacklog = 1024                   // packets that wait for the reader of Received
)

// NewTransport binds the sockets. Run must be called for anything to be joined, and to close them.
func NewTransport(o TransportOptions) (*Transport, error) {
	if !o.Advertise.IsValid() {
		o.Advertise = o.Listen
	}
	ring, err := o.keyring()
	if err != nil {
		return nil, err
	}
	t := &Transport{name: o.Name, advertise: plain(o.Advertise), log: o.Log, received: make(chan Packet, receivedBacklog)}
	t.faults = newFaultBook(o.Log)
	t.contacts = newContacts(o.Peers, time.Now())
	if t.sockets, err = listen(o.Listen, t.advertise, t.contacts.known, t.faults); err != nil {
		return nil, err
	}
	if t.library, err = memberlist.Create(t.libraryConfig(ring)); err != nil {
		t.sockets.Shutdown()
		return nil, fmt.Errorf("cluster: %w", err)
	}
	return t, nil
}

// keyring checks the options on the way.
func (o TransportOptions) keyring() (*memberlist.Keyring, error) {
	if o.Name == "" || len(o.Name) > maxNodeName {
		return nil, fmt.Errorf("the name of a nameserver has 1 to %d bytes, %q has %d", maxNodeName, o.Name, len(o.Name))
	}
	if o.Advertise.Addr().IsUnspecified() || o.Advertise.Port() == 0 {
		return nil, fmt.Errorf("peers cannot reach %s: set advertise in [cluster] to an address and port of this nameserver", o.Advertise)
	}
	if len(o.Keys) == 0 {
		return nil, errors.New("a cluster needs a key: `livens key cluster` prints one")
	}
	for i, key := range o.Keys {
		if len(key) != 32 {
			return nil, fmt.Errorf("cluster key %d has %d bytes, not 32: `livens key cluster` prints a good one", i+1, len(key))
		}
	}
	return memberlist.NewKeyring(o.Keys, o.Keys[0])
}

// libraryConfig tunes the library for up to 32 nameservers, near and far, that send little while nothing happens. A
// death is told in about two seconds and forgotten soon after, so that a nameserver which returns elsewhere gets its
// name back. Gossip costs nothing while there is nothing to tell: it runs often, so that a leave is known at once.
func (t *Transport) libraryConfig(ring *memberlist.Keyring) *memberlist.Config {
	c := memberlist.DefaultLANConfig()
	c.Name, c.Label, c.Keyring = t.name, clusterLabel, ring
	c.Transport = t.sockets
	c.BindPort, c.AdvertisePort = int(t.advertise.Port()), int(t.advertise.Port())
	c.Logger = log.New(&libraryLog{log: t.log, faults: t.faults}, "", 0)
	c.TCPTimeout = streamPatience
	c.PushPullInterval = 0 // joining exchanges the state, and lost peers are joined again and again
	c.ProbeInterval, c.ProbeTimeout = 500*time.Millisecond, 400*time.Millisecond
	c.SuspicionMult, c.AwarenessMaxMultiplier = 2, 1 // the same pace in a minority
	c.GossipInterval, c.GossipNodes, c.RetransmitMult = 50*time.Millisecond, 31, 10
	c.GossipToTheDeadTime, c.DeadNodeReclaimTime = forgetPatience, time.Nanosecond
	c.EnableCompression = false
	d := delegate{t}
	c.Delegate, c.Events, c.Alive, c.Conflict, c.Merge = d, d, d, d, d
	return c
}

// Run joins the peers, and keeps joining those that are lost, until ctx ends. Then it tells the others that this
// nameserver leaves, which takes a second at most, and closes the sockets.
func (t *Transport) Run(ctx context.Context) error {
	var work sync.WaitGroup
	for _, c := range t.contacts.all {
		work.Go(func() { t.keepJoined(ctx, c) })
		work.Go(func() { t.sendReliably(ctx, c) })
	}
	<-ctx.Done()
	if err := t.library.Leave(leavePatience); err != nil {
		t.log.Info("the other nameservers may not know that this one leaves", "err", err)
	}
	err := t.library.Shutdown()
	work.Wait()
	return err
}

// Links is what is known about every configured peer, in the order of the configuration.
func (t *Transport) Links() []Link { return t.contacts.links() }

// Changed tells that the library has said of a peer that it joined, left or died: see Links. Several changes may be
// one signal.
func (t *Transport) Changed() <-chan struct{} { return t.contacts.changed }

// Faults are the kinds of trouble met so far, by name.
func (t *Transport) Faults() []Fault { return t.faults.list() }

// Traffic is how many bytes were sent and received since the start, without the headers of UDP, TCP and IP.
func (t *Transport) Traffic() (sent, received uint64) {
	return t.sockets.sent.Load(), t.sockets.received.Load()
}
