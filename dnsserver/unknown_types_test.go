package dnsserver

import "testing"

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
