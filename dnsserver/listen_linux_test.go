package dnsserver

import (
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
