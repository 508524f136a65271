package dnsserver

import "testing"

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
