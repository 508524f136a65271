package drill_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// relay is the path between browsers and one deployment: a listener of its own, whose faults neither end is told of.
type relay struct {
	listener net.Listener
	dial     func() (net.Conn, error) // the far end of a new connection

	mu      sync.Mutex
	changed *sync.Cond
	fault   fault
	ended   bool
	conns   map[net.Conn]bool
}

// fault is what a path does besides passing bytes on. The zero value is a good path.
type fault struct {
	stalled  bool                    // bytes, closes and new connections wait, both ways: until it ends, a black hole
	refusing bool                    // new connections are reset
	delay    time.Duration           // each way
	upgrade  int                     // new WebSockets are answered with this status
	withhold func(frame []byte) bool // frames to the browser that are dropped
}

// newRelay begins one on a port that the kernel chooses; it ends with the test.
func newRelay(t testing.TB, dial func() (net.Conn, error)) *relay {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return relayOn(t, listener, dial)
}

func relayOn(t testing.TB, listener net.Listener, dial func() (net.Conn, error)) *relay {
	r := &relay{listener: listener, dial: dial, conns: map[net.Conn]bool{}}
	r.changed = sync.NewCond(&r.mu)
	t.Cleanup(r.end)
	go r.run()
	return r
}

// dialTo is a dial to an address that does not change.
func dialTo(addr string) func() (net.Conn, error) {
	return func() (net.Conn, error) { return dialTCP(addr) }
}

func (r *relay) addr() string { return r.listener.Addr().String() }

// set puts a fault in the place of what was.
func (r *relay) set(f fault) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fault = f
	r.changed.Broadcast()
}

// lead has new connections go elsewhere, breaks the open ones, and returns where they went before.
func (r *relay) lead(dial func() (net.Conn, error)) (was func() (net.Conn, error)) {
	r.mu.Lock()
	was, r.dial = r.dial, dial
	r.mu.Unlock()
	r.reset()
	return was
}

func (r *relay) heal() { r.set(fault{}) }

// reset breaks all connections that are open now, as a router does that has lost its state.
func (r *relay) reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for conn := range r.conns {
		abort(conn)
	}
}

func (r *relay) end() {
	r.listener.Close()
	r.mu.Lock()
	r.ended = true
	r.fault = fault{}
	r.changed.Broadcast()
	r.mu.Unlock()
	r.reset()
}

// abort closes so that the other end is told of an error.
func abort(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // an error means that it is closed already
	}
	conn.Close()
}

// now is the fault in force once the path does not stall.
func (r *relay) now() fault {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.fault.stalled {
		r.changed.Wait()
	}
	return r.fault
}

func (r *relay) run() {
	for {
		conn, err := r.listener.Accept()
		if err != nil {
			return
		}
		go r.serve(conn)
	}
}

// keep has reset know a connection, until it is dropped.
func (r *relay) keep(conn net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.ended {
		r.conns[conn] = true
	}
	return !r.ended
}

// drop closes a connection, once the path does not stall: until then nobody is told.
func (r *relay) drop(conn net.Conn, close func(net.Conn)) {
	r.now()
	close(conn)
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.conns, conn)
}

func hangUp(conn net.Conn) { conn.Close() }

func (r *relay) serve(browser net.Conn) {
	if !r.keep(browser) {
		abort(browser)
		return
	}
	if err := r.join(browser); err != nil {
		r.drop(browser, abort)
		return
	}
	r.drop(browser, hangUp)
}

// join answers as the fault says, or joins the browser with the deployment until either hangs up. An error resets the
// browser's connection.
func (r *relay) join(browser net.Conn) error {
	if r.now().refusing {
		return errors.New("refused")
	}
	in := bufio.NewReader(browser)
	head, err := readHead(in)
	if err != nil {
		return err
	}
	f := r.now()
	upgrade := bytes.Contains(bytes.ToLower(head), []byte("\r\nupgrade: websocket"))
	if upgrade && f.upgrade != 0 {
		_, err := fmt.Fprintf(browser, "HTTP/1.1 %d Drill\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", f.upgrade)
		return err
	}
	r.mu.Lock()
	dial := r.dial
	r.mu.Unlock()
	server, err := dial()
	if err != nil {
		return err
	}
	if !r.keep(server) {
		abort(server)
		return nil
	}
	defer r.drop(server, hangUp)
	go func() {
		r.pass(server, io.MultiReader(bytes.NewReader(withoutExtensions(head)), in))
		r.drop(server, hangUp)
	}()
	return r.back(browser, bufio.NewReader(server), upgrade)
}

// back passes what the deployment says: frame by frame, once the WebSocket is open.
func (r *relay) back(browser net.Conn, out *bufio.Reader, upgrade bool) error {
	if !upgrade {
		r.pass(browser, out)
		return nil
	}
	head, err := readHead(out)
	if err != nil {
		return err
	}
	frames, written := io.Pipe()
	go func() {
		_, err := written.Write(head)
		for err == nil {
			var frame []byte
			if frame, err = readFrame(out); err == nil && !r.withheld(frame) {
				_, err = written.Write(frame)
			}
		}
		written.CloseWithError(io.EOF)
	}()
	r.pass(browser, frames)
	frames.Close()
	return nil
}

func (r *relay) withheld(frame []byte) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.fault.withhold != nil && r.fault.withhold(frame)
}

// pass copies until either end is done, each piece as late as the fault says.
func (r *relay) pass(to io.Writer, from io.Reader) {
	type piece struct {
		data []byte
		due  time.Time
	}
	pieces, done := make(chan piece, 256), make(chan struct{})
	defer close(done)
	go func() {
		defer close(pieces)
		for {
			data := make([]byte, 16<<10)
			n, err := from.Read(data)
			r.mu.Lock()
			due := time.Now().Add(r.fault.delay)
			r.mu.Unlock()
			select {
			case pieces <- piece{data[:n], due}:
			case <-done:
				return
			}
			if err != nil {
				return
			}
		}
	}()
	for p := range pieces {
		time.Sleep(time.Until(p.due))
		r.now()
		if _, err := to.Write(p.data); err != nil {
			return
		}
	}
}
