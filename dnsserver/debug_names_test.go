package dnsserver

import "testing"

// TestDebugNames: TXT at _livens below each answer name, with the pool's TTL; not there unless configured.
func TestDebugNames(t *testing.T) {
	pub := publication(t, plainZone+"_livens.static A 192.0.2.1\n_livens.alias CNAME www\n")
	withPool(&pub, "chat", 10, []string{"example.test.", "static.example.test.", "alias.example.test.", "*.any.example.test."}, "203.0.113.10")
	text := ` 10 TXT "active=primary" "epoch=1764000000" "since=2026-11-22T10:00:00Z"`
	soa := "authority example.test. 10 SOA ns1.example.test. hostmaster.example.test. 7 3600 900 86400 60"
	s := compiled(t, pub)
	client{s, false}.check(t, []answerCase{
		{"_livens.example.test. TXT", "NOERROR aa\nanswer _livens.example.test." + text},
		{"_livens.example.test. A", "NOERROR aa\n" + soa},
		{"_livens.static.example.test. TXT", "NOERROR aa\nanswer _livens.static.example.test." + text},
		{"_livens.static.example.test. A", "NOERROR aa\nanswer _livens.static.example.test. 300 A 192.0.2.1"},
		{"_livens.alias.example.test. TXT", "NOERROR aa\nanswer _livens.alias.example.test. 300 CNAME www.example.test.\n" + soaLine},
		{"_livens.*.any.example.test. TXT", "NOERROR aa\nanswer _livens.*.any.example.test." + text},
	})
	pub = publication(t, plainZone)
	withPool(&pub, "chat", 10, []string{"chat.example.test."}, "203.0.113.10")
	quiet := *s.settings
	quiet.config.DebugNames = false
	next, err := (&snapshot{settings: &quiet}).next(pub, nil, func(string) int { return 1 })
	if err != nil {
		t.Fatal(err)
	}
	client{next, false}.check(t, []answerCase{{"_livens.chat.example.test. TXT", "NXDOMAIN aa\n" + soaLine}})
}
