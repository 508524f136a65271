package dnsserver

import "testing"

// TestANY: RFC 8482 section 4.1: one RRset, over TCP too: the pool's, else that of the lowest type.
func TestANY(t *testing.T) {
	pub := publication(t, plainZone+"many TXT \"x\"\nmany A 192.0.2.1\nmany A 192.0.2.2\nmany MX 1 many\nalias CNAME many\npool MX 1 many\n")
	withPool(&pub, "chat", 10, []string{"pool.example.test."}, "203.0.113.10", "2001:db8:1::10")
	s := compiled(t, pub)
	for _, tcp := range []bool{false, true} {
		client{s, tcp}.check(t, []answerCase{
			{"many.example.test. ANY", "NOERROR aa\nanswer many.example.test. 300 A 192.0.2.1\nanswer many.example.test. 300 A 192.0.2.2"},
			{"alias.example.test. ANY", "NOERROR aa\nanswer alias.example.test. 300 CNAME many.example.test."},
			{"pool.example.test. ANY", "NOERROR aa\nanswer pool.example.test. 10 A 203.0.113.10"},
			{"_livens.pool.example.test. ANY", "NOERROR aa\nanswer _livens.pool.example.test. 10 TXT \"active=primary\" \"epoch=1764000000\" \"since=2026-11-22T10:00:00Z\""},
			{"nx.example.test. ANY", "NXDOMAIN aa\n" + soaLine},
		})
	}
}
