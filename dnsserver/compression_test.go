package dnsserver

import (
	"bytes"
	"testing"
)

// TestCompression: names of RFC 1035's types are written once; those of later types are spelt out (RFC 3597).
func TestCompression(t *testing.T) {
	c := client{compiled(t, publication(t, plainZone+"mx MX 1 www\nmx MX 2 longer.www\nsrv SRV 0 0 1 www\n")), false}
	for ask, count := range map[string]int{"mx.example.test. MX": 1, "nx.example.test. A": 1, "srv.example.test. SRV": 2} {
		query, _ := question(ask).Pack()
		response := c.raw(t, query)
		if got := bytes.Count(response, []byte("\x07example\x04test\x00")); got != count {
			t.Errorf("%s: the zone's name occurs %d times, want %d", ask, got, count)
		}
		if got := bytes.Count(response, []byte("\x03www")); ask == "mx.example.test. MX" && got != 1 {
			t.Errorf("www occurs %d times", got)
		}
	}
}
