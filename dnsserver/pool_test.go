package dnsserver

import "testing"

// TestPools: at the apex, at a wildcard, at several names, beside static records of other types.
func TestPools(t *testing.T) {
	pub := publication(t, plainZone+"@ MX 10 mail.elsewhere.test.\nchat TXT \"beside the pool\"\nbelow.four A 192.0.2.44\n")
	withPool(&pub, "chat", 10, []string{"example.test.", "chat.example.test.", "*.any.example.test."}, "203.0.113.10", "2001:db8:1::10", "203.0.113.11")
	withPool(&pub, "four", 5, []string{"four.example.test."}, "203.0.113.40")
	withPool(&pub, "long", 900, []string{"deep.er.example.test."}, "2001:db8::9")
	soa := func(ttl string) string {
		return "authority example.test. " + ttl + " SOA ns1.example.test. hostmaster.example.test. 7 3600 900 86400 60"
	}
	c := client{compiled(t, pub), false}
	c.check(t, []answerCase{
		{"example.test. A", "NOERROR aa\nanswer example.test. 10 A 203.0.113.10\nanswer example.test. 10 A 203.0.113.11"},
		{"example.test. AAAA", "NOERROR aa\nanswer example.test. 10 AAAA 2001:db8:1::10"},
		{"example.test. MX", "NOERROR aa\nanswer example.test. 300 MX 10 mail.elsewhere.test."},
		{"chat.example.test. A", "NOERROR aa\nanswer chat.example.test. 10 A 203.0.113.10\nanswer chat.example.test. 10 A 203.0.113.11"},
		{"chat.example.test. TXT", "NOERROR aa\nanswer chat.example.test. 300 TXT \"beside the pool\""},
		{"q.any.example.test. AAAA", "NOERROR aa\nanswer q.any.example.test. 10 AAAA 2001:db8:1::10"},
		{"a.b.any.example.test. AAAA", "NOERROR aa\nanswer a.b.any.example.test. 10 AAAA 2001:db8:1::10"},
		{"any.example.test. A", "NOERROR aa\n" + soa("60")},
		{"four.example.test. A", "NOERROR aa\nanswer four.example.test. 5 A 203.0.113.40"},
		{"four.example.test. AAAA", "NOERROR aa\n" + soa("5")},
		{"four.example.test. HTTPS", "NOERROR aa\n" + soa("5")},
		{"q.any.example.test. TXT", "NOERROR aa\n" + soa("10")},
		{"below.four.example.test. A", "NOERROR aa\nanswer below.four.example.test. 300 A 192.0.2.44"},
		{"er.example.test. AAAA", "NOERROR aa\n" + soa("60")},
		{"deep.er.example.test. A", "NOERROR aa\n" + soa("60")},
	})
}
