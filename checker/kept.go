package checker

import (
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// kept is the connection that one probe leaves to the next one, for as long as the check's KeepAlive says at most. Of probes under
// way at once one has it; the others open their own.
//
// While it is idle it is read from, so that it serves as the target's watch as well: when its peer ends it, lost is told. It is the
// poller that reads, or where a connection cannot be polled a goroutine.
type kept struct {
	life  time.Duration
	lost  func()                                        // nil: nobody is told
	reply func(*keptConn, flight, []byte, error) answer // judges what comes on a connection that was asked
	told  func(flight, answer)                          // is given it

	mu     sync.Mutex
	idle   *keptConn
	asked  *keptConn // a request is under way on it, and no goroutine waits for the reply
	flight flight    // whose
	over   bool      // the target was removed
	losses int       // connections in a row that the peer ended while they were idle
}

// maxLosses is how many idle connections in a row a server may end until it counts as one that merely does not keep them.
const maxLosses = 3

// keptConn is a connection that has served a probe before. It is open while it is its kept's idle or asked.
//
// Where it cannot be polled, whatever its peer says next is read by a goroutine that began when it became idle, and handed to the
// probe that has taken it.
type keptConn struct {
	net.Conn
	kept  *kept
	until time.Time

	poller *poller // nil: it is not polled
	fd     int32

	ear  *ear   // where it cannot be
	rest []byte // heard, not read yet
	err  error  // what comes after
}

// ear is where a goroutine hears what a peer says.
type ear struct {
	first [1024]byte // what came first, mostly all of a reply
	heard chan chunk // holds at most one
	taken bool       // from heard
}

// chunk is what one Read brought.
type chunk struct {
	n   int
	err error
}

// take hands out the connection, with a deadline, unless there is none or its time is over.
func (k *kept) take(now, deadline time.Time) *keptConn {
	k.mu.Lock()
	defer k.mu.Unlock()
	l := k.idle
	k.idle = nil
	if l == nil {
		return nil
	}
	if now.After(l.until) {
		k.losses = 0
		l.Close()
		return nil
	}
	l.SetDeadline(deadline)
	return l
}

// put keeps a connection; false: it is not wanted. Connections that are opened at once do not end at once: a lifetime lies
// anywhere in the second half of what is allowed.
func (k *kept) put(conn net.Conn) bool {
	if conn.SetDeadline(time.Time{}) != nil {
		return false
	}
	l, known := conn.(*keptConn)
	if !known {
		l = &keptConn{Conn: conn, kept: k, until: time.Now().Add(k.life/2 + rand.N(k.life/2+1))}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.hold(l) {
		return false
	}
	if l.poll() {
		return true
	}
	if l.ear == nil {
		l.ear = &ear{heard: make(chan chunk, 1)}
	}
	l.ear.taken = false
	go k.listen(l)
	return true
}

// hold makes a connection the idle one, unless there is one or none is wanted.
func (k *kept) hold(l *keptConn) bool {
	if k.over || k.idle != nil {
		return false
	}
	k.idle, l.rest, l.err = l, nil, nil
	return true
}

// listen waits for what the peer says next: to the probe that has taken the line by then, if any.
func (k *kept) listen(l *keptConn) {
	n, err := l.Conn.Read(l.ear.first[:])
	k.mu.Lock()
	if k.idle == l {
		k.lose(l)
		return
	}
	k.mu.Unlock()
	l.ear.heard <- chunk{n, err}
}

// lose ends a connection that its peer has ended, or that has brought what nobody asked for, while it was idle. It
// frees mu.
func (k *kept) lose(l *keptConn) {
	k.idle = nil
	k.losses++
	tell := k.losses <= maxLosses && k.lost != nil
	k.mu.Unlock()
	l.Close()
	if tell {
		k.lost()
	}
}

// Close closes it, for good.
func (l *keptConn) Close() error {
	if l.poller != nil {
		l.poller.forget(l)
	}
	return l.Conn.Close()
}

// Read reads what has been heard first, then on.
func (l *keptConn) Read(b []byte) (int, error) {
	if l.ear != nil && !l.ear.taken {
		c := <-l.ear.heard
		l.rest, l.err, l.ear.taken = l.ear.first[:c.n], c.err, true
	}
	if len(l.rest) > 0 {
		n := copy(b, l.rest)
		l.rest = l.rest[n:]
		return n, nil
	}
	if l.err != nil {
		return 0, l.err
	}
	return l.Conn.Read(b)
}

// watches says that an idle connection is open whose end would tell of the target's: no other watch is needed.
func (k *kept) watches() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.idle != nil && k.losses < maxLosses
}

// opens says that connections are kept and none is there.
func (k *kept) opens() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.life > 0 && k.idle == nil
}

// end closes what is kept, for good.
func (k *kept) end() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.over = true
	if k.idle != nil {
		k.idle.Close()
		k.idle = nil
	}
	if k.asked != nil {
		k.asked.Close()
		k.asked = nil
		go k.told(k.flight, answer{Result: unclear("the target was removed")})
	}
}

// maxDrain bounds what is read of a body only to keep its connection, in bytes.
const maxDrain = 64 << 10

// ended reads the rest of a body, and says that it was short and whole.
func ended(body io.Reader) bool {
	n, err := io.Copy(io.Discard, io.LimitReader(body, maxDrain))
	return err == nil && n < maxDrain
}
