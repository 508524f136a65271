package dnsserver

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/livens/livens/zones"
	"github.com/miekg/dns"
)

// TestNSID: RFC 5001.
func TestNSID(t *testing.T) {
	s := compiled(t, publication(t, plainZone))
	got, ok := option(client{s, false}.exchange(t, withOption(question("www.example.test. A"), dns.EDNS0NSID, "")), dns.EDNS0NSID).(*dns.EDNS0_NSID)
	if !ok || got.Nsid != hex.EncodeToString([]byte("ns1")) {
		t.Errorf("NSID %v", got)
	}
	silent := *s.settings
	silent.config.NSID = ""
	if reply := (client{s.withSettings(&silent), false}).exchange(t, withOption(question("www.example.test. A"), dns.EDNS0NSID, "")); len(reply.IsEdns0().Option) != 0 {
		t.Errorf("NSID of a server without: %v", reply)
	}
	long := testConfig()
	long.NSID = strings.Repeat("x", zones.MaxNSID+1)
	if _, err := New(Options{Config: long}); err == nil {
		t.Error("a NSID that does not fit is taken")
	}
}
