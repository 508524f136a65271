// Package guests bounds the connections that strangers may have open on a listener.
package guests

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"sync"
	"time"
)

// House keeps the connections of strangers within a limit. When all places are taken, a connection of the client that
// holds the most gives way to a new one: who opens many and says nothing keeps out only himself. Who opens many one after
// the other is turned away before that costs anything.
type House struct {
	limit int

	mu      sync.Mutex
	all     map[*guest]struct{}
	clients map[netip.Addr]int
	coming  arrivals
	cut     uint64 // connections that had to give way
	refused uint64 // that were turned away
}

// New makes an empty House of that many places.
func New(limit int) *House {
	return &House{limit: limit, all: map[*guest]struct{}{}, clients: map[netip.Addr]int{}}
}

// Listen hands on l's connections; paced: but for those of a client that opens too many. Behind a proxy all are one client's.
// Listeners may share a House.
func (g *House) Listen(l net.Listener, paced bool) net.Listener { return &door{l, g, paced} }

type door struct {
	net.Listener
	house *House
	paced bool
}

// Accept implements net.Listener.
func (d *door) Accept() (net.Conn, error) {
	for {
		c, err := d.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if !d.paced || d.house.allows(c) {
			return d.house.admit(c), nil
		}
		_ = c.Close() // nobody is told
	}
}

// allows says whether a client may connect once more now.
func (g *House) allows(c net.Conn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.coming.admit(clientOf(c), time.Now()) {
		return true
	}
	g.refused++
	return false
}

// guest is one connection.
type guest struct {
	net.Conn
	house  *House
	client netip.Addr // an IPv4 address or an IPv6 /64
	came   time.Time
}

// Close implements net.Conn.
func (c *guest) Close() error {
	c.house.mu.Lock()
	c.house.forget(c)
	c.house.mu.Unlock()
	return c.Conn.Close()
}

type connKey struct{}

// Note has the requests of a connection know it; it is a server's ConnContext.
func Note(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, conn)
}

// Keep takes the connection of a request out of the count, if Note noted it: it is a stranger's no more, and never gives way.
func Keep(ctx context.Context) {
	conn, _ := ctx.Value(connKey{}).(net.Conn)
	if t, ok := conn.(*tls.Conn); ok {
		conn = t.NetConn()
	}
	if c, ok := conn.(*guest); ok {
		c.house.mu.Lock()
		defer c.house.mu.Unlock()
		c.house.forget(c)
	}
}

func (g *House) admit(conn net.Conn) *guest {
	c := &guest{Conn: conn, house: g, client: clientOf(conn), came: time.Now()}
	g.mu.Lock()
	g.all[c] = struct{}{}
	g.clients[c.client]++
	var victim *guest
	if len(g.all) > g.limit {
		victim = g.heaviest()
		g.forget(victim)
		g.cut++
	}
	g.mu.Unlock()
	if victim != nil {
		victim.Conn.Close()
	}
	return c
}

// guestSample is among how many connections the one that gives way is looked for: who holds a large part of all is met.
const guestSample = 64

// heaviest is, of a sample, the oldest connection of the client that holds the most.
func (g *House) heaviest() *guest {
	var found *guest
	looked := 0
	for c := range g.all { // in random order
		if found == nil || g.clients[c.client] > g.clients[found.client] ||
			g.clients[c.client] == g.clients[found.client] && c.came.Before(found.came) {
			found = c
		}
		if looked++; looked == guestSample {
			break
		}
	}
	return found
}

func (g *House) forget(c *guest) {
	if _, here := g.all[c]; !here {
		return
	}
	delete(g.all, c)
	if g.clients[c.client]--; g.clients[c.client] == 0 {
		delete(g.clients, c.client)
	}
}

// Now tells how many connections there are, how many had to give way, and how many were turned away.
func (g *House) Now() (open int, cut, refused uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.all), g.cut, g.refused
}

// clientOf is what counts as one client.
func clientOf(c net.Conn) netip.Addr {
	tcp, ok := c.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	return network(tcp.AddrPort().Addr())
}

// Network is what counts as one client of an address with its port: the IPv4 address, or the IPv6 /64; invalid when it is none.
func Network(hostport string) netip.Addr {
	a, err := netip.ParseAddrPort(hostport)
	if err != nil {
		return netip.Addr{}
	}
	return network(a.Addr())
}

func network(a netip.Addr) netip.Addr {
	a = a.Unmap().WithZone("")
	if a.Is4() {
		return a
	}
	prefix, _ := a.Prefix(64) // of an IPv6 address there is one
	return prefix.Addr()
}
