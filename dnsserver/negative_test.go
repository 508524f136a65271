package dnsserver

import "testing"

const soaLine = "authority example.test. 60 SOA ns1.example.test. hostmaster.example.test. 7 3600 900 86400 60"

// TestNegativeAnswers: RFC 2308: NODATA and NXDOMAIN carry the SOA with min(its TTL, MINIMUM); RFC 8020 and 4592: a name
// with names below it exists.
func TestNegativeAnswers(t *testing.T) {
	c := client{compiled(t, publication(t, plainZone+"a.b.c A 192.0.2.1\n")), false}
	c.check(t, []answerCase{
		{"www.example.test. TXT", "NOERROR aa\n" + soaLine},
		{"example.test. TXT", "NOERROR aa\n" + soaLine},
		{"www.example.test. URI", "NOERROR aa\n" + soaLine},
		{"nx.example.test. A", "NXDOMAIN aa\n" + soaLine},
		{"x.www.example.test. A", "NXDOMAIN aa\n" + soaLine},
		{"a.very.deep.name.that.is.not.example.test. A", "NXDOMAIN aa\n" + soaLine},
		{"c.example.test. A", "NOERROR aa\n" + soaLine},
		{"b.c.example.test. A", "NOERROR aa\n" + soaLine},
		{"x.b.c.example.test. A", "NXDOMAIN aa\n" + soaLine},
		{"wexample.test. A", "REFUSED"},
		{"test. A", "REFUSED"},
		{". NS", "REFUSED"},
	})
}

// TestNegativeTTLIsTheSmaller of the two, whichever that is.
func TestNegativeTTLIsTheSmaller(t *testing.T) {
	c := client{compiled(t, publication(t, "$ORIGIN example.test.\n@ 30 SOA ns1 h 7 3600 900 86400 60\n@ 300 NS ns1\nns1 300 A 192.0.2.1\n")), false}
	c.check(t, []answerCase{
		{"nx.example.test. A", "NXDOMAIN aa\nauthority example.test. 30 SOA ns1.example.test. h.example.test. 7 3600 900 86400 60"},
	})
}
