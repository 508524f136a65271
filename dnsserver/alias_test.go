package dnsserver

import (
	"strings"
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

// TestDNAME: RFC 6672.
func TestDNAME(t *testing.T) {
	zone := plainZone + `
old 120 DNAME new
old TXT "the owner keeps its own data"
a.old A 192.0.2.66
a.new A 192.0.2.9
ptr.new CNAME a
a A 192.0.2.10
loop DNAME x.loop
away DNAME elsewhere.test.
long DNAME ` + strings.Repeat(strings.Repeat("l", 60)+".", 3) + `example.test.
*.wild CNAME a.old
`
	dname := "answer old.example.test. 120 DNAME new.example.test."
	c := client{compiled(t, publication(t, zone)), true}
	c.check(t, []answerCase{
		{"a.old.example.test. A", "NOERROR aa\nanswer a.new.example.test. 300 A 192.0.2.9\nanswer a.old.example.test. 120 CNAME a.new.example.test.\n" + dname},
		{"ptr.old.example.test. A", "NOERROR aa\nanswer a.example.test. 300 A 192.0.2.10\n" + dname + "\nanswer ptr.new.example.test. 300 CNAME a.example.test.\nanswer ptr.old.example.test. 120 CNAME ptr.new.example.test."},
		{"x.old.example.test. A", "NXDOMAIN aa\n" + dname + "\nanswer x.old.example.test. 120 CNAME x.new.example.test.\n" + soaLine},
		{"x.old.example.test. CNAME", "NOERROR aa\n" + dname + "\nanswer x.old.example.test. 120 CNAME x.new.example.test."},
		{"old.example.test. TXT", "NOERROR aa\nanswer old.example.test. 300 TXT \"the owner keeps its own data\""},
		{"old.example.test. A", "NOERROR aa\n" + soaLine},
		{"old.example.test. DNAME", "NOERROR aa\n" + dname},
		{"x.y.away.example.test. A", "NOERROR aa\nanswer away.example.test. 300 DNAME elsewhere.test.\nanswer x.y.away.example.test. 300 CNAME x.y.elsewhere.test."},
		{"q.wild.example.test. A", "NOERROR aa\nanswer a.new.example.test. 300 A 192.0.2.9\nanswer a.old.example.test. 120 CNAME a.new.example.test.\n" + dname + "\nanswer q.wild.example.test. 300 CNAME a.old.example.test."},
	})
	over := strings.Repeat("p", 60) + ".long.example.test. A"
	if reply := c.ask(t, over); reply.Rcode != dns.RcodeYXDomain || len(reply.Answer) != 1 || reply.Answer[0].Header().Rrtype != dns.TypeDNAME {
		t.Errorf("a name too long: %v", reply)
	}
	if reply := c.ask(t, "y.loop.example.test. A"); reply.Rcode != dns.RcodeSuccess || len(reply.Answer) > 2*maxChain {
		t.Errorf("a DNAME onto itself: %v", reply)
	}
}
