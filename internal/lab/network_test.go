package lab

import (
	"bytes"
	"crypto/rand"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// listen answers on a host what it is sent, by UDP and TCP, on one port.
func listen(t *testing.T, h *Host) netip.AddrPort {
	t.Helper()
	where := netip.AddrPortFrom(h.Addr, 7)
	listener, err := h.Listen(where)
	must(t, err)
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return // closed
			}
			go func() { _, _ = io.Copy(conn, conn) }()
		}
	}()
	udp, err := listenUDP(h, where)
	must(t, err)
	t.Cleanup(func() { udp.Close() })
	go func() {
		buf := make([]byte, 2000)
		for {
			n, from, err := udp.ReadFromUDPAddrPort(buf)
			if err != nil {
				return // closed
			}
			_, _ = udp.WriteToUDPAddrPort(buf[:n], from)
		}
	}()
	return where
}

func listenUDP(h *Host, at netip.AddrPort) (conn *net.UDPConn, err error) {
	err = h.ns.do(func() error {
		conn, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(at))
		return err
	})
	return conn, err
}

func dialTCP(h *Host, to netip.AddrPort, timeout time.Duration) (conn net.Conn, err error) {
	err = h.ns.do(func() error {
		conn, err = net.DialTimeout("tcp", to.String(), timeout)
		return err
	})
	return conn, err
}

// ping sends one datagram and waits for it to come back. Silence is a timeout; an error of the network is another.
func ping(t *testing.T, h *Host, to netip.AddrPort, patience time.Duration) error {
	t.Helper()
	conn, err := h.DialUDP(to)
	must(t, err)
	defer conn.Close()
	must(t, conn.SetDeadline(time.Now().Add(patience)))
	if _, err := conn.Write([]byte("hello")); err != nil {
		return err
	}
	_, err = conn.Read(make([]byte, 10))
	return err
}

const (
	patience = 20 * time.Second
	silence  = 100 * time.Millisecond // nothing comes in so long: it was dropped
)

func reaches(t *testing.T, h *Host, to netip.AddrPort) {
	t.Helper()
	if err := ping(t, h, to, patience); err != nil {
		t.Errorf("%s does not reach %v: %v", h.Name, to, err)
	}
}

func unanswered(t *testing.T, h *Host, to netip.AddrPort) {
	t.Helper()
	err := ping(t, h, to, silence)
	if timeout, ok := err.(net.Error); !ok || !timeout.Timeout() {
		t.Errorf("%s to %v: %v, want silence", h.Name, to, err)
	}
}

func TestCutsAreSilentAndHeal(t *testing.T) {
	n := New(t)
	a, b := n.Site("A"), n.Site("B")
	a1, a2, b1 := a.Host("a1"), a.Host("a2"), b.Host("b1")
	a1Echo, a2Echo, b1Echo := listen(t, a1), listen(t, a2), listen(t, b1)
	for _, h := range []*Host{a1, a2, b1} {
		for _, to := range []netip.AddrPort{a1Echo, a2Echo, b1Echo} {
			reaches(t, h, to)
		}
	}

	heal := n.Cut(Both(a, nil, 0)...)
	unanswered(t, a1, b1Echo)
	unanswered(t, b1, a1Echo)
	reaches(t, a1, a2Echo)
	other := n.Cut(Rule{From: a1, To: a2, Port: a2Echo.Port()})
	heal()
	reaches(t, b1, a1Echo)
	unanswered(t, a1, a2Echo)
	reaches(t, a2, a1Echo) // what comes back goes to another port
	other()
	reaches(t, a1, a2Echo)

	defer n.Cut(Rule{To: a1, Port: a1Echo.Port() + 1})()
	reaches(t, b1, a1Echo)
}

func TestOpenConnectionsOutliveAFirewallAgainstOpening(t *testing.T) {
	n := New(t)
	a1, b1 := n.Site("A").Host("a1"), n.Site("B").Host("b1")
	where := listen(t, a1)
	open, err := dialTCP(b1, where, patience)
	must(t, err)
	defer open.Close()
	n.Cut(Rule{To: a1, Port: where.Port(), Opening: true})
	echoes(t, open, 10)
	if late, err := dialTCP(b1, where, silence); err == nil {
		late.Close()
		t.Error("a new connection came about")
	}
	reaches(t, b1, where)
}

// echoes sends so many bytes and expects them back.
func echoes(t *testing.T, conn net.Conn, size int) {
	t.Helper()
	sent, got := make([]byte, size), make([]byte, size)
	rand.Read(sent)
	must(t, conn.SetDeadline(time.Now().Add(patience)))
	go func() { _, _ = conn.Write(sent) }()
	if _, err := io.ReadFull(conn, got); err != nil || !bytes.Equal(sent, got) {
		t.Errorf("%d bytes came back unlike, or not at all: %v", size, err)
	}
}

func TestDelay(t *testing.T) {
	n := New(t)
	const delay = 30 * time.Millisecond
	near, far := n.Site("A").Host("near"), n.Site("B").DelayedHost("far", delay)
	where := listen(t, far)
	reaches(t, near, where) // and learns the addresses of Ethernet
	began := time.Now()
	reaches(t, near, where)
	if took := time.Since(began); took < 2*delay {
		t.Errorf("there and back in %v, want at least %v", took, 2*delay)
	}
	conn, err := dialTCP(near, where, patience)
	must(t, err)
	defer conn.Close()
	echoes(t, conn, 1<<20) // segments of 64 KB, whose checksums nobody has computed yet
}

func TestRuleset(t *testing.T) {
	n := &Network{cuts: map[*cut]bool{}}
	a := n.Site("A")
	h := &Host{Addr: netip.MustParseAddr("10.1.2.2")}
	for want, r := range map[string]Rule{
		"ip saddr 10.1.0.0/16 ip daddr != 10.1.0.0/16 drop":                                      {From: a},
		"ip saddr != 10.1.2.2/32 ip daddr 10.1.2.2/32 tcp flags & (syn | ack) == syn drop":       {To: h, Opening: true},
		"ip saddr 10.1.0.0/16 ip daddr 10.1.2.2/32 meta l4proto { tcp, udp } th dport 7946 drop": {From: a, To: h, Port: 7946},
	} {
		if r.String() != want {
			t.Errorf("%s, want %s", r, want)
		}
	}
	if strings.Count(n.ruleset(), "drop") != 0 {
		t.Error("rules without a cut")
	}
}
