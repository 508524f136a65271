package dnsserver

import (
	"encoding/hex"
	"testing"

	"github.com/miekg/dns"
)

// TestClientSubnet: RFC 7871 sections 6 and 7.2.1: echoed with scope 0, or FORMERR.
func TestClientSubnet(t *testing.T) {
	c := client{compiled(t, publication(t, plainZone)), false}
	for _, tc := range []struct{ name, data, want string }{
		{"IPv4 /24", "00011800c00002", "00011800c00002"},
		{"IPv4 /32", "00012000c0000201", "00012000c0000201"},
		{"IPv4 /0", "00010000", "00010000"},
		{"IPv4 /23, last octet even", "00011700c00002", "00011700c00002"},
		{"IPv6 /56", "0002380020010db8000100", "0002380020010db8000100"},
		{"family 0", "00000000", "00000000"},
		{"scope set", "00011818c00002", ""},
		{"bits beyond the prefix", "00011700c00003", ""},
		{"address too short", "00011800c000", ""},
		{"address too long", "00011800c0000200", ""},
		{"prefix beyond IPv4", "00012100c000020100", ""},
		{"prefix beyond IPv6", "0002810020010db800000000000000000000000000", ""},
		{"unknown family", "00030800c0", ""},
		{"family 0 with prefix", "00000800c0", ""},
		{"too short", "000118", ""},
		{"empty", "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			query, err := withOption(question("www.example.test. A"), dns.EDNS0SUBNET, tc.data).Pack()
			if err != nil {
				t.Fatal(err)
			}
			response := c.raw(t, query)
			rcode := int(response[3] & 15)
			if tc.want == "" {
				if rcode != dns.RcodeFormatError {
					t.Errorf("rcode %d", rcode)
				}
				return
			}
			got := hex.EncodeToString(response[len(response)-len(tc.want)/2:])
			if rcode != 0 || got != tc.want {
				t.Errorf("rcode %d, echo %s, want %s", rcode, got, tc.want)
			}
		})
	}
}
