package rig

import (
	"net/netip"
	"os"
	"sync/atomic"
)

// chosen counts the addresses of this process.
var chosen atomic.Uint32

// Loopback is a loopback address that nobody else in this process has, nor, nearly always, in one beside it, and nor the address after it: what is dialled or
// listened on at 127.0.0.1 meanwhile takes none of its ports, so that one that was free stays free, also while its process is down.
func Loopback() netip.Addr {
	n := chosen.Add(1)
	return netip.AddrFrom4([4]byte{127, byte(1 + os.Getpid()%200), byte(n), byte(1 + n>>8<<1)})
}
