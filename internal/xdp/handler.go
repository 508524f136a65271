package xdp

import (
	"net/netip"
	"sync/atomic"
)

// Handler is what is done with the datagrams of one queue, by one goroutine.
type Handler struct {
	// Ahead is how many datagrams, at least 1, are handed to Read at most before Answer is called for each of them.
	Ahead int
	// Read takes the i-th payload, from 0 to Ahead-1. It does not change until it is answered.
	Read func(i int, query []byte, from netip.Addr)
	// Answer returns the reply to the i-th, which goes back where that came from; nil is none. The reply lies in dst, whose capacity is what
	// fits into one frame. All that were read are answered once, in order.
	Answer func(i int, dst []byte) []byte
	// Malformed counts datagrams that contradict themselves or that nobody can reply to, Unsent those for whose reply there was no room.
	Malformed, Unsent *atomic.Uint64
}
