package dnsserver

import (
	"bytes"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/livens/livens/failover"
)

// BenchmarkSwitchOverSocket is a decision that changes while a million records are loaded: the time from there to the end of
// the first query over UDP that is answered by it.
func BenchmarkSwitchOverSocket(b *testing.B) {
	pub := million(b)
	s := running(b, nil)
	s.Publish(pub)
	conn, err := net.Dial("udp", s.Addrs()[0].String())
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	query, err := question("pool.example.test. A").Pack()
	if err != nil {
		b.Fatal(err)
	}
	answer := make([]byte, 4096)
	var took []time.Duration
	for i := 0; b.Loop(); i++ {
		address := netip.AddrFrom4([4]byte{203, 0, 113, byte(i)})
		decided := *pub.Decisions["chat"]
		decided.Epoch++
		decided.Addresses = []netip.Addr{address}
		next := pub
		next.Decisions = map[string]*failover.Decision{"chat": &decided}
		begin := time.Now()
		s.Publish(next)
		for n := 0; !bytes.Contains(answer[:n], address.AsSlice()); {
			if _, err := conn.Write(query); err != nil {
				b.Fatal(err)
			}
			if n, err = conn.Read(answer); err != nil {
				b.Fatal(err)
			}
		}
		took = append(took, time.Since(begin))
		pub = next
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "µs-median")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "µs-99th")
}
