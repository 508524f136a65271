package web

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener of connections in memory, on which time can be faked.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	select {
	case <-p.closed:
	default:
		close(p.closed)
	}
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

func (p *pipes) dial() net.Conn {
	here, there := net.Pipe()
	p.conns <- there
	return here
}

// TestSlowClientsAreLetGo: whatever a client leaves undone, its connection ends in time. Who does not read either is told
// why he is let go for as long again.
func TestSlowClientsAreLetGo(t *testing.T) {
	const (
		told   = 2 * guestPatience
		goAway = time.Second // that HTTP/2 gives a client to read its farewell
	)
	const request = "GET /v1/pools/chat HTTP/1.1\r\nHost: x\r\n\r\n"
	for name, test := range map[string]struct {
		secure bool
		do     func(net.Conn)
		after  time.Duration
	}{
		"it says nothing":    {false, func(net.Conn) {}, guestPatience},
		"no handshake":       {true, func(net.Conn) {}, guestPatience},
		"half a handshake":   {true, func(c net.Conn) { _, _ = c.Write([]byte{22, 3, 1, 2, 0, 1}) }, guestPatience},
		"half a request":     {false, func(c net.Conn) { _, _ = io.WriteString(c, request[:30]) }, told},
		"a byte each second": {false, dribble("GET /v1/pools/chat HTTP/1.1\r\nX: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), told},
		"no body": {false, func(c net.Conn) {
			_, _ = io.WriteString(c, request[:len(request)-2]+"Content-Length: 9\r\n\r\n")
			readReply(c)
		}, 0},
		"it does not read": {false, func(c net.Conn) { _, _ = io.WriteString(c, request) }, guestPatience},
		"no next request":  {false, func(c net.Conn) { _, _ = io.WriteString(c, request); readReply(c) }, guestIdle},
		"TLS, and no request": {true, func(c net.Conn) {
			_ = tls.Client(c, &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12}).Handshake()
		}, told},
		"HTTP/2, and no request": {true, func(c net.Conn) {
			s := tls.Client(c, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
			go func() { _, _ = io.Copy(io.Discard, s) }()
			_, _ = io.WriteString(s, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")
		}, guestIdle + goAway},
		"HTTP/2, half a frame": {true, func(c net.Conn) {
			s := tls.Client(c, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
			go func() { _, _ = io.Copy(io.Discard, s) }()
			_, _ = io.WriteString(s, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00\xff\x01")
		}, guestIdle + goAway},
	} {
		t.Run(name, func(t *testing.T) {
			m, _ := sampleModerator(t)
			if test.secure {
				secured(t, m)
			}
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				l := &pipes{make(chan net.Conn), make(chan struct{})}
				done := make(chan error, 1)
				go func() { done <- m.Serve(ctx, l) }()
				began := time.Now()
				c := l.dial()
				go test.do(c)
				for open := 1; open > 0; open, _, _ = m.guests.Now() {
					time.Sleep(100 * time.Millisecond)
					if time.Since(began) > time.Minute {
						t.Fatal("its connection stays open")
					}
				}
				if took := time.Since(began); took > test.after+time.Second || took < test.after-time.Second {
					t.Errorf("it was let go after %v, want %v", took, test.after)
				}
				c.Close()
				cancel()
				if err := <-done; err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func dribble(text string) func(net.Conn) {
	return func(c net.Conn) {
		for i := range text {
			if _, err := c.Write([]byte{text[i]}); err != nil {
				return
			}
			time.Sleep(time.Second)
		}
	}
}

func readReply(c net.Conn) {
	buffer := make([]byte, 4096)
	for {
		if _, err := c.Read(buffer); err != nil {
			return
		}
	}
}
