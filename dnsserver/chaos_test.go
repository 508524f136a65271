package dnsserver

import (
	"testing"

	"github.com/miekg/dns"
)

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
