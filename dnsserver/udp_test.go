package dnsserver

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// TestWildcardAddressesAnswerFromTheAddressAsked, for both families, with the same port for UDP and TCP.
func TestWildcardAddressesAnswerFromTheAddressAsked(t *testing.T) {
	s := running(t, func(o *Options) {
		o.Listen = []netip.AddrPort{netip.MustParseAddrPort("0.0.0.0:0"), netip.MustParseAddrPort("[::]:0")}
	})
	s.Publish(publication(t, plainZone))
	for i, host := range []string{"127.0.0.2", "127.0.0.1", "::1"} {
		port := s.Addrs()[i/2].Port()
		for _, network := range []string{"udp", "tcp"} {
			// A connected socket drops what comes from another address.
			addr := netip.AddrPortFrom(netip.MustParseAddr(host), port).String()
			c := dns.Client{Net: network, Timeout: 20 * time.Second}
			if reply, _, err := c.Exchange(question("www.example.test. A"), addr); err != nil || len(reply.Answer) != 1 {
				t.Errorf("%s %s: %v %v", network, addr, reply, err)
			}
		}
	}
}

// TestBothFamiliesShareAPort: the IPv6 wildcard leaves IPv4 alone, as "0.0.0.0:53" beside "[::]:53" needs.
func TestBothFamiliesShareAPort(t *testing.T) {
	four, err := listening(t, "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := listening(t, netip.AddrPortFrom(netip.IPv6Unspecified(), four.Addrs()[0].Port()).String()); err != nil {
		t.Error(err)
	}
}

// TestServingAllocatesNothing: the whole way of a datagram, on both kinds of sockets.
func TestServingAllocatesNothing(t *testing.T) {
	for _, listen := range []string{"127.0.0.1:0", "0.0.0.0:0", "[::]:0"} {
		s := running(t, func(o *Options) { o.Listen = []netip.AddrPort{netip.MustParseAddrPort(listen)} })
		s.Publish(publication(t, plainZone))
		target := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), s.Addrs()[0].Port())
		if s.Addrs()[0].Addr().Is6() {
			target = netip.AddrPortFrom(netip.IPv6Loopback(), target.Port())
		}
		conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(target))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		allocatesNothing(t, conn)
	}
}

// allocatesNothing asks again and again, and fails the test if the whole process allocates for a query.
func allocatesNothing(t *testing.T, conn net.Conn) {
	t.Helper()
	query, _ := question("www.example.test. A").Pack()
	buf := make([]byte, 4096)
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	if n := testing.AllocsPerRun(200, func() {
		conn.Write(query)
		if _, err := conn.Read(buf); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("to %s: %v allocations a query", conn.RemoteAddr(), n)
	}
}

// TestUDPGoesOnAfterBadPackets of all kinds.
func TestUDPGoesOnAfterBadPackets(t *testing.T) {
	s := running(t, nil)
	s.Publish(publication(t, plainZone))
	addr := s.Addrs()[0].String()
	conn, err := net.Dial("udp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, seed := range fuzzSeeds(t) {
		conn.Write(seed)
	}
	conn.Write(nil)
	c := dns.Client{Timeout: 20 * time.Second}
	if reply, _, err := c.Exchange(question("www.example.test. A"), addr); err != nil || len(reply.Answer) != 1 {
		t.Error(reply, err)
	}
}

// TestTooLongADatagram is malformed even if its beginning, which is all that is read, would be a query.
func TestTooLongADatagram(t *testing.T) {
	m := question("www.example.test. A")
	whole, _ := m.Pack()
	m.IsEdns0().Option = append(m.IsEdns0().Option, &dns.EDNS0_PADDING{Padding: make([]byte, maxQuery-len(whole)-4)})
	longest, err := m.Pack()
	if err != nil || len(longest) != maxQuery {
		t.Fatalf("%d octets, %v", len(longest), err)
	}
	s := running(t, nil)
	s.live.Store(kindsSnapshot(t))
	for _, c := range []struct {
		query []byte
		rcode byte
	}{{longest, dns.RcodeSuccess}, {append(longest, 0), dns.RcodeFormatError}, {append(longest, make([]byte, 5000)...), dns.RcodeFormatError}} {
		if got := exchangeAll(t, s.Addrs()[0], [][]byte{c.query}); len(got) != 1 || got[0][3]&15 != c.rcode {
			t.Errorf("%d octets: %x, want RCODE %d", len(c.query), got, c.rcode)
		}
	}
}
