package dnsserver

import (
	"testing"

	"github.com/miekg/dns"
)

// TestResponseStaysInItsRoom, whatever that is: where it ends matters to those who send it from there.
func TestResponseStaysInItsRoom(t *testing.T) {
	s := kindsSnapshot(t)
	small := *s.settings
	small.config.UDPSize = 4096
	s = s.withSettings(&small)
	q := question("big.example.test. TXT")
	q.IsEdns0().SetUDPSize(4096)
	q.IsEdns0().Option = append(q.IsEdns0().Option, &dns.EDNS0_NSID{Code: dns.EDNS0NSID})
	query, _ := q.Pack()
	for size := 512; size < 3000; size++ {
		room := make([]byte, size)
		response := ask(s, room, query, peer{}, newScratch())
		if len(response) > size || &response[0] != &room[0] || response[2]&0x80 == 0 {
			t.Fatalf("in a room of %d octets: %d, in place %t, header %x", size, len(response), &response[0] == &room[0], response[:12])
		}
		if err := new(dns.Msg).Unpack(response); err != nil {
			t.Fatalf("in a room of %d octets: %v", size, err)
		}
	}
}
