package checker

import (
	"io"
	"net"
	"sync"
	"time"
)

// kept is the connection that one probe leaves to the next one, for as long as the check's KeepAlive says. Of probes under way at
// once one has it; the others open their own.
type kept struct {
	mu    sync.Mutex
	conn  net.Conn
	born  time.Time
	until time.Time
	over  bool // the target was removed
}

// take hands out the connection, unless there is none or its time is over.
func (k *kept) take(now time.Time) (net.Conn, time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	conn := k.conn
	k.conn = nil
	if conn != nil && now.After(k.until) {
		conn.Close()
		conn = nil
	}
	return conn, k.born
}

// put keeps a connection that was opened at born, now where that is zero; false: it is not wanted.
func (k *kept) put(conn net.Conn, born time.Time, life time.Duration) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.over || k.conn != nil {
		return false
	}
	if born.IsZero() {
		born = time.Now()
	}
	k.conn, k.born, k.until = conn, born, born.Add(life)
	return true
}

// end closes what is kept, for good.
func (k *kept) end() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.over = true
	if k.conn != nil {
		k.conn.Close()
		k.conn = nil
	}
}

// maxDrain bounds what is read of a body only to keep its connection, in bytes.
const maxDrain = 64 << 10

// ended reads the rest of a body, and says that it was short and whole.
func ended(body io.Reader) bool {
	n, err := io.Copy(io.Discard, io.LimitReader(body, maxDrain))
	return err == nil && n < maxDrain
}
