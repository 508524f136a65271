package dnsserver

import (
	"context"
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"github.com/livens/livens/internal/process"
	"github.com/miekg/dns"
)

const plainZone = `
$ORIGIN example.test.
$TTL 300
@ 3600 SOA ns1 hostmaster 7 3600 900 86400 60
@ NS ns1
ns1 A 192.0.2.53
www A 192.0.2.80
`

// running is a server on a port of 127.0.0.1, stopped when the test ends. The kernel gives that port to nobody: dig shares ports, and would
// now and then be given the server's own, and ask itself.
func running(t testing.TB, change func(*Options), before ...func(*Server)) *Server {
	t.Helper()
	loopback := netip.MustParseAddr("127.0.0.1")
	port, err := process.FreePort(loopback)
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Config: testConfig(), Name: "host1", Log: slog.New(slog.DiscardHandler),
		Listen: []netip.AddrPort{netip.AddrPortFrom(loopback, port)}}
	if change != nil {
		change(&o)
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range before {
		f(s)
	}
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(20 * time.Second):
			t.Error("Serve does not end")
		}
	})
	return s
}

func TestServesOverUDPAndTCP(t *testing.T) {
	s := running(t, nil)
	addr := s.Addrs()[0].String()
	for _, network := range []string{"udp", "tcp"} {
		c := dns.Client{Net: network, Timeout: 20 * time.Second}
		reply, _, err := c.Exchange(question("www.example.test. A"), addr)
		if err != nil {
			t.Fatal(err)
		}
		if reply.Rcode != dns.RcodeServerFailure || ede(reply) != dns.ExtendedErrorCodeNotReady {
			t.Errorf("%s: before the first publication: %v", network, reply)
		}
	}
	s.Publish(publication(t, plainZone))
	for _, network := range []string{"udp", "tcp"} {
		c := dns.Client{Net: network, Timeout: 20 * time.Second}
		reply, _, err := c.Exchange(question("www.example.test. A"), addr)
		if err != nil {
			t.Fatal(err)
		}
		if want := "NOERROR aa\nanswer www.example.test. 300 A 192.0.2.80"; show(reply) != want {
			t.Errorf("%s: got %s", network, show(reply))
		}
	}
}
