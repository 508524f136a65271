package peertest

import (
	"net/netip"
	"testing"

	"github.com/livens/livens/internal/process"
)

// Loopback is the address that peers listen on unless a test asks for another one of 127.0.0.0/8.
var Loopback = netip.AddrFrom4([4]byte{127, 0, 0, 1})

// FreePort finds a port that is free for UDP and TCP on every one of the addresses (Loopback when there is none). Should
// somebody else take it before it is used, Start tries another.
func FreePort(t testing.TB, addrs ...netip.Addr) uint16 {
	t.Helper()
	if len(addrs) == 0 {
		addrs = []netip.Addr{Loopback}
	}
	port, err := process.FreePort(addrs...)
	if err != nil {
		t.Fatal(err)
	}
	return port
}
