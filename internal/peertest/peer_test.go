package peertest_test

import (
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/livens/livens/internal/peertest"
	"github.com/miekg/dns"
)

func zoneFile(t *testing.T, name, text string) peertest.Zone {
	t.Helper()
	path := filepath.Join(t.TempDir(), "db")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return peertest.Zone{Name: name, File: path}
}

func exampleZone(t *testing.T) peertest.Zone {
	return zoneFile(t, "example.test.", `$ORIGIN example.test.
@ 300 SOA ns1 hostmaster 1 3600 600 86400 60
@ 300 NS ns1
ns1 300 A 127.0.0.2
www 300 A 192.0.2.1
`)
}

func TestAuthoritativePeersAnswer(t *testing.T) {
	for name, start := range map[string]func(testing.TB, ...peertest.Zone) *peertest.Peer{
		"knotd":              peertest.Knot,
		"knotd with cookies": withCookies,
		"nsd":                peertest.NSD,
	} {
		t.Run(name, func(t *testing.T) {
			peer := start(t, exampleZone(t))
			if err := peertest.Answers(peer.Addr, "www.example.test.", dns.TypeA); err != nil {
				t.Error(err)
			}
		})
	}
}

func withCookies(t testing.TB, zones ...peertest.Zone) *peertest.Peer {
	return peertest.KnotWithCookies(t, "00112233445566778899aabbccddeeff", zones...)
}

func TestUnboundResolvesThroughATap(t *testing.T) {
	knot := peertest.Knot(t, exampleZone(t))
	for _, tcp := range []bool{false, true} {
		tap := peertest.NewTap(t, netip.AddrPortFrom(peertest.Loopback, 0), knot.Addr)
		options := peertest.UnboundOptions{
			Stubs: map[string]netip.AddrPort{"example.test.": tap.Addr},
			Probe: "www.example.test.",
		}
		if tcp {
			options.Lines = []string{"tcp-upstream: yes"}
		}
		peertest.Unbound(t, options)
		wantSeen(t, tap, tcp)
	}
}

func TestNamedIteratesThroughATap(t *testing.T) {
	knot := peertest.Knot(t, exampleZone(t))
	second := netip.MustParseAddr("127.0.0.2")
	root := peertest.Knot(t, zoneFile(t, ".", `. 300 SOA root. root. 1 3600 600 86400 60
. 300 NS root.
root. 300 A 127.0.0.1
example.test. 300 NS ns1.example.test.
ns1.example.test. 300 A 127.0.0.2
`))
	tap := peertest.NewTap(t, netip.AddrPortFrom(second, root.Addr.Port()), knot.Addr)
	peertest.Named(t, peertest.NamedOptions{Root: root.Addr, Probe: "www.example.test."})
	wantSeen(t, tap, false)
}

func wantSeen(t *testing.T, tap *peertest.Tap, tcp bool) {
	t.Helper()
	seen := tap.Seen()
	if len(seen) == 0 {
		t.Fatal("the tap saw nothing")
	}
	for _, exchange := range seen {
		if exchange.TCP != tcp || !exchange.Reply.Authoritative {
			t.Errorf("tcp %v, reply %v", exchange.TCP, exchange.Reply)
		}
	}
}
