package dnsserver

import (
	"strings"
	"testing"

	"github.com/miekg/dns"
)

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
