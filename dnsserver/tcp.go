package dnsserver

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"
)

const (
	maxMessage = 65535
	// ownBuffer holds the queries that a connection sends in one go; for a longer one it borrows more.
	ownBuffer = 2048
	// flushSize is from how many octets of responses on they are sent before more queries are answered.
	flushSize = 16384
	// acceptPause keeps a listener that only yields errors (no file descriptors left) from burning a core.
	acceptPause = 10 * time.Millisecond
)

// lender has what connections borrow while they need it, so that idle ones hold little and a query allocates nothing.
type lender struct {
	answering sync.Pool // of *answering
	large     sync.Pool // of *[2 + maxMessage]byte
}

// answering is what answering takes; a connection borrows it while it has queries to answer.
type answering struct {
	worker *worker
	out    []byte // responses with their length prefixes, not sent yet
}

func (s *Server) newLender() *lender {
	return &lender{
		answering: sync.Pool{New: func() any { return &answering{s.newWorker(s.shared), make([]byte, 0, flushSize+2+maxMessage)} }},
		large:     sync.Pool{New: func() any { return new([2 + maxMessage]byte) }},
	}
}

// serveTCP accepts connections until ctx is done.
func (s *Server) serveTCP(ctx context.Context, listener *net.TCPListener) {
	lent := s.newLender()
	for {
		conn, err := listener.AcceptTCP()
		if err != nil {
			if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return
			}
			s.shared.drops[dropReceive].Add(1)
			if outOfFiles(err) && s.tcp.makeRoom() {
				s.shared.drops[dropEvicted].Add(1)
			}
			time.Sleep(acceptPause)
			continue
		}
		c := &connection{TCPConn: conn, idle: s.options.Config.TCPIdle, lent: lent, stats: s.shared}
		evicted, ok := s.tcp.admit(c)
		if evicted {
			s.shared.drops[dropEvicted].Add(1)
		}
		if !ok {
			s.shared.drops[dropRefused].Add(1)
			conn.Close()
			continue
		}
		go func() {
			defer s.tcp.leave(c)
			defer conn.Close()
			c.serve()
		}()
	}
}

// outOfFiles: the process, or the system, has as many files open as it may.
func outOfFiles(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}

// serve answers the connection's queries until the client closes, stalls or breaks the framing.
//
// Responses come in the order of the queries. They may come in any (RFC 7766 section 7), and clients must tell them apart
// by id and question; but no query waits for anything here, so that another order would make none earlier.
//
// One deadline covers the wait for a query and all of its octets, so that a client that sends them one by one gains
// nothing; the other covers a response, so that one that does not read is left.
func (c *connection) serve() {
	from := peer{address: c.client, tcp: true}
	in := inbox{lent: c.lent}
	defer in.giveBack()
	for c.await() && c.receive(&in) {
		full := in.have == len(in.buf())
		used, ok := c.answerAll(in.buf()[:in.have], from)
		if !ok {
			return
		}
		in.drop(used)
		if full { // there is more, probably: the others first, or this one would have its processor for 10 ms at a time
			runtime.Gosched()
		}
	}
}

// receive reads until there is a whole message.
func (c *connection) receive(in *inbox) bool {
	for !wholeMessage(in.buf()[:in.have]) {
		in.makeRoom()
		n, err := c.Read(in.buf()[in.have:])
		in.have += n
		if err != nil && !wholeMessage(in.buf()[:in.have]) {
			if in.have > 0 && c.late(err) {
				c.stats.drops[dropStalled].Add(1)
			}
			return false
		}
	}
	return true
}

// late: a deadline that was the client's to keep has passed, here or in the kernel (limitUnread).
func (c *connection) late(err error) bool {
	return (errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, syscall.ETIMEDOUT)) && c.owner.end.Load() == nil
}

// wholeMessage reports whether buf begins with a message and its length. One shorter than a header counts: it ends the
// connection.
func wholeMessage(buf []byte) bool {
	return len(buf) >= 2 && len(buf) >= 2+int(binary.BigEndian.Uint16(buf))
}

// answerAll answers the whole messages in buf, and says how many octets they were; false ends the connection.
func (c *connection) answerAll(buf []byte, from peer) (used int, ok bool) {
	m := c.lent.answering.Get().(*answering)
	defer c.lent.answering.Put(m)
	m.out = m.out[:0]
	for wholeMessage(buf[used:]) {
		size := int(binary.BigEndian.Uint16(buf[used:]))
		query := buf[used+2 : used+2+size]
		used += 2 + size
		at := len(m.out)
		response := m.worker.handle(m.out[at+2:at+2:cap(m.out)], query, from)
		if response == nil { // no query: whoever sends such a thing is out of step
			c.send(m)
			return used, false
		}
		m.out = m.out[:at+2+len(response)]
		binary.BigEndian.PutUint16(m.out[at:], uint16(len(response)))
		if len(m.out) >= flushSize && !c.send(m) {
			return used, false
		}
	}
	return used, c.send(m)
}

// send writes the responses gathered.
func (c *connection) send(m *answering) bool {
	if len(m.out) == 0 {
		return true
	}
	c.beforeSend()
	_, err := c.Write(m.out)
	m.out = m.out[:0]
	switch {
	case err == nil:
		return true
	case c.late(err):
		c.stats.drops[dropStalled].Add(1)
		c.SetLinger(0) // what it did not take is not kept for it
	case !errors.Is(err, net.ErrClosed): // which it is once it gave way to another
		c.stats.drops[dropSend].Add(1)
	}
	return false
}
