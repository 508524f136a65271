package dnsserver

import (
	"testing"

	"github.com/miekg/dns"
)

// TestCNAME: chains inside the server's zones, across them, out of them, into nothing, into a referral, and in circles.
func TestCNAME(t *testing.T) {
	zone := plainZone + `
one CNAME two
two CNAME www
nothing CNAME nx
out CNAME www.elsewhere.test.
self CNAME self
ring1 CNAME ring2
ring2 CNAME RING1
intocut CNAME x.sub
sub NS ns.sub
ns.sub A 192.0.2.61
l1 CNAME l2
l2 CNAME l3
l3 CNAME l4
l4 CNAME l5
l5 CNAME l6
l6 CNAME www
across CNAME host.other.test.
acrossnx CNAME nx.other.test.
`
	other := "$ORIGIN other.test.\n$TTL 300\n@ SOA ns h 9 3600 900 86400 30\n@ NS ns\nns A 192.0.2.1\nhost A 192.0.2.99\n"
	c := client{compiled(t, publication(t, zone, other)), false}
	c.check(t, []answerCase{
		{"one.example.test. A", "NOERROR aa\nanswer one.example.test. 300 CNAME two.example.test.\nanswer two.example.test. 300 CNAME www.example.test.\nanswer www.example.test. 300 A 192.0.2.80"},
		{"one.example.test. CNAME", "NOERROR aa\nanswer one.example.test. 300 CNAME two.example.test."},
		{"one.example.test. TXT", "NOERROR aa\nanswer one.example.test. 300 CNAME two.example.test.\nanswer two.example.test. 300 CNAME www.example.test.\n" + soaLine},
		{"nothing.example.test. A", "NXDOMAIN aa\nanswer nothing.example.test. 300 CNAME nx.example.test.\n" + soaLine},
		{"out.example.test. A", "NOERROR aa\nanswer out.example.test. 300 CNAME www.elsewhere.test."},
		{"self.example.test. A", "NOERROR aa\nanswer self.example.test. 300 CNAME self.example.test."},
		{"ring1.example.test. A", "NOERROR aa\nanswer ring1.example.test. 300 CNAME ring2.example.test.\nanswer ring2.example.test. 300 CNAME ring1.example.test."},
		{"intocut.example.test. A", "NOERROR aa\nanswer intocut.example.test. 300 CNAME x.sub.example.test.\nauthority sub.example.test. 300 NS ns.sub.example.test.\nadditional ns.sub.example.test. 300 A 192.0.2.61"},
		{"across.example.test. A", "NOERROR aa\nanswer across.example.test. 300 CNAME host.other.test.\nanswer host.other.test. 300 A 192.0.2.99"},
		{"acrossnx.example.test. A", "NXDOMAIN aa\nanswer acrossnx.example.test. 300 CNAME nx.other.test.\nauthority other.test. 30 SOA ns.other.test. h.other.test. 9 3600 900 86400 30"},
	})
	if reply := c.ask(t, "l2.example.test. A"); len(reply.Answer) != maxChain+1 {
		t.Errorf("the longest chain: %v", reply)
	}
	if reply := c.ask(t, "l1.example.test. A"); len(reply.Answer) != maxChain || reply.Rcode != dns.RcodeSuccess {
		t.Errorf("a long chain: %v", reply)
	}
}
