package dnsserver

import "golang.org/x/sys/unix"

const (
	// shortBuffer is the room of a socket that is asked more than can be answered, in octets: some 300 small queries.
	shortBuffer = 128 << 10
	// longBacklog is how many datagrams fit into a socket's buffer, at least: the kernel doubles what it is told, and counts more than 512
	// octets for each.
	longBacklog = 2 * socketBuffer / 512
	// calm is how many times in a row a socket was emptied once it is not asked too much any more.
	calm = 1000
)

// backlog keeps the queue of a socket short that is asked more than its reader can answer. Such a queue is always full: a long one saves no
// query, makes every answer late by a tenth of a second, and what waited in it is in no processor's cache any more.
//
// A burst that finds room is not cut off: the queue is shortened once more was received than the buffer holds and it was never empty in between.
type backlog struct {
	fd     int
	short  bool
	steady int // datagrams received, or if short times that the socket was emptied, in a row
}

// received tells of n datagrams: all that there were, unless the batch is full.
func (b *backlog) received(n int) {
	switch full := n == batchSize; {
	case full == b.short:
		b.steady = 0
	case full:
		if b.steady += n; b.steady > longBacklog {
			_ = unix.SetsockoptInt(b.fd, unix.SOL_SOCKET, unix.SO_RCVBUF, shortBuffer) // less than it has is always granted
			b.short, b.steady = true, 0
		}
	default:
		if b.steady++; b.steady > calm {
			enlarge(b.fd)
			b.short, b.steady = false, 0
		}
	}
}
