package dnsserver

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"github.com/miekg/dns"
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

// TestCompressionBeyondPointers: what stands behind the first 16 KiB cannot be pointed to.
func TestCompressionBeyondPointers(t *testing.T) {
	pub := publication(t, plainZone)
	var want []string
	for i := range 1000 {
		rr, err := dns.NewRR(fmt.Sprintf("mx.example.test. 300 MX %d host%d.and-a-domain-of-its-own%d.test.", i, i, i/2))
		if err != nil {
			t.Fatal(err)
		}
		pub.Set.Zones[0].Records = append(pub.Set.Zones[0].Records, packed(t, rr))
		want = append(want, rr.String())
	}
	reply := client{compiled(t, pub), true}.ask(t, "mx.example.test. MX")
	var got []string
	for _, rr := range reply.Answer {
		got = append(got, rr.String())
	}
	if !slices.Equal(got, want) {
		t.Errorf("%d records came back, or not as they were", len(got))
	}
}

// TestCompressionLooksTwice: names are found by hash, and compared before they are pointed to; a name may also stand
// where a rolled-back RRset used to be.
func TestCompressionLooksTwice(t *testing.T) {
	var w writer
	var q, a, b name
	q.parse([]byte("\x01q\x00"), 0)
	a.parse([]byte("\x05first\x00"), 0)
	b.parse([]byte("\x06second\x00"), 0)
	w.reset(make([]byte, 512), &q, 512)
	w.buf = append(w.buf, "............\x01q\x00...."...)
	at := len(w.buf)
	w.name(&a, 0, a.suffix(0))
	b.hash[0] = a.hash[0] // a collision
	w.name(&b, 0, b.suffix(0))
	if got := string(w.buf[at:]); got != "\x05first\x00\x06second\x00" {
		t.Errorf("%q", got)
	}
	w.rollback(at)
	w.buf = binary.BigEndian.AppendUint16(w.buf, 0xffff)
	w.name(&a, 0, a.suffix(0))
	if got := string(w.buf[at:]); got != "\xff\xff\x05first\x00" {
		t.Errorf("%q", got)
	}
}
