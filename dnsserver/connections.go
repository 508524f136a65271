package dnsserver

import (
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// connections keeps the number of TCP connections within its limits. When all places are taken, the idlest of a few
// connections picked at random gives way to a new one: otherwise whoever opens many and says nothing would keep
// everyone else out.
type connections struct {
	limit, perClient int

	mu       sync.Mutex
	all      map[*connection]struct{}
	clients  map[netip.Addr]int
	stopped  atomic.Bool // set under mu
	finished sync.WaitGroup
}

// evictionSample is among how many connections the idlest is looked for.
const evictionSample = 64

// connection is one client's TCP connection.
type connection struct {
	*net.TCPConn
	client netip.Addr
	idle   time.Duration
	memory *sync.Pool
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
	c.client, c.owner = c.RemoteAddr().(*net.TCPAddr).AddrPort().Addr(), l
	c.since.Store(time.Now().UnixNano())
	key := clientKey(c.client)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stopped.Load() || l.clients[key] >= l.perClient {
		return false, false
	}
	if len(l.all) >= l.limit {
		l.evict()
		evicted = true
	}
	l.all[c] = struct{}{}
	l.clients[key]++
	l.finished.Add(1)
	return evicted, true
}

// evict closes the idlest connection of a sample.
func (l *connections) evict() {
	var idlest *connection
	looked := 0
	for c := range l.all { // in random order
		if idlest == nil || c.since.Load() < idlest.since.Load() {
			idlest = c
		}
		if looked++; looked == evictionSample {
			break
		}
	}
	l.forget(idlest)
	idlest.Close()
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
	l.stopped.Store(true)
	for c := range l.all {
		c.SetReadDeadline(time.Unix(1, 0))
		c.SetWriteDeadline(time.Now().Add(stopGrace))
	}
}

func (l *connections) wait() { l.finished.Wait() }

// await sets the deadline for the next query; false when the server stops. stop sets its flag before its deadlines, so
// that one of the two is always seen.
func (c *connection) await() bool {
	now := time.Now()
	c.since.Store(now.UnixNano())
	c.SetReadDeadline(now.Add(c.idle))
	return !c.owner.stopped.Load()
}

// beforeSend sets the deadline for sending responses.
func (c *connection) beforeSend() {
	grace := c.idle
	if c.owner.stopped.Load() {
		grace = min(grace, stopGrace)
	}
	c.SetWriteDeadline(time.Now().Add(grace))
}
