package cluster

import (
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Link is how one configured peer stands with the library. It says nothing about the messages that arrive.
type Link struct {
	Peer  string         // as configured
	Name  string         // of the nameserver last met there; "": none yet
	Addr  netip.AddrPort // where it was last met, or what Peer resolves to
	Up    bool           // false: never met, or it left or died by the library's word
	Since time.Time      // of Up as it is
	Err   string         // why the last try to join failed; "" while Up
}

// contacts are the configured peers with what is known of them.
type contacts struct {
	all     []*contact
	changed chan struct{}

	mu    sync.Mutex // guards alive, and what is in the contacts
	alive map[member]struct{}
}

// member is a nameserver that is there, by the library's word.
type member struct {
	name string
	addr netip.AddrPort
}

// contact is one configured peer. Its link, addrs and heard are guarded by the mutex of its contacts.
type contact struct {
	link    Link
	addrs   []netip.AddrPort // what Peer resolved to last; empty: it never did
	queue   chan []byte      // frames for TCP
	heard   time.Time        // when its latest message came
	waiting atomic.Int64     // bytes of these, and of the one that is being sent
}

// What waits for TCP to one peer at most.
const (
	sendBacklog = 64             // messages
	maxWaiting  = 8 * MaxMessage // bytes
)

func newContacts(peers []string, now time.Time) *contacts {
	cs := &contacts{changed: make(chan struct{}, 1), alive: map[member]struct{}{}}
	for _, peer := range peers {
		c := &contact{link: Link{Peer: peer, Since: now}, queue: make(chan []byte, sendBacklog)}
		if addr, err := netip.ParseAddrPort(peer); err == nil {
			c.addrs = []netip.AddrPort{plain(addr)}
		}
		cs.all = append(cs.all, c)
	}
	return cs
}

// plain makes addresses comparable: an IPv4 address has one form.
func plain(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

func (cs *contacts) links() []Link {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	links := make([]Link, len(cs.all))
	for i, c := range cs.all {
		links[i] = c.link
		if !c.link.Addr.IsValid() && len(c.addrs) > 0 {
			links[i].Addr = c.addrs[0]
		}
	}
	return links
}

// named is the contact that is configured as peer; nil: none is.
func (cs *contacts) named(peer string) *contact {
	for _, c := range cs.all {
		if c.link.Peer == peer { // which never changes
			return c
		}
	}
	return nil
}

// link is a copy of the contact's link.
func (cs *contacts) link(c *contact) Link {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	return c.link
}

// at is the contact that has addr; with mu held.
func (cs *contacts) at(addr netip.AddrPort) *contact {
	for _, c := range cs.all {
		if slices.Contains(c.addrs, addr) {
			return c
		}
	}
	return nil
}

// belongs says whether a peer has addr, and if none has, whether that is sure: a peer whose name has not yet resolved
// might.
func (cs *contacts) belongs(addr netip.AddrPort) (yes, sure bool) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if cs.at(addr) != nil {
		return true, true
	}
	return false, !slices.ContainsFunc(cs.all, func(c *contact) bool { return len(c.addrs) == 0 })
}

// known says whether a peer has this address, with any port.
func (cs *contacts) known(ip netip.Addr) bool {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	return slices.ContainsFunc(cs.all, func(c *contact) bool {
		return slices.ContainsFunc(c.addrs, func(a netip.AddrPort) bool { return a.Addr() == ip })
	})
}

// lost says that a peer is to be joined: the library does not have it, or it is silent.
func (cs *contacts) lost(c *contact, now time.Time) bool {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	return !c.link.Up || now.Sub(latest(c.heard, c.link.Since)) > silence
}

// sender is the peer that a message comes from, by the name and address that the message bears. taken: another peer
// that is up has the name. A peer that speaks from another of its addresses than where it was met is answered there.
func (cs *contacts) sender(name string, addr netip.AddrPort, now time.Time) (peer string, known, taken bool) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	from := cs.at(addr)
	if from == nil {
		return "", false, false
	}
	taken = slices.ContainsFunc(cs.all, func(c *contact) bool { return c != from && c.link.Up && c.link.Name == name })
	if !taken {
		from.heard = now
		if from.link.Name == name {
			from.link.Addr = addr
		}
	}
	return from.link.Peer, true, taken
}

// candidates are the addresses at which the peer may be joined.
func (cs *contacts) candidates(c *contact) []netip.AddrPort {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	return c.addrs
}

// failed takes note of why a peer could not be joined, unless it is up meanwhile.
func (cs *contacts) failed(c *contact, err error) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if !c.link.Up {
		c.link.Err = strings.ReplaceAll(err.Error(), "\n", "; ")
	}
}

// met takes note of the library's word that a nameserver is there.
func (cs *contacts) met(m member, now time.Time) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.alive[m] = struct{}{}
	if c := cs.at(m.addr); c != nil {
		c.up(m, now)
		cs.signal()
	}
}

// gone takes note of the library's word that a nameserver left or died.
func (cs *contacts) gone(m member, now time.Time) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	delete(cs.alive, m)
	for _, c := range cs.all {
		if c.link.Up && c.link.Name == m.name && c.link.Addr == m.addr {
			c.link.Up, c.link.Since, c.link.Err = false, now, "it left or died"
			cs.find(c, now)
			cs.signal()
		}
	}
}

// resolved takes note of the addresses of a peer that is not up.
func (cs *contacts) resolved(c *contact, addrs []netip.AddrPort, now time.Time) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	c.addrs = addrs
	if !c.link.Up && cs.find(c, now) {
		cs.signal()
	}
}

// find looks for a peer that is not up among those who the library says are there. It tells of each only once: before
// the peer resolved to this address, or when two names were there, as after a nameserver was renamed.
func (cs *contacts) find(c *contact, now time.Time) bool {
	for m := range cs.alive {
		if slices.Contains(c.addrs, m.addr) {
			c.up(m, now)
			return true
		}
	}
	return false
}

func (c *contact) up(m member, now time.Time) {
	if !c.link.Up {
		c.link.Since = now
	}
	c.link.Name, c.link.Addr, c.link.Up, c.link.Err = m.name, m.addr, true, ""
}

func (cs *contacts) signal() {
	select {
	case cs.changed <- struct{}{}:
	default: // one is on its way
	}
}
