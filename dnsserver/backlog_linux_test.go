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

func receiveBuffer(t *testing.T, fd int) int {
	t.Helper()
	doubled, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF)
	if err != nil {
		t.Fatal(err)
	}
	return doubled / 2
}

// TestBacklog: a burst that the buffer can hold shortens nothing, one batch more does, and only calm undoes it.
func TestBacklog(t *testing.T) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	enlarge(fd)
	long := receiveBuffer(t, fd)
	b := backlog{fd: fd}
	step := func(what string, times, n, want int) {
		t.Helper()
		for range times {
			b.received(n)
		}
		if got := receiveBuffer(t, fd); got != want {
			t.Fatalf("%s: room for %d octets, want %d", what, got, want)
		}
	}
	const burst = longBacklog / batchSize
	step("a burst", burst, batchSize, long)
	step("its end", 1, batchSize-1, long)
	step("another burst", burst, batchSize, long)
	step("more than a burst", 1, batchSize, shortBuffer)
	step("more of the same", 2*burst, batchSize, shortBuffer)
	step("nearly calm", calm, 1, shortBuffer)
	step("not calm after all", 1, batchSize, shortBuffer)
	step("nearly calm again", calm, batchSize-1, shortBuffer)
	step("calm", 1, 1, long)
	step("another burst", burst, batchSize, long)
}

// TestOverloadShortensTheQueue: a server whose every answer brings two more queries is asked too much; once that ends, it has its room back.
func TestOverloadShortensTheQueue(t *testing.T) {
	s := running(t, nil, func(s *Server) {
		s.openUDP = func(network string, addr netip.AddrPort, _ int) ([]datagrams, error) {
			return openUDP(slog.New(slog.DiscardHandler))(network, addr, 1)
		}
	})
	s.Publish(publication(t, plainZone))
	conn := dialFromHost(t, nil, "", s.Addrs()[0])
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
			_, _ = conn.Write(query)
			_, _ = conn.Write(query)
		}
		return testNow
	}
	s.live.Store(old.withSettings(&fresh))
	fd := s.sockets[0].udp[0].(*batches).fd
	long := receiveBuffer(t, fd)
	if _, err := conn.Write(query); err != nil {
		t.Fatal(err)
	}
	until(t, "a short queue", func() bool { return receiveBuffer(t, fd) == shortBuffer })
	feeds.Store(false)
	until(t, "the room that it had", func() bool {
		for range 100 {
			answeredOver(t, conn)
		}
		return receiveBuffer(t, fd) == long
	})
}
