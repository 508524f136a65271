package dnsserver

import (
	"fmt"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// TestTruncation: whole RRsets or TC; the limit is the smaller of what the client takes and what is configured, 512
// without EDNS; over TCP nothing of this.
func TestTruncation(t *testing.T) {
	var b strings.Builder
	b.WriteString(plainZone + "alias CNAME big\n")
	for i := range 60 {
		fmt.Fprintf(&b, "big A 10.0.0.%d\n", i) // 60 x 16 octets
	}
	s := compiled(t, publication(t, b.String()))
	for _, tc := range []struct {
		edns      uint16 // 0: none
		udp       int    // configured
		tcp       bool
		truncated bool
	}{
		{0, 1232, false, true}, {100, 1232, false, true}, {512, 1232, false, true}, {1000, 1232, false, true},
		{1004, 1232, false, true}, {1005, 1232, false, false}, {1232, 1232, false, false}, {65535, 1232, false, false}, {65535, 512, false, true},
		{0, 1232, true, false}, {512, 512, true, false},
	} {
		set := *s.settings
		set.config.UDPSize = tc.udp
		c := client{s.withSettings(&set), tc.tcp}
		for _, ask := range []string{"big.example.test. A", "alias.example.test. A"} {
			m := question(ask)
			if tc.edns == 0 {
				m.Extra = nil
			} else {
				m.IsEdns0().SetUDPSize(tc.edns)
			}
			query, _ := m.Pack()
			response := c.raw(t, query)
			reply := new(dns.Msg)
			if err := reply.Unpack(response); err != nil {
				t.Fatal(err)
			}
			limit := max(512, min(int(tc.edns), tc.udp))
			if !tc.tcp && len(response) > limit {
				t.Errorf("%+v %s: %d octets", tc, ask, len(response))
			}
			truncated := tc.truncated || tc.edns == 1005 && ask[0] == 'a'
			aliases := strings.Count(ask, "alias")
			if want := aliases + 60; reply.Truncated != truncated || !truncated && len(reply.Answer) != want || truncated && len(reply.Answer) != aliases {
				t.Errorf("%+v %s: TC %v, %d answers, %d octets", tc, ask, reply.Truncated, len(reply.Answer), len(response))
			}
			if (reply.IsEdns0() != nil) != (tc.edns > 0) {
				t.Errorf("%+v %s: OPT %v", tc, ask, reply.IsEdns0())
			}
		}
	}
}

// TestLargestMessage: over TCP an answer may fill 65535 octets; what is larger still is truncated there too.
func TestLargestMessage(t *testing.T) {
	for _, tc := range []struct {
		records   int
		truncated bool
	}{{250, false}, {251, true}} {
		pub := publication(t, plainZone)
		for i := range tc.records {
			rr, err := dns.NewRR(fmt.Sprintf("huge.example.test. 300 TXT %s%04d", strings.Repeat("x", 244), i))
			if err != nil {
				t.Fatal(err)
			}
			pub.Set.Zones[0].Records = append(pub.Set.Zones[0].Records, packed(t, rr))
		}
		reply := client{compiled(t, pub), true}.ask(t, "huge.example.test. TXT")
		if reply.Truncated != tc.truncated || !tc.truncated && len(reply.Answer) != tc.records {
			t.Errorf("%d records: TC %v, %d answers", tc.records, reply.Truncated, len(reply.Answer))
		}
	}
}
