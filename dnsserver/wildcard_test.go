package dnsserver

import "testing"

// TestWildcards is the zone of RFC 4592 section 2.2.1 and its queries, and a few more.
func TestWildcards(t *testing.T) {
	zone := `
$ORIGIN example.
$TTL 3600
@ SOA ns h 7 3600 900 86400 60
@ NS ns.example.com.
@ NS ns.example.net.
* TXT "this is a wildcard"
* MX 10 host1.example.
sub.* TXT "this is not a wildcard"
host1 A 192.0.2.1
_ssh._tcp.host1 SRV 0 0 22 host1
_ssh._tcp.host2 SRV 0 0 22 host1
subdel NS ns.example.com.
subdel NS ns.example.net.
*.alias CNAME host1
`
	soa := "authority example. 60 SOA ns.example. h.example. 7 3600 900 86400 60"
	host1 := "additional host1.example. 3600 A 192.0.2.1"
	c := client{compiled(t, publication(t, zone)), false}
	c.check(t, []answerCase{
		{"host3.example. MX", "NOERROR aa\nanswer host3.example. 3600 MX 10 host1.example.\n" + host1},
		{"host3.example. A", "NOERROR aa\n" + soa},
		{"foo.bar.example. TXT", "NOERROR aa\nanswer foo.bar.example. 3600 TXT \"this is a wildcard\""},
		{"host1.example. MX", "NOERROR aa\n" + soa},
		{"sub.*.example. MX", "NOERROR aa\n" + soa},
		{"_telnet._tcp.host1.example. SRV", "NXDOMAIN aa\n" + soa},
		{"host.subdel.example. A", "NOERROR\nauthority subdel.example. 3600 NS ns.example.com.\nauthority subdel.example. 3600 NS ns.example.net."},
		{"ghost.*.example. MX", "NXDOMAIN aa\n" + soa},
		{"*.example. TXT", "NOERROR aa\nanswer *.example. 3600 TXT \"this is a wildcard\""},
		{"_tcp.host2.example. TXT", "NOERROR aa\n" + soa},
		{"x.alias.example. A", "NOERROR aa\nanswer host1.example. 3600 A 192.0.2.1\nanswer x.alias.example. 3600 CNAME host1.example."},
		{"alias.example. TXT", "NOERROR aa\n" + soa},
		{"X.aLiAs.example. CNAME", "NOERROR aa\nanswer X.aLiAs.example. 3600 CNAME host1.example."},
	})
}
