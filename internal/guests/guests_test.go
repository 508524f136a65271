package guests

import (
	"net"
	"testing"
)

func TestGuestsAreForgotten(t *testing.T) {
	g := New(100)
	var all []net.Conn
	for range 5 {
		here, there := net.Pipe()
		defer there.Close()
		all = append(all, g.admit(here))
	}
	for _, c := range all {
		c.Close()
		c.Close() // as net/http may
	}
	if open, cut, _ := g.Now(); open != 0 || cut != 0 || len(g.clients) != 0 {
		t.Errorf("%d connections, %d cut, %d clients", open, cut, len(g.clients))
	}
}

func TestClientsAreCountedByNetwork(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.1:5": "192.0.2.1", "[::ffff:192.0.2.1]:5": "192.0.2.1", "[2001:db8:1:2:3::4]:5": "2001:db8:1:2::",
	} {
		tcp, err := net.ResolveTCPAddr("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		if got := clientOf(from{addr: tcp}); got.String() != want || Network(address) != got {
			t.Errorf("%s counts as %s, want %s", address, got, want)
		}
	}
}

type from struct {
	net.Conn
	addr net.Addr
}

func (f from) RemoteAddr() net.Addr { return f.addr }

// TestWhoIsKeptNeverGivesWay, and leaves its place to others.
func TestWhoIsKeptNeverGivesWay(t *testing.T) {
	g := New(2)
	pipe := func() *guest {
		here, there := net.Pipe()
		t.Cleanup(func() { there.Close() })
		return g.admit(here)
	}
	kept := pipe()
	Keep(Note(t.Context(), kept))
	for range 5 {
		pipe()
	}
	if open, cut, _ := g.Now(); open != 2 || cut != 3 || len(g.clients) != 1 {
		t.Errorf("%d connections, %d cut, %d clients", open, cut, len(g.clients))
	}
	kept.Close()
	Keep(Note(t.Context(), kept))
	Keep(t.Context()) // nothing was noted
	if open, _, _ := g.Now(); open != 2 {
		t.Errorf("%d connections", open)
	}
}
