package dnsserver

import (
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// connections keeps the number of TCP connections within its limits (RFC 7766 section 6.2.2). When all places are taken,
// a connection gives way to a new one: otherwise whoever opens many and says nothing would keep everyone else out.
type connections struct {
	limit, perClient int

	mu       sync.Mutex
	all      map[*connection]struct{}
	clients  map[netip.Addr]int
	end      atomic.Pointer[time.Time] // by when all are to have ended; nil: not stopped. Set under mu
	finished sync.WaitGroup
}

// evictionSample is among how many connections, picked at random, the one to give way is looked for: a client that has a
// twentieth of them is met with 96 % certainty.
const evictionSample = 64

// connection is one client's TCP connection.
type connection struct {
	*net.TCPConn
	client netip.Addr
	idle   time.Duration
	lent   *lender
	stats  *stats
	owner  *connections
	since  atomic.Int64 // when it began to wait for the query it waits for, in Unix nanoseconds
}

func newConnections(limit, perClient int) *connections {
	return &connections{
		limit: limit, perClient: perClient,
		all: map[*connection]struct{}{}, clients: map[netip.Addr]int{},
	}
}

// clientKey is what counts as one client: an IPv4 address or an IPv6 /64.
func clientKey(a netip.Addr) netip.Addr {
	if a = a.Unmap().WithZone(""); a.Is4() {
		return a
	}
	prefix, _ := a.Prefix(64)
	return prefix.Addr()
}

// admit takes c in unless that breaks a limit.
func (l *connections) admit(c *connection) (evicted, ok bool) {
	now := time.Now().UnixNano()
	c.client, c.owner = c.RemoteAddr().(*net.TCPAddr).AddrPort().Addr(), l
	c.since.Store(now)
	key := clientKey(c.client)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.end.Load() != nil || l.clients[key] >= l.perClient {
		return false, false
	}
	l.clients[key]++ // before, so that a client's own newcomer counts
	if len(l.all) >= l.limit {
		evicted = l.evict(now)
	}
	l.all[c] = struct{}{}
	l.finished.Add(1)
	return evicted, true
}

// makeRoom has a connection give way, if there is one.
func (l *connections) makeRoom() (evicted bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.evict(time.Now().UnixNano())
}

// evict closes the connection that the others can spare most: what counts is how long it has been waiting, times how
// many its client has. So of connections that wait alike a greedy client's goes, of one client's the one that waits longest, and one
// that is in use only before others that are nearly so. One whose client does not take its answers counts as waiting.
func (l *connections) evict(now int64) bool {
	var spare *connection
	var most int64
	looked := 0
	for c := range l.all { // in random order
		waited := max(now-c.since.Load(), 1)
		if cost := waited * int64(l.clients[clientKey(c.client)]); cost > most {
			spare, most = c, cost
		}
		if looked++; looked == evictionSample {
			break
		}
	}
	if spare == nil {
		return false
	}
	l.forget(spare)
	spare.Close()
	return true
}

func (l *connections) forget(c *connection) {
	if _, here := l.all[c]; !here {
		return
	}
	delete(l.all, c)
	key := clientKey(c.client)
	if l.clients[key]--; l.clients[key] == 0 {
		delete(l.clients, key)
	}
}

// leave is called once a connection's goroutine ends.
func (l *connections) leave(c *connection) {
	l.mu.Lock()
	l.forget(c)
	l.mu.Unlock()
	l.finished.Done()
}

func (l *connections) open() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.all)
}

// stopGrace is how long a client that does not read can hold up the end of the server.
const stopGrace = time.Second

// stop makes all connections end once they have answered what they read.
func (l *connections) stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	end := time.Now().Add(stopGrace)
	l.end.Store(&end)
	for c := range l.all {
		c.SetReadDeadline(time.Unix(1, 0))
		c.SetWriteDeadline(end)
	}
}

func (l *connections) wait() { l.finished.Wait() }

// await sets the deadline for the next query; false when the server stops. stop says so before it sets deadlines, so
// that one of the two is always seen.
func (c *connection) await() bool {
	now := time.Now()
	c.since.Store(now.UnixNano())
	c.SetReadDeadline(now.Add(c.idle))
	return c.owner.end.Load() == nil
}

// beforeSend sets the deadline for sending responses; as with await, either it or stop sees the other. However often a slow client has
// made it send, all are over by the same end.
func (c *connection) beforeSend() {
	deadline := time.Now().Add(c.idle)
	c.SetWriteDeadline(deadline)
	if end := c.owner.end.Load(); end != nil && end.Before(deadline) {
		c.SetWriteDeadline(*end)
	}
}
