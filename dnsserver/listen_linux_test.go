package dnsserver

import (
	"encoding/binary"
	"log/slog"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"
)

// TestRoom: the smaller buffer counts, whichever it is, and both are as large as asked for where the kernel allows it.
func TestRoom(t *testing.T) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	for _, small := range []int{unix.SO_RCVBUF, unix.SO_SNDBUF} {
		enlarge(fd)
		before := room(fd)
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, small, 10_000); err != nil {
			t.Fatal(err)
		}
		if got := room(fd); got != 10_000 || before <= got {
			t.Errorf("option %d: room for %d octets, before %d; want 10,000 and more", small, got, before)
		}
	}
}

// TestFragments: routers are told to leave responses in one piece, unless they may be too large for some path.
func TestFragments(t *testing.T) {
	wire, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_UDP) // sees IPv4 headers
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(wire)
	if err := unix.SetsockoptTimeval(wire, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 20}); err != nil {
		t.Fatal(err)
	}
	query, _ := question("www.example.test. A").Pack()
	for size, want := range map[int]bool{512: true, wholeSize: true, wholeSize + 1: false, 4096: false} {
		s := runningOn(t, netip.MustParseAddrPort("127.0.0.1:0"), openUDP(slog.New(slog.DiscardHandler), size))
		s.live.Store(kindsSnapshot(t))
		exchangeAll(t, s.Addrs()[0], [][]byte{query})
		packet := make([]byte, 9000)
		for from := uint16(0); from != s.Addrs()[0].Port(); from = binary.BigEndian.Uint16(packet[20:]) {
			if n, err := unix.Read(wire, packet); err != nil || n < 28 {
				t.Fatalf("%d octets of the response seen: %v", n, err)
			}
		}
		if whole := packet[6]&0x40 != 0; whole != want {
			t.Errorf("responses of %d octets at most: don't fragment is %t", size, whole)
		}
	}
}
