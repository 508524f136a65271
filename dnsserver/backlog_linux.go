package dnsserver

import (
	"time"

	"golang.org/x/sys/unix"
)

const (
	// shortBuffer is the room of a socket that is asked more than can be answered, in octets: some 300 small queries.
	shortBuffer = 128 << 10
	// No buffer holds more datagrams: the kernel doubles what it is told, and counts more than 512 octets for each.
	mostWaiting, mostWaitingShort = 2 * socketBuffer / 512, 2 * shortBuffer / 512
	// calm is how long the room stays small once the socket is not asked too much any more.
	calm = time.Second
)

// backlog keeps the queue of a socket short that is asked more than its reader can answer. Such a queue is always full: a long one saves no
// query, makes every answer late by a tenth of a second or more, and what waited in it is in no processor's cache any more.
//
// It is shortened once more was received in a run than the buffer holds, and the kernel had no room for more meanwhile. So nothing is refused
// of a burst that finds room.
type backlog struct {
	of      *batches
	short   bool
	run     int       // datagrams received since there were last no more
	refused uint64    // before the run
	over    time.Time // while short: when it was last asked too much
}

// received tells of n datagrams: all that there were, unless the batch is full.
func (b *backlog) received(n int, now func() time.Time) {
	switch {
	case n < batchSize:
		b.run = 0
	case b.run == 0:
		b.run, b.refused = n, b.of.overflow()
	default:
		b.run += n
	}
	switch {
	case b.short && b.run > mostWaitingShort:
		b.run, b.over = 0, now()
	case b.short && now().Sub(b.over) > calm:
		enlarge(b.of.fd)
		b.short = false
	case !b.short && b.run > mostWaiting:
		if b.run = 0; b.of.overflow() > b.refused {
			_ = unix.SetsockoptInt(b.of.fd, unix.SOL_SOCKET, unix.SO_RCVBUF, shortBuffer) // no more than it has, or than the system allows
			b.short, b.over = true, now()
		}
	}
}
