package dnsserver

import (
	"bytes"
	"encoding/hex"
	"testing"

	"github.com/miekg/dns"
)

// TestHeader is RFC 8906's view of a header: every query is answered, what is unknown is named, what is reserved is
// zero. Queries and responses are in hex; a response is given up to its question.
func TestHeader(t *testing.T) {
	s := compiled(t, publication(t, plainZone))
	const q = "03777777076578616d706c65047465737400 0001 0001" // www.example.test. A
	for _, tc := range []struct{ name, query, want string }{
		{"an ordinary query", "1234 0000 0001 0000 0000 0000" + q, "1234 8400 0001 0001 0000 0000"},
		{"RD is copied", "1234 0100 0001 0000 0000 0000" + q, "1234 8500 0001 0001 0000 0000"},
		{"AA, TC, RA, Z, AD and CD are not", "1234 06f0 0001 0000 0000 0000" + q, "1234 8400 0001 0001 0000 0000"},
		{"an rcode in a query means nothing", "1234 000f 0001 0000 0000 0000" + q, "1234 8400 0001 0001 0000 0000"},
		{"IQUERY", "1234 0800 0000 0001 0000 0000 00 0001 0001 00000000 0004 c0000201", "1234 8804 0000 0000 0000 0000"},
		{"STATUS", "1234 1000 0000 0000 0000 0000", "1234 9004 0000 0000 0000 0000"},
		{"NOTIFY", "1234 2400 0001 0000 0000 0000" + q, "1234 a004 0001 0000 0000 0000"},
		{"UPDATE", "1234 2800 0001 0000 0000 0000" + q, "1234 a804 0001 0000 0000 0000"},
		{"opcode 15, header only", "1234 7900 0000 0000 0000 0000", "1234 f904 0000 0000 0000 0000"},
		{"opcode 6 with two questions", "1234 3000 0002 0000 0000 0000", "1234 b004 0000 0000 0000 0000"},
		{"no question", "1234 0000 0000 0000 0000 0000", "1234 8001 0000 0000 0000 0000"},
		{"two questions", "1234 0000 0002 0000 0000 0000" + q + q, "1234 8001 0000 0000 0000 0000"},
		{"65535 questions", "1234 0000 ffff 0000 0000 0000" + q, "1234 8001 0000 0000 0000 0000"},
		{"question cut short", "1234 0000 0001 0000 0000 0000 037777", "1234 8001 0000 0000 0000 0000"},
		{"question without class", "1234 0000 0001 0000 0000 0000 0377777700 0001", "1234 8001 0000 0000 0000 0000"},
		{"compressed name", "1234 0000 0001 0000 0000 0000 c00c 0001 0001", "1234 8001 0000 0000 0000 0000"},
		{"label type 01", "1234 0000 0001 0000 0000 0000 41ff00 0001 0001", "1234 8001 0000 0000 0000 0000"},
		{"octets behind the message", "1234 0000 0001 0000 0000 0000" + q + "00", "1234 8001 0001 0000 0000 0000"},
		{"additional record missing", "1234 0000 0001 0000 0000 0001" + q, "1234 8001 0001 0000 0000 0000"},
		{"answer record in a query", "1234 0000 0001 0001 0000 0000" + q + "c00c 0001 0001 00000000 0004 c0000201", "1234 8400 0001 0001 0000 0000"},
		{"authority record in a query", "1234 0000 0001 0000 0001 0000" + q + "c00c 0006 0001 00000000 0000", "1234 8400 0001 0001 0000 0000"},
		{"class HESIOD", "1234 0000 0001 0000 0000 0000 03777777076578616d706c65047465737400 0001 0004", "1234 8005 0001 0000 0000 0000"},
		{"class ANY", "1234 0000 0001 0000 0000 0000 03777777076578616d706c65047465737400 0001 00ff", "1234 8005 0001 0000 0000 0000"},
		{"AXFR", "1234 0000 0001 0000 0000 0000 076578616d706c65047465737400 00fc 0001", "1234 8005 0001 0000 0000 0000"},
		{"IXFR", "1234 0000 0001 0000 0000 0000 076578616d706c65047465737400 00fb 0001", "1234 8005 0001 0000 0000 0000"},
		{"a response", "1234 8000 0001 0000 0000 0000" + q, ""},
		{"eleven octets", "1234 0000 0001 0000 0000 00", ""},
		{"nothing", "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			query := unhex(t, string(bytes.ReplaceAll([]byte(tc.query), []byte(" "), nil)))
			want := unhex(t, string(bytes.ReplaceAll([]byte(tc.want), []byte(" "), nil)))
			for _, tcp := range []bool{false, true} {
				got := client{s, tcp}.raw(t, query)
				if !bytes.HasPrefix(got, want) || (len(got) == 0) != (len(want) == 0) {
					t.Errorf("got %s", hex.EncodeToString(got))
				}
				if len(want) > 0 && want[5] == 1 && !bytes.Equal(got[12:16], query[12:16]) {
					t.Error("the question is not copied")
				}
			}
		})
	}
}

// TestCaseIsKept: RFC 4343: the question comes back octet by octet, and owners are spelt as asked.
func TestCaseIsKept(t *testing.T) {
	c := client{compiled(t, publication(t, plainZone+"MiXed A 192.0.2.1\nalias CNAME TarGet\ntarget A 192.0.2.2\n")), false}
	c.check(t, []answerCase{
		{"wWw.ExAmPlE.tEsT. A", "NOERROR aa\nanswer wWw.ExAmPlE.tEsT. 300 A 192.0.2.80"},
		{"mixed.example.test. A", "NOERROR aa\nanswer mixed.example.test. 300 A 192.0.2.1"},
		{"ALIAS.example.test. A", "NOERROR aa\nanswer ALIAS.example.test. 300 CNAME TarGet.example.test.\nanswer TarGet.example.test. 300 A 192.0.2.2"},
	})
	if got := c.ask(t, "wWw.ExAmPlE.tEsT. A").Question[0].Name; got != "wWw.ExAmPlE.tEsT." {
		t.Errorf("question %s", got)
	}
}

// TestUnknownTypes: RFC 3597: any type is data like any other, and no name in it is compressed.
func TestUnknownTypes(t *testing.T) {
	c := client{compiled(t, publication(t, plainZone+"odd TYPE65280 \\# 4 0a000001\nodd RRSIG A 13 3 300 20300101000000 20260101000000 1 example.test. AAAA\nodd CAA 0 issue \"ca.example.net\"\nodd TYPE0 \\# 1 00\n")), false}
	m := question("odd.example.test. A")
	m.Question[0].Qtype = 65280
	if got := show(c.exchange(t, m)); got != `NOERROR aa
answer odd.example.test. 300 CLASS1 TYPE65280 \# 4 0a000001` {
		t.Error(got)
	}
	c.check(t, []answerCase{
		{"odd.example.test. CAA", "NOERROR aa\nanswer odd.example.test. 300 CAA 0 issue \"ca.example.net\""},
		{"odd.example.test. RRSIG", "NOERROR aa\nanswer odd.example.test. 300 RRSIG A 13 3 300 20300101000000 20260101000000 1 example.test. AAAA"},
		{"odd.example.test. A", "NOERROR aa\n" + soaLine},
	})
}

// TestCompression: names of RFC 1035's types are written once; those of later types are spelt out (RFC 3597).
func TestCompression(t *testing.T) {
	c := client{compiled(t, publication(t, plainZone+"mx MX 1 www\nmx MX 2 longer.www\nsrv SRV 0 0 1 www\n")), false}
	for ask, count := range map[string]int{"mx.example.test. MX": 1, "nx.example.test. A": 1, "srv.example.test. SRV": 2} {
		query, _ := question(ask).Pack()
		response := c.raw(t, query)
		if got := bytes.Count(response, []byte("\x07example\x04test\x00")); got != count {
			t.Errorf("%s: the zone's name occurs %d times, want %d", ask, got, count)
		}
		if got := bytes.Count(response, []byte("\x03www")); ask == "mx.example.test. MX" && got != 1 {
			t.Errorf("www occurs %d times", got)
		}
	}
}

// TestChaos: RFC 4892.
func TestChaos(t *testing.T) {
	s := compiled(t, publication(t, plainZone))
	ask := func(s *snapshot, name string, qtype uint16) string {
		m := question("x. TXT")
		m.Question[0] = dns.Question{Name: name, Qtype: qtype, Qclass: dns.ClassCHAOS}
		reply := client{s, false}.exchange(t, m)
		if len(reply.Answer) == 1 {
			return reply.Answer[0].(*dns.TXT).Txt[0]
		}
		return dns.RcodeToString[reply.Rcode]
	}
	for name, want := range map[string]string{"version.bind.": "livens", "VERSION.server.": "livens", "id.server.": "ns1", "hostname.bind.": "host1", "authors.bind.": "REFUSED", ".": "REFUSED"} {
		if got := ask(s, name, dns.TypeTXT); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
	if got := ask(s, "version.bind.", dns.TypeANY); got != "livens" {
		t.Error("ANY:", got)
	}
	if got := ask(s, "version.bind.", dns.TypeA); got != "REFUSED" {
		t.Error("A:", got)
	}
	silent := *s.settings
	silent.config.NSID, silent.config.Version = "", ""
	for _, name := range []string{"version.bind.", "id.server.", "hostname.bind."} {
		if got := ask(s.withSettings(&silent), name, dns.TypeTXT); got != "REFUSED" {
			t.Errorf("%s of a silent server: %s", name, got)
		}
	}
}
