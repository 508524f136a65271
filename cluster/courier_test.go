package cluster

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/livens/livens/checker"
	"github.com/livens/livens/failover"
	"github.com/livens/livens/zones"
)

// noise is hexadecimal digits that do not compress.
func noise(i, bytes int) string {
	x, out := uint64(i), ""
	for len(out) < 2*bytes {
		x += 0x9E3779B97F4A7C15
		z := (x ^ x>>30) * 0xBF58476D1CE4E5B9
		z = (z ^ z>>27) * 0x94D049BB133111EB
		out += fmt.Sprintf("%016x", z^z>>31)
	}
	return out
}

// The largest configuration that is understood can also be told. It is tried with a sixteenth of it: what does not compress
// grows with its number.
func TestLargestReportFitsAMessage(t *testing.T) {
	const share = 16
	r := &Report{Name: "ns1", Boot: 7, Version: 1, Livens: "v0.3.0", Size: 3}
	r.Votes, r.Held, r.Zones = map[string]Vote{}, map[string]*failover.Decision{}, map[string]failover.ZoneSerial{}
	for i := range maxVotes / share {
		r.Votes[noise(i, 16)] = Vote{State: checker.Up}
	}
	for i := range maxPools / share {
		name := fmt.Sprintf("pool-%d", i)
		r.Held[name] = &failover.Decision{
			Pool: name, Active: []string{"primary"}, Addresses: []netip.Addr{netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 1})}, Epoch: 1795346231,
			Since: epoch, Reason: "start: primary was up and first among the live", Definition: noise(-i, 16),
		}
		zone := name + ".example.com."
		r.Zones[zone] = failover.ZoneSerial{Zone: zone, Hash: noise(i, 32), Epoch: 1795346231, Serial: 1795346231}
	}
	data := (&Message{Format: 1, From: "ns1", Boot: 7, Seq: 1, Full: []*Report{r}}).encode()
	if size := share * len(data); size > MaxMessage {
		t.Errorf("a message of %d bytes, more than %d", size, MaxMessage)
	}
	if _, err := decode(data); err != nil {
		t.Error(err)
	}
}

// Reports that fill more than a megabyte reach the others.
func TestLargeReportArrives(t *testing.T) {
	p := newPlace(t, 2)
	a := p.start(0, nil)
	set := &zones.Set{}
	for i := range 30_000 {
		z := &zones.Zone{Name: fmt.Sprintf("zone-%d.example.com.", i)}
		copy(z.Hash[:], noise(i, 16))
		set.Zones = append(set.Zones, z)
	}
	if err := a.controller.Use(t.Context(), set); err != nil {
		t.Fatal(err)
	}
	b := p.start(1, nil)
	knows := func(zones int) bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		n := b.core.find("ns1")
		return n != nil && n.report != nil && len(n.report.Zones) == zones
	}
	comesTrue(t, "all zones are known", func() bool { return knows(len(set.Zones)) })
	if err := a.controller.Use(t.Context(), &zones.Set{Zones: set.Zones[:7]}); err != nil {
		t.Fatal(err)
	}
	comesTrue(t, "a large change is known", func() bool { return knows(7) })
}

// A report that waits to be written gives way to the next one for the same peer, and to nothing else.
func TestLaterReportTakesThePlace(t *testing.T) {
	c := newCourier()
	for _, o := range []Outgoing{
		{Peer: "a", Message: &Message{Seq: 1, Full: []*Report{{Name: "ns1"}}}}, {Peer: "b", Message: &Message{Seq: 2, Full: []*Report{{Name: "ns1"}}}},
		{Peer: "a", Message: &Message{Seq: 3, Full: []*Report{{Name: "ns2"}}}}, {Peer: "a", Message: &Message{Seq: 4, Delta: []*Delta{{Name: "ns1"}}}},
		{Peer: "a", Message: &Message{Seq: 5, Delta: []*Delta{{Name: "ns1"}}}}, {Peer: "a", Message: &Message{Seq: 6, Full: []*Report{{Name: "ns1"}}}},
	} {
		c.carry(o)
	}
	for _, want := range []uint64{6, 2, 3, 4, 5} {
		if o, ok := c.next(); !ok || o.Message.Seq != want {
			t.Fatalf("message %d (%t), want %d", o.Message.Seq, ok, want)
		}
	}
	if _, ok := c.next(); ok {
		t.Error("one is left over")
	}
}
