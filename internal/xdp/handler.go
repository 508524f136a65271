package xdp

import (
	"net/netip"
	"sync/atomic"
)

// Handler is what is done with the datagrams of one queue, by one goroutine.
type Handler struct {
	// Answer returns the reply to a datagram's payload, which goes back where it came from; nil is none. The reply lies in dst, whose
	// capacity is what fits into one frame.
	Answer func(dst, query []byte, from netip.Addr) []byte
	// Malformed counts datagrams that contradict themselves or that nobody can reply to, Unsent those for whose reply there was no room.
	Malformed, Unsent *atomic.Uint64
}
