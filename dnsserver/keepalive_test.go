package dnsserver

import (
	"testing"

	"github.com/miekg/dns"
)

// TestKeepalive: RFC 7828: over TCP when asked for, never over UDP.
func TestKeepalive(t *testing.T) {
	s := compiled(t, publication(t, plainZone))
	ask := func() *dns.Msg { return withOption(question("www.example.test. A"), dns.EDNS0TCPKEEPALIVE, "") }
	got, ok := option(client{s, true}.exchange(t, ask()), dns.EDNS0TCPKEEPALIVE).(*dns.EDNS0_TCP_KEEPALIVE)
	if !ok || got.Timeout != 100 {
		t.Errorf("over TCP: %v", got)
	}
	if o := option(client{s, false}.exchange(t, ask()), dns.EDNS0TCPKEEPALIVE); o != nil {
		t.Errorf("over UDP: %v", o)
	}
	if o := option(client{s, true}.exchange(t, question("www.example.test. A")), dns.EDNS0TCPKEEPALIVE); o != nil {
		t.Errorf("not asked for: %v", o)
	}
}
