package dnsserver

import (
	"bytes"
	"net/netip"
	"testing"

	"github.com/miekg/dns"
)

// fuzzSeeds are one query of each kind, and the malformed ones that are hard to come by.
func fuzzSeeds(tb testing.TB) [][]byte {
	var seeds [][]byte
	for _, text := range kinds {
		m := question(text)
		plain, err := m.Pack()
		if err != nil {
			tb.Fatal(err)
		}
		opt := m.IsEdns0()
		opt.Option = append(opt.Option, &dns.EDNS0_NSID{Code: dns.EDNS0NSID}, &dns.EDNS0_TCP_KEEPALIVE{Code: dns.EDNS0TCPKEEPALIVE},
			&dns.EDNS0_COOKIE{Code: dns.EDNS0COOKIE, Cookie: "0102030405060708010000006a216d2000112233445566aa"},
			&dns.EDNS0_SUBNET{Code: dns.EDNS0SUBNET, Family: 2, SourceNetmask: 56, Address: netip.MustParseAddr("2001:db8::").AsSlice()})
		full, err := m.Pack()
		if err != nil {
			tb.Fatal(err)
		}
		seeds = append(seeds, plain, full, full[:len(full)-3], append(full[:len(full):len(full)], 0))
	}
	header := []byte{1, 2, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0}
	return append(seeds,
		header, header[:11],
		append(header[:12:12], 0xc0, 12, 0, 1, 0, 1),
		append(header[:12:12], 7, 'v', 'e', 'r', 's', 'i', 'o', 'n', 4, 'b', 'i', 'n', 'd', 0, 0, 16, 0, 3),
		append([]byte{1, 2, 0x28, 0, 0, 1}, header[6:]...),
		append([]byte{1, 2, 0, 0, 0, 2}, header[6:]...),
		append([]byte{1, 2, 0x80, 0}, header[4:]...),
	)
}

// FuzzAnswer: whatever comes in, out goes silence, where it is due, or a well-formed response within its limit.
func FuzzAnswer(f *testing.F) {
	for i, seed := range fuzzSeeds(f) {
		f.Add(seed, i%2 == 0)
	}
	s := kindsSnapshot(f)
	sc, dst := newScratch(), make([]byte, 65535)
	f.Fuzz(func(t *testing.T, query []byte, tcp bool) {
		from := peer{address: netip.MustParseAddr("192.0.2.1"), tcp: tcp}
		size := 4096
		if tcp {
			size = 65535
		}
		response := ask(s, dst[:0:size], query, from, sc)
		if silent := len(query) < 12 || query[2]&0x80 != 0; silent != (response == nil) {
			t.Fatalf("silence is %v, want %v", response == nil, silent)
		}
		if response == nil {
			return
		}
		var m dns.Msg
		if err := m.Unpack(response); err != nil {
			t.Fatalf("malformed: %v: % x", err, response)
		}
		if !tcp && len(response) > 1232 || !tcp && m.IsEdns0() == nil && len(response) > 512 {
			t.Fatalf("%d octets", len(response))
		}
		if opt := sc.request.edns; !tcp && opt.present && len(response) > max(512, opt.udpSize) {
			t.Fatalf("%d octets, asked for %d at most", len(response), opt.udpSize)
		}
		if !bytes.Equal(response[:2], query[:2]) || (response[2]^query[2])&0x79 != 0 {
			t.Fatalf("header % x answers % x", response[:4], query[:4])
		}
		if len(m.Question) == 1 && !bytes.Equal(response[12:sc.request.end], query[12:sc.request.end]) {
			t.Fatal("question is not copied octet by octet")
		}
	})
}

// TestAnswerLeavesTheQueryAlone: the query is the caller's.
func TestAnswerLeavesTheQueryAlone(t *testing.T) {
	s := kindsSnapshot(t)
	for _, query := range fuzzSeeds(t) {
		before := bytes.Clone(query)
		ask(s, make([]byte, 4096), query, peer{}, newScratch())
		if !bytes.Equal(before, query) {
			t.Errorf("query became % x", query)
		}
	}
}
