package dnsserver

import (
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/livens/livens/zones"
	"github.com/miekg/dns"
	"golang.org/x/sys/unix"
)

func listening(t *testing.T, addrs ...string) (*Server, error) {
	t.Helper()
	o := Options{Config: testConfig(), Log: slog.New(slog.DiscardHandler)}
	for _, a := range addrs {
		o.Listen = append(o.Listen, netip.MustParseAddrPort(a))
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, sock := range s.sockets {
			sock.close()
		}
	})
	return s, s.Listen()
}

// TestListenErrors: one line that says what to do, and nothing stays bound.
func TestListenErrors(t *testing.T) {
	first, err := listening(t, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	taken := first.Addrs()[0].String()
	second, err := listening(t, "127.0.0.1:0", taken)
	if err == nil || !strings.Contains(err.Error(), "another server holds port") || strings.Contains(err.Error(), "\n") {
		t.Errorf("port in use: %v", err)
	}
	if len(second.Addrs()) != 0 {
		t.Error("something stays bound")
	}
	udp, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	if _, err := listening(t, udp.LocalAddr().String()); err == nil || !strings.Contains(err.Error(), "address already in use: another server holds port") {
		t.Errorf("UDP port in use: %v", err)
	}
	if _, err := listening(t, "192.0.2.1:0"); err == nil || !strings.Contains(err.Error(), "does not have that address") {
		t.Errorf("foreign address: %v", err)
	}
	if err := explainBind(netip.MustParseAddrPort("0.0.0.0:53"), &net.OpError{Op: "listen", Err: unix.EACCES}); err.Error() !=
		"listen on 0.0.0.0:53: permission denied: no permission for port 53: run as root, grant CAP_NET_BIND_SERVICE, or set listen to a port from 1024 on" {
		t.Error(err)
	}
}

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
			c := dns.Client{Net: network, Timeout: 5 * time.Second}
			if reply, _, err := c.Exchange(question("www.example.test. A"), addr); err != nil || len(reply.Answer) != 1 {
				t.Errorf("%s %s: %v %v", network, addr, reply, err)
			}
		}
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
		query, _ := question("www.example.test. A").Pack()
		buf := make([]byte, 4096)
		conn.SetDeadline(time.Now().Add(10 * time.Second))
		if n := testing.AllocsPerRun(200, func() {
			conn.Write(query)
			if _, err := conn.Read(buf); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations a query", listen, n)
		}
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
	c := dns.Client{Timeout: 5 * time.Second}
	if reply, _, err := c.Exchange(question("www.example.test. A"), addr); err != nil || len(reply.Answer) != 1 {
		t.Error(reply, err)
	}
}

// TestPanicIsContained: a query that finds a bug gets SERVFAIL, is counted, told once, and the next is answered.
func TestPanicIsContained(t *testing.T) {
	var log strings.Builder
	s := running(t, nil)
	s.panics.log = slog.New(slog.NewTextHandler(&log, nil))
	w := s.newWorker(new(stats))
	broken := compiled(t, publication(t, plainZone))
	for _, v := range broken.served {
		v.zone = &zone{source: &zones.Zone{}, apex: v.apex, hash: v.hash, labels: v.labels} // its index is empty
	}
	s.live.Store(broken)
	query, _ := question("www.example.test. A").Pack()
	for range 2 {
		var m dns.Msg
		if err := m.Unpack(w.handle(make([]byte, 4096), query, &peer{})); err != nil || m.Rcode != dns.RcodeServerFailure {
			t.Errorf("%v %v", &m, err)
		}
	}
	if n := w.stats.drops[dropPanic].Load(); n != 2 {
		t.Errorf("%d panics counted", n)
	}
	if n := strings.Count(log.String(), "\n"); n != 1 || !strings.Contains(log.String(), "panicked") {
		t.Errorf("log: %s", log.String())
	}
	s.live.Store(compiled(t, publication(t, plainZone)))
	if got := w.handle(make([]byte, 4096), query, &peer{}); got[3] != 0 {
		t.Error("the next query is not answered")
	}
}
