package guests

import (
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

// TestFloodStarvesNobodyElse: whoever connects without end gets the rate, and another is admitted at once.
func TestFloodStarvesNobodyElse(t *testing.T) {
	var a arrivals
	flood, other := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	now := time.Unix(1_800_000_000, 0)
	admitted := 0
	for i := range 100_000 { // 10 s, at 10,000 a second
		at := now.Add(time.Duration(i) * 100 * time.Microsecond)
		if a.admit(flood, at) {
			admitted++
		}
		if i%10_000 == 0 && !a.admit(other, at) {
			t.Errorf("another was turned away after %d", i)
		}
	}
	if want := arrivalBurst + 10*arrivalRate; admitted < want-2 || admitted > want {
		t.Errorf("%d of the flood were admitted, want %d", admitted, want)
	}
	if !a.admit(flood, now.Add(-time.Hour)) && !a.admit(flood, now.Add(time.Hour)) {
		t.Error("it is never admitted again")
	}
}

// TestArrivalsAreBounded: memory does not grow with the number of addresses.
func TestArrivalsAreBounded(t *testing.T) {
	var a arrivals
	now := time.Unix(1_800_000_000, 0)
	for i := range 3 * maxArrivals {
		if !a.admit(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), now) {
			t.Fatal("a client's first connection was turned away")
		}
		if len(a.clients) > maxArrivals {
			t.Fatalf("%d are remembered", len(a.clients))
		}
	}
	a.admit(netip.MustParseAddr("192.0.2.1"), now.Add(time.Minute))
	if len(a.clients) != 1 {
		t.Errorf("%d are remembered that need not be", len(a.clients))
	}
}

// line is a listener whose connections come from where a test says.
type line struct {
	net.Listener
	from []string
}

type remote struct {
	net.Conn
	from   string
	closed *[]string
}

func (c *remote) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(c.from))
}
func (c *remote) Close() error { *c.closed = append(*c.closed, c.from); return nil }

func (l *line) next(closed *[]string) net.Conn {
	from := l.from[0]
	l.from = l.from[1:]
	return &remote{from: from, closed: closed}
}

type lineListener struct {
	*line
	closed *[]string
}

func (l lineListener) Accept() (net.Conn, error) {
	if len(l.from) == 0 {
		return nil, net.ErrClosed
	}
	return l.next(l.closed), nil
}

// TestTooManyAreTurnedAwayAtTheDoor: before TLS, and the next in line is let in. In the bubble all come at one moment.
func TestTooManyAreTurnedAwayAtTheDoor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(4096)
		var closed []string
		l := &line{}
		for range arrivalBurst + 100 {
			l.from = append(l.from, "192.0.2.1:9")
		}
		l.from = append(l.from, "192.0.2.2:9")
		d := g.Listen(lineListener{l, &closed}, true)
		last := ""
		for {
			c, err := d.Accept()
			if err != nil {
				break
			}
			last = c.RemoteAddr().String()
		}
		open, cut, refused := g.Now()
		if last != "192.0.2.2:9" || refused != 100 || len(closed) != 100 || cut != 0 || open != arrivalBurst+1 {
			t.Errorf("last %s, %d open, %d cut, %d refused, %d closed", last, open, cut, refused, len(closed))
		}
	})
}
