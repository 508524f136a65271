package dnsserver

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"sync"
	"time"
)

const (
	maxMessage = 65535
	// firstBuffer holds the queries that a connection sends in one go; it grows for a longer one.
	firstBuffer = 2048
	// flushSize is from how many octets of responses on they are sent before more queries are answered.
	flushSize = 16384
	// acceptPause keeps a listener that only yields errors (no file descriptors left) from burning a core.
	acceptPause = 10 * time.Millisecond
)

// tcpMemory is what answering takes; a connection borrows it while it has queries to answer.
type tcpMemory struct {
	worker *worker
	out    []byte // responses with their length prefixes, not sent yet
}

// serveTCP accepts connections until ctx is done.
func (s *Server) serveTCP(ctx context.Context, listener *net.TCPListener) {
	memory := sync.Pool{New: func() any {
		return &tcpMemory{s.newWorker(s.shared), make([]byte, 0, flushSize+2+maxMessage)}
	}}
	for {
		conn, err := listener.AcceptTCP()
		if err != nil {
			if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return
			}
			s.shared.drops[dropReceive].Add(1)
			time.Sleep(acceptPause)
			continue
		}
		c := &connection{TCPConn: conn, idle: s.options.Config.TCPIdle, memory: &memory}
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

// serve answers the connection's queries in order until the client closes, stalls or breaks the framing.
//
// One deadline covers the wait for a query and all of its octets, so that a client that sends them one by one gains
// nothing; the other covers a response, so that one that does not read is left.
func (c *connection) serve() {
	from := peer{address: cookieAddress(c.client), tcp: true}
	buf := make([]byte, firstBuffer)
	have := 0
	for {
		if !c.await() {
			return
		}
		for !wholeMessage(buf[:have]) {
			if have >= 2 && len(buf) < 2+int(binary.BigEndian.Uint16(buf)) {
				buf = append(make([]byte, 0, 2+maxMessage), buf[:have]...)[:2+maxMessage]
			}
			n, err := c.Read(buf[have:])
			have += n
			if err != nil && !wholeMessage(buf[:have]) {
				return
			}
		}
		used, ok := c.answerAll(buf[:have], &from)
		if !ok {
			return
		}
		have = copy(buf, buf[used:have])
		if len(buf) > firstBuffer && have <= firstBuffer {
			buf = append(make([]byte, 0, firstBuffer), buf[:have]...)[:firstBuffer]
		}
	}
}

// wholeMessage reports whether buf begins with a message and its length. One shorter than a header counts: it ends the
// connection.
func wholeMessage(buf []byte) bool {
	return len(buf) >= 2 && len(buf) >= 2+int(binary.BigEndian.Uint16(buf))
}

// answerAll answers the whole messages in buf, and says how many octets they were; false ends the connection.
func (c *connection) answerAll(buf []byte, from *peer) (used int, ok bool) {
	m := c.memory.Get().(*tcpMemory)
	defer c.memory.Put(m)
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
func (c *connection) send(m *tcpMemory) bool {
	if len(m.out) == 0 {
		return true
	}
	c.beforeSend()
	_, err := c.Write(m.out)
	m.out = m.out[:0]
	if err != nil {
		m.worker.stats.drops[dropSend].Add(1)
	}
	return err == nil
}
