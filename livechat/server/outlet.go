package server

import (
	"context"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/livens/livens/livechat/frame"
)

// Limits of what waits for one client.
const (
	maxQueued      = 2048    // frames
	maxQueuedBytes = 1 << 20 // what many commits at once may bring an operator fits
	writeLimit     = 10 * time.Second
	closeLimit     = 2 * time.Second
)

// outlet is a client's connection, written by a goroutine of its own.
type outlet struct {
	conn   *websocket.Conn
	cancel context.CancelFunc // ends the connection's reader and writer

	mu     sync.Mutex
	change sync.Cond // of anything below
	queue  [][]byte
	bytes  int
	code   int // of the close; 0: open
	reason string
	gone   bool // the writer has ended
	cut    *time.Timer
}

func newOutlet(conn *websocket.Conn, cancel context.CancelFunc) *outlet {
	o := &outlet{conn: conn, cancel: cancel}
	o.change.L = &o.mu
	return o
}

func (o *outlet) full() bool { return len(o.queue) >= maxQueued || o.bytes >= maxQueuedBytes }

// Send queues a frame; a client for which too much waits is closed.
func (o *outlet) Send(data []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.full() {
		o.close(frame.Busy, "it reads too slowly")
		return
	}
	o.push(data)
}

// Wait queues a frame once there is room for it.
func (o *outlet) Wait(data []byte) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.full() && o.code == 0 && !o.gone {
		o.change.Wait()
	}
	o.push(data)
	return o.code == 0 && !o.gone
}

// push queues a frame while the connection is open. The lock must be held, as for close.
func (o *outlet) push(data []byte) {
	if o.code == 0 && !o.gone {
		o.queue = append(o.queue, data)
		o.bytes += len(data)
		o.change.Broadcast()
	}
}

// Close closes the connection after what is queued; what is too much for the client is not sent any more.
func (o *outlet) Close(code int, reason string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.close(code, reason)
}

func (o *outlet) close(code int, reason string) {
	if o.code != 0 || o.gone {
		return
	}
	o.code, o.reason = code, reason
	if code == frame.Busy {
		o.queue, o.bytes = nil, 0
	}
	// The reader, which is still there, sees the other side's answer; without one the connection is cut.
	o.cut = time.AfterFunc(closeLimit, func() { _ = o.conn.CloseNow() })
	o.change.Broadcast()
}

// run writes until the connection is closed or ctx is done, and then ends the connection.
func (o *outlet) run(ctx context.Context) {
	defer o.cancel()
	defer context.AfterFunc(ctx, o.end)()
	defer o.end()
	for {
		data, code, reason := o.next()
		switch {
		case data != nil:
			if o.write(ctx, data) != nil {
				_ = o.conn.CloseNow()
				return
			}
		case code != 0:
			_ = o.conn.Close(websocket.StatusCode(code), reason)
			return
		default:
			return
		}
	}
}

// next waits for a frame, or for the end: a code to close with, or nothing when the connection is gone.
func (o *outlet) next() (data []byte, code int, reason string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.queue) == 0 && o.code == 0 && !o.gone {
		o.change.Wait()
	}
	if len(o.queue) == 0 {
		return nil, o.code, o.reason
	}
	data, o.queue = o.queue[0], o.queue[1:]
	o.bytes -= len(data)
	if len(o.queue) == 0 {
		o.queue = nil // thousands of clients have nothing to wait for
	}
	o.change.Broadcast()
	return data, 0, ""
}

func (o *outlet) write(ctx context.Context, data []byte) error {
	ctx, cancel := context.WithTimeout(ctx, writeLimit)
	defer cancel()
	return o.conn.Write(ctx, websocket.MessageText, data)
}

// end wakes all that wait: the connection is gone.
func (o *outlet) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.gone, o.queue, o.bytes = true, nil, 0
	if o.cut != nil {
		o.cut.Stop()
	}
	o.change.Broadcast()
}
