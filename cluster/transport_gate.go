package cluster

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// Connections at one time. Those from addresses of peers are not counted among the strangers', so that no stranger
// can keep a peer out; several peers may share one address.
const (
	maxStrangers      = 16
	maxPerStranger    = 4
	maxPerPeerAddress = 128
	strangeStreams    = 100                 // a second
	maxStream         = MaxMessage + 64<<10 // bytes read from one connection: MaxMessage, and what is put around it
	usualStream       = 1 << 20             // bytes that every connection may hold; those beyond are taken from what all share
	spareForStrangers = maxStream           // bytes
	spareForPeers     = 8 * maxStream       // bytes
)

// gate says how many connections may come in.
type gate struct {
	mu        sync.Mutex
	strangers int
	perClient map[netip.Addr]int
	rate      budget       // of strangers
	spare     map[bool]int // bytes that connections hold beyond the usual: those of peers, and of strangers
}

func newGate() *gate { return &gate{perClient: map[netip.Addr]int{}, spare: map[bool]int{}} }

// lend says whether a connection, a peer's or a stranger's, may hold so many bytes more than is usual. A negative number gives
// them back.
func (g *gate) lend(peer bool, bytes int) bool {
	most := spareForStrangers
	if peer {
		most = spareForPeers
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.spare[peer]+bytes > most {
		return false
	}
	g.spare[peer] += bytes
	return true
}

// enter asks for a place, which leave gives back. An IPv6 /64 counts as one client.
func (g *gate) enter(now time.Time, from netip.Addr, peer bool) (leave func(), ok bool) {
	client := from
	if from.Is6() {
		prefix, _ := from.WithZone("").Prefix(64)
		client = prefix.Addr()
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.room(now, client, peer) {
		return nil, false
	}
	strangers := 1
	if peer {
		strangers = 0
	}
	g.strangers += strangers
	g.perClient[client]++
	return func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.strangers -= strangers
		if g.perClient[client]--; g.perClient[client] == 0 {
			delete(g.perClient, client)
		}
	}, true
}

func (g *gate) room(now time.Time, client netip.Addr, peer bool) bool {
	if peer {
		return g.perClient[client] < maxPerPeerAddress
	}
	return g.perClient[client] < maxPerStranger && g.strangers < maxStrangers && g.rate.take(now, strangeStreams)
}

// budget allows so many things a second. The zero value is ready.
type budget struct {
	since time.Time
	used  int
}

func (b *budget) take(now time.Time, most int) bool {
	if now.Sub(b.since) >= time.Second {
		b.since, b.used = now, 0
	}
	b.used++
	return b.used <= most
}

var errOversize = errors.New("the message is too long")

// stream is a connection whose bytes are counted, and from which not more than a message is read.
type stream struct {
	net.Conn
	sockets *sockets
	peer    bool
	left    int          // bytes that may still be read; only the reader's
	lent    atomic.Int64 // bytes beyond the usual that it holds
	end     time.Time    // zero: none; else the latest deadline that can be set
	first   []byte       // read, and not yet given to the reader
	once    sync.Once
	leave   func()
}

func (s *sockets) guard(conn net.Conn, peer bool, leave func()) *stream {
	c := &stream{Conn: conn, sockets: s, peer: peer, left: maxStream, leave: leave}
	s.open.Store(c, struct{}{})
	return c
}

// speaks waits for the first byte, for streamPatience at most.
func (c *stream) speaks() bool {
	if c.SetReadDeadline(time.Now().Add(streamPatience)) != nil {
		return false
	}
	first := make([]byte, 1)
	if n, _ := c.Read(first); n == 0 {
		return false
	}
	c.first = first
	return c.SetReadDeadline(time.Time{}) == nil
}

// Read reads until there was too much.
func (c *stream) Read(b []byte) (int, error) {
	if len(c.first) > 0 && len(b) > 0 {
		n := copy(b, c.first)
		c.first = c.first[n:]
		return n, nil
	}
	if c.left == 0 {
		c.sockets.faults.add(Oversize, c.RemoteAddr().String(), "a connection sends more than a message may have")
		return 0, errOversize
	}
	n, err := c.Conn.Read(b[:min(len(b), c.left)])
	beyond := min(max(0, maxStream-c.left+n-usualStream), n)
	if c.left -= n; beyond > 0 && !c.borrow(beyond) {
		c.sockets.faults.add(Oversize, c.RemoteAddr().String(), "too many large messages at a time")
		return 0, errOversize
	}
	c.sockets.received.Add(uint64(n))
	return n, err
}

// borrow takes bytes from what connections share, until it is closed.
func (c *stream) borrow(bytes int) bool {
	if !c.sockets.gate.lend(c.peer, bytes) {
		return false
	}
	c.lent.Add(int64(bytes))
	return true
}

// SetDeadline sets the deadline, or the stream's end if that is earlier: the library gives a try to join its own, longer one.
func (c *stream) SetDeadline(at time.Time) error {
	if !c.end.IsZero() && at.After(c.end) {
		at = c.end
	}
	return c.Conn.SetDeadline(at)
}

// Write counts.
func (c *stream) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.sockets.sent.Add(uint64(n))
	return n, err
}

// Close gives the place back.
func (c *stream) Close() error {
	c.once.Do(func() {
		c.sockets.open.Delete(c)
		c.sockets.gate.lend(c.peer, -int(c.lent.Load()))
		c.leave()
	})
	return c.Conn.Close()
}
