package dnsserver

import (
	"net/netip"
	"testing"

	"github.com/miekg/dns"
)

const kindsZone = `
$ORIGIN example.test.
$TTL 300
@ 3600 SOA ns1 hostmaster 7 3600 900 86400 60
@ NS ns1
@ NS ns.sub
@ MX 10 mail
ns1 A 192.0.2.53
mail A 192.0.2.25
mail AAAA 2001:db8::25
www A 192.0.2.80
*.wild A 192.0.2.99
a.b.c TXT "below empty non-terminals"
sub NS ns.sub
sub NS ns1
ns.sub A 192.0.2.54
ns.sub AAAA 2001:db8::54
alias CNAME www
longer CNAME alias
loop1 CNAME loop2
loop2 CNAME loop1
away CNAME www.elsewhere.test.
dn DNAME wild
svc HTTPS 1 . alpn=h2
svc A 192.0.2.81
_sip._udp SRV 1 2 5060 mail
`

// kinds are all ways that answer can take.
var kinds = []string{
	"www.example.test. A", "www.example.test. TXT", "example.test. SOA", "example.test. MX", "example.test. NS",
	"example.test. ANY", "x.wild.example.test. A", "b.c.example.test. A", "nx.example.test. A",
	"x.sub.example.test. A", "sub.example.test. DS", "alias.example.test. A", "longer.example.test. A",
	"loop1.example.test. A", "away.example.test. A", "x.dn.example.test. A", "svc.example.test. HTTPS",
	"_sip._udp.example.test. SRV", "pool.example.test. A", "pool.example.test. AAAA", "v4.example.test. AAAA",
	"_livens.pool.example.test. TXT", "big.example.test. TXT", "other.test. A", "example.test. AXFR",
}

func kindsSnapshot(t testing.TB) *snapshot {
	pub := publication(t, kindsZone)
	for i := range 20 {
		rr, _ := dns.NewRR("big.example.test. 300 TXT " + string(make110(byte('a'+i))))
		pub.Set.Zones[0].Records = append(pub.Set.Zones[0].Records, packed(t, rr))
	}
	withPool(&pub, "chat", 10, []string{"pool.example.test."}, "203.0.113.10", "2001:db8:1::10")
	withPool(&pub, "four", 10, []string{"v4.example.test."}, "203.0.113.10")
	return compiled(t, pub)
}

func make110(c byte) []byte {
	b := make([]byte, 110)
	for i := range b {
		b[i] = c
	}
	return b
}

// TestAnswerAllocatesNothing covers every kind of answer, UDP and TCP, with the EDNS options that have an effect.
func TestAnswerAllocatesNothing(t *testing.T) {
	s := kindsSnapshot(t)
	sc, dst := newScratch(), make([]byte, 65535)
	for _, tcp := range []bool{false, true} {
		from := peer{address: netip.MustParseAddr("2001:db8::1"), tcp: tcp}
		for _, text := range kinds {
			m := question(text)
			opt := m.IsEdns0()
			opt.Option = append(opt.Option, &dns.EDNS0_NSID{Code: dns.EDNS0NSID},
				&dns.EDNS0_COOKIE{Code: dns.EDNS0COOKIE, Cookie: "0102030405060708"},
				&dns.EDNS0_SUBNET{Code: dns.EDNS0SUBNET, Family: 1, SourceNetmask: 24, Address: netip.MustParseAddr("192.0.2.0").AsSlice()})
			query, err := m.Pack()
			if err != nil {
				t.Fatal(err)
			}
			size := 4096
			if tcp {
				size = 65535
			}
			if n := testing.AllocsPerRun(20, func() {
				if ask(s, dst[:0:size], query, from, sc) == nil {
					t.Fatal("silence")
				}
			}); n != 0 {
				t.Errorf("%s (tcp %v): %v allocations", text, tcp, n)
			}
		}
		for _, raw := range [][]byte{nil, make([]byte, 12), make([]byte, 13), append(make([]byte, 12), 0xc0, 12, 0, 1, 0, 1)} {
			if n := testing.AllocsPerRun(20, func() { ask(s, dst[:0], raw, from, sc) }); n != 0 {
				t.Errorf("% x: %v allocations", raw, n)
			}
		}
	}
}

// TestHandleAllocatesNothing covers what surrounds the answer path: the counters, the clock, the guard against panics.
func TestHandleAllocatesNothing(t *testing.T) {
	s := running(t, nil)
	s.Publish(publication(t, plainZone))
	w := s.newWorker(new(stats))
	query, _ := question("www.example.test. A").Pack()
	dst, from := make([]byte, 4096), peer{}
	if n := testing.AllocsPerRun(200, func() { w.handle(dst, query, from) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
