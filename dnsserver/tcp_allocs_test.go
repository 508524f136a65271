//go:build !race

package dnsserver

import (
	"bytes"
	"slices"
	"testing"

	"github.com/miekg/dns"
)

// TestTCPAllocatesNothing: neither for small queries nor for one that takes borrowed memory. Under the race detector what is lent is
// forgotten at random (sync.Pool), and then made anew.
func TestTCPAllocatesNothing(t *testing.T) {
	s := running(t, nil)
	s.Publish(publication(t, plainZone))
	small := framed(t, question("www.example.test. A"))
	padded := question("www.example.test. A")
	unpadded, _ := padded.Pack()
	opt := padded.IsEdns0()
	opt.Option = append(opt.Option, &dns.EDNS0_LOCAL{Code: 65001, Data: make([]byte, 65535-len(unpadded)-4)})
	large := framed(t, padded)
	for name, queries := range map[string][][]byte{
		"small": {small}, "ten at once": slices.Repeat([][]byte{small}, 10), "large": {large}, "mixed": {large, small, large},
	} {
		conn := dialTCP(t, s)
		stream := bytes.Join(queries, nil)
		buf := make([]byte, 65535)
		exchange := func() {
			conn.Write(stream)
			for range queries {
				if readRaw(conn, buf) == 0 {
					t.Fatalf("%s: no answer", name)
				}
			}
		}
		if n := testing.AllocsPerRun(200, exchange); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
