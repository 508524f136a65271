package dnsserver

import "testing"

// TestAdditional: addresses of the hosts that MX, SRV, NS, SVCB and HTTPS name, each once, also through wildcards and
// below a cut, and a pool's with its decision.
func TestAdditional(t *testing.T) {
	pub := publication(t, plainZone+`
@ MX 10 mail
@ MX 20 mail
@ MX 30 glue.sub
@ MX 40 any.wild
@ MX 50 alias
@ MX 60 mx.elsewhere.test.
mail A 192.0.2.25
mail AAAA 2001:db8::25
sub NS glue.sub
glue.sub A 192.0.2.26
*.wild A 192.0.2.27
alias CNAME mail
_sip._udp SRV 0 0 5060 pool
svc HTTPS 1 . alpn=h2
svc A 192.0.2.28
front HTTPS 0 svc
front SVCB 0 svc
null MX 0 .
selfmx MX 0 selfmx
selfmx A 192.0.2.29
`)
	withPool(&pub, "chat", 10, []string{"pool.example.test."}, "203.0.113.10", "2001:db8:1::10")
	mail := "additional mail.example.test. 300 A 192.0.2.25\nadditional mail.example.test. 300 AAAA 2001:db8::25"
	c := client{compiled(t, pub), false}
	c.check(t, []answerCase{
		{"example.test. MX", `NOERROR aa
answer example.test. 300 MX 10 mail.example.test.
answer example.test. 300 MX 20 mail.example.test.
answer example.test. 300 MX 30 glue.sub.example.test.
answer example.test. 300 MX 40 any.wild.example.test.
answer example.test. 300 MX 50 alias.example.test.
answer example.test. 300 MX 60 mx.elsewhere.test.
additional any.wild.example.test. 300 A 192.0.2.27
additional glue.sub.example.test. 300 A 192.0.2.26
` + mail},
		{"example.test. NS", "NOERROR aa\nanswer example.test. 300 NS ns1.example.test.\nadditional ns1.example.test. 300 A 192.0.2.53"},
		{"_sip._udp.example.test. SRV", "NOERROR aa\nanswer _sip._udp.example.test. 300 SRV 0 0 5060 pool.example.test.\nadditional pool.example.test. 10 A 203.0.113.10\nadditional pool.example.test. 10 AAAA 2001:db8:1::10"},
		{"svc.example.test. HTTPS", "NOERROR aa\nanswer svc.example.test. 300 HTTPS 1 . alpn=\"h2\"\nadditional svc.example.test. 300 A 192.0.2.28"},
		{"front.example.test. HTTPS", "NOERROR aa\nanswer front.example.test. 300 HTTPS 0 svc.example.test.\nadditional svc.example.test. 300 A 192.0.2.28\nadditional svc.example.test. 300 HTTPS 1 . alpn=\"h2\""},
		{"front.example.test. SVCB", "NOERROR aa\nanswer front.example.test. 300 SVCB 0 svc.example.test.\nadditional svc.example.test. 300 A 192.0.2.28"},
		{"null.example.test. MX", "NOERROR aa\nanswer null.example.test. 300 MX 0 ."},
		{"selfmx.example.test. MX", "NOERROR aa\nanswer selfmx.example.test. 300 MX 0 selfmx.example.test.\nadditional selfmx.example.test. 300 A 192.0.2.29"},
	})
}
