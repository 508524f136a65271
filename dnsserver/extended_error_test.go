package dnsserver

import (
	"testing"

	"github.com/miekg/dns"
)

// TestExtendedErrors: RFC 8914.
func TestExtendedErrors(t *testing.T) {
	s := compiled(t, publication(t, plainZone))
	for ask, want := range map[string]uint16{
		"www.elsewhere.test. A": dns.ExtendedErrorCodeNotAuthoritative,
		"example.test. AXFR":    dns.ExtendedErrorCodeNotSupported,
		"www.example.test. A":   0,
		"nx.example.test. A":    0,
	} {
		if got := ede((client{s, false}).ask(t, ask)); got != want {
			t.Errorf("%s: %d, want %d", ask, got, want)
		}
	}
	early := client{&snapshot{settings: s.settings}, false}
	if reply := early.ask(t, "www.example.test. A"); reply.Rcode != dns.RcodeServerFailure || ede(reply) != dns.ExtendedErrorCodeNotReady {
		t.Errorf("before the first publication: %v", reply)
	}
}
