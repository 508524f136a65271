package dnsserver

import (
	"log/slog"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/sys/unix"
)

func receiveBuffer(t *testing.T, b *batches) int {
	t.Helper()
	doubled, err := unix.GetsockoptInt(b.fd, unix.SOL_SOCKET, unix.SO_RCVBUF)
	if err != nil {
		t.Fatal(err)
	}
	return doubled / 2
}

// oneSocket is a server with one UDP socket.
func oneSocket(t *testing.T) (*Server, *batches) {
	t.Helper()
	s := running(t, nil, func(s *Server) {
		s.openUDP = func(network string, addr netip.AddrPort, _ int) ([]datagrams, error) {
			return openUDP(slog.New(slog.DiscardHandler), wholeSize)(network, addr, 1)
		}
	})
	return s, s.sockets[0].udp[0].(*batches)
}

// TestBacklog: a burst that finds room shortens nothing, however long it takes; what finds none for longer does, and only calm undoes it.
func TestBacklog(t *testing.T) {
	s, release := held(t, nil, paths["batches"], "127.0.0.1:0")
	defer release()
	of := theGate(s).datagrams.(*batches)
	conn := dialFromHost(t, nil, "", s.Addrs()[0])
	long := receiveBuffer(t, of)
	b, at := backlog{of: of}, testNow
	step := func(what string, datagrams, n, want int) {
		t.Helper()
		for range datagrams / n {
			b.received(n, func() time.Time { return at })
		}
		if got := receiveBuffer(t, of); got != want {
			t.Fatalf("%s: room for %d octets, want %d", what, got, want)
		}
	}
	refuse := func() { // nobody reads
		before := of.overflow()
		until(t, "a full buffer", func() bool {
			for range 1000 {
				_, _ = conn.Write(make([]byte, headerSize))
			}
			return of.overflow() > before
		})
	}
	step("twice what there is room for", 2*mostWaiting+2*batchSize, batchSize, long)
	step("its end", 1, 1, long)
	refuse()
	step("twice that again, after something was refused", 2*mostWaiting+2*batchSize, batchSize, long)
	step("its end", 1, 1, long)
	step("a run", mostWaiting, batchSize, long)
	refuse()
	step("of which something was refused", batchSize, batchSize, shortBuffer)
	at = at.Add(calm)
	step("a run that the short queue cannot hold", mostWaitingShort+batchSize, batchSize, shortBuffer)
	at = at.Add(calm)
	step("not calm for long", mostWaitingShort, batchSize, shortBuffer)
	at = at.Add(1)
	step("calm", 1, 1, long)
}

// TestOverloadShortensTheQueue: a server whose every answer brings two more queries is asked too much; once that ends, it has its room back.
func TestOverloadShortensTheQueue(t *testing.T) {
	s, b := oneSocket(t)
	s.Publish(publication(t, plainZone))
	flood := dialFromHost(t, nil, "", s.Addrs()[0])
	m := question("www.example.test. A")
	m.IsEdns0().Option = []dns.EDNS0{&dns.EDNS0_COOKIE{Code: dns.EDNS0COOKIE, Cookie: "0102030405060708"}} // has the server look at the time
	query, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	var feeds atomic.Bool
	feeds.Store(true)
	old := s.live.Load()
	fresh := *old.settings
	fresh.now = func() time.Time {
		if feeds.Load() {
			_, _ = flood.Write(query)
			_, _ = flood.Write(query)
		}
		return testNow
	}
	s.live.Store(old.withSettings(&fresh))
	long := receiveBuffer(t, b)
	if _, err := flood.Write(query); err != nil {
		t.Fatal(err)
	}
	until(t, "a short queue", func() bool { return receiveBuffer(t, b) == shortBuffer })
	feeds.Store(false)
	calm := dialFromHost(t, nil, "", s.Addrs()[0])
	until(t, "the room that it had", func() bool {
		answeredOver(t, calm)
		return receiveBuffer(t, b) == long
	})
}
