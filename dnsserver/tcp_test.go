package dnsserver

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/miekg/dns"
)

func dialTCP(t *testing.T, s *Server) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", s.Addrs()[0].String())
	if err != nil {
		t.Fatal(err)
	}
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	t.Cleanup(func() { conn.Close() })
	return conn
}

func framed(t testing.TB, m *dns.Msg) []byte {
	t.Helper()
	query, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(query))), query...)
}

func readFramed(t testing.TB, conn net.Conn) *dns.Msg {
	t.Helper()
	c := dns.Conn{Conn: conn}
	m, err := c.ReadMsg()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// closedByServer reports whether the server ended the connection, and not the test's patience.
func closedByServer(conn net.Conn) bool {
	_, err := io.Copy(io.Discard, conn)
	return !errors.Is(err, os.ErrDeadlineExceeded)
}

// TestTCPPipelining: many queries in one write, in pieces that end anywhere; responses in order; RFC 7766 section 6.2.1.
func TestTCPPipelining(t *testing.T) {
	s := running(t, nil)
	s.Publish(publication(t, plainZone))
	conn := dialTCP(t, s)
	var stream []byte
	const n = 500
	for i := range n {
		m := question("www.example.test. A")
		m.Id = uint16(i)
		stream = append(stream, framed(t, m)...)
	}
	go func() {
		for len(stream) > 0 {
			size := min(len(stream), 777)
			conn.Write(stream[:size])
			stream = stream[size:]
		}
	}()
	for i := range n {
		if m := readFramed(t, conn); int(m.Id) != i || len(m.Answer) != 1 {
			t.Fatalf("response %d: %v", i, m)
		}
	}
}

// TestTCPLargeQuery: a message of 65535 octets is read like any other, and so is a small one behind it.
func TestTCPLargeQuery(t *testing.T) {
	s := running(t, nil)
	s.Publish(publication(t, plainZone))
	conn := dialTCP(t, s)
	m := question("www.example.test. A")
	query, _ := m.Pack()
	opt := m.IsEdns0()
	opt.Option = append(opt.Option, &dns.EDNS0_LOCAL{Code: 65001, Data: make([]byte, 65535-len(query)-4)})
	conn.Write(append(framed(t, m), framed(t, question("www.example.test. A"))...))
	for range 2 {
		if m := readFramed(t, conn); len(m.Answer) != 1 {
			t.Error(m)
		}
	}
}

// TestTCPBadFraming: what is shorter than a header, or a response, ends the connection.
func TestTCPBadFraming(t *testing.T) {
	s := running(t, nil)
	s.Publish(publication(t, plainZone))
	response := question("www.example.test. A")
	response.Response = true
	for name, data := range map[string][]byte{"empty": {0, 0}, "short": {0, 3, 1, 2, 3}, "response": framed(t, response)} {
		conn := dialTCP(t, s)
		conn.Write(append(framed(t, question("www.example.test. A")), data...))
		if m := readFramed(t, conn); len(m.Answer) != 1 {
			t.Errorf("%s: the good query before: %v", name, m)
		}
		if !closedByServer(conn) {
			t.Errorf("%s: the connection stays open", name)
		}
	}
}

// TestTCPIdle: a connection that says nothing, and one that sends its query octet by octet, end after the idle time.
func TestTCPIdle(t *testing.T) {
	s := running(t, func(o *Options) { o.Config.TCPIdle = 50 * time.Millisecond })
	silent, slow := dialTCP(t, s), dialTCP(t, s)
	octets := time.NewTicker(5 * time.Millisecond)
	defer octets.Stop()
	go func() {
		for range octets.C {
			if _, err := slow.Write([]byte{0xff}); err != nil {
				return
			}
		}
	}()
	if !closedByServer(silent) || !closedByServer(slow) {
		t.Error("still open")
	}
}

// TestTCPSlowReader: who does not read is left after the idle time, and holds nobody up meanwhile.
func TestTCPSlowReader(t *testing.T) {
	s := running(t, func(o *Options) { o.Config.TCPIdle = 2 * time.Second })
	pub := publication(t, plainZone)
	for i := range 200 {
		rr, _ := dns.NewRR(fmt.Sprintf("huge.example.test. 300 TXT %0240d", i))
		pub.Set.Zones[0].Records = append(pub.Set.Zones[0].Records, packed(t, rr))
	}
	s.Publish(pub)
	conn := dialTCP(t, s)
	query := framed(t, question("huge.example.test. TXT"))
	stuck := make(chan error, 1)
	go func() {
		for {
			if _, err := conn.Write(query); err != nil {
				stuck <- err
				return
			}
		}
	}()
	for range 50 {
		other := dialTCP(t, s)
		other.Write(framed(t, question("www.example.test. A")))
		if m := readFramed(t, other); len(m.Answer) != 1 {
			t.Fatal(m)
		}
		other.Close()
	}
	select {
	case <-stuck:
	case <-time.After(20 * time.Second):
		t.Error("a client that never reads is served for ever")
	}
}

// TestTCPPerClient: one address gets no more than its share; when one of its connections ends there is room again.
func TestTCPPerClient(t *testing.T) {
	s := running(t, func(o *Options) { o.Config.TCPPerClient = 2 })
	s.Publish(publication(t, plainZone))
	ask := func(conn net.Conn) bool {
		conn.Write(framed(t, question("www.example.test. A")))
		c := dns.Conn{Conn: conn}
		m, err := c.ReadMsg()
		return err == nil && len(m.Answer) == 1
	}
	first, second := dialTCP(t, s), dialTCP(t, s)
	if !ask(first) || !ask(second) {
		t.Fatal("not answered")
	}
	if ask(dialTCP(t, s)) {
		t.Error("a third connection is served")
	}
	if !ask(first) {
		t.Error("the first connection ended")
	}
	second.Close()
	for !ask(dialTCP(t, s)) { // the test's own time limit ends this
	}
	if got := s.shared.drops[dropRefused].Load(); got == 0 {
		t.Error("nothing counted")
	}
}

// TestTCPLimit: when all places are taken the idlest connection makes room.
func TestTCPLimit(t *testing.T) {
	s := running(t, func(o *Options) { o.Config.TCPLimit = 3 })
	s.Publish(publication(t, plainZone))
	var conns []net.Conn
	for i := range 4 {
		conn := dialTCP(t, s)
		conn.Write(framed(t, question("www.example.test. A")))
		if m := readFramed(t, conn); len(m.Answer) != 1 {
			t.Fatalf("connection %d: %v", i, m)
		}
		conns = append(conns, conn)
	}
	if !closedByServer(conns[0]) {
		t.Error("the idlest connection stays")
	}
	conns[3].Write(framed(t, question("www.example.test. A")))
	readFramed(t, conns[3])
	if open, evicted := s.tcp.open(), s.shared.drops[dropEvicted].Load(); open != 3 || evicted != 1 {
		t.Errorf("%d open, %d evicted", open, evicted)
	}
}

func TestClientKey(t *testing.T) {
	for in, want := range map[string]string{"192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "192.0.2.1",
		"2001:db8:1:2:3::4": "2001:db8:1:2::", "fe80::1%eth0": "fe80::"} {
		if got := clientKey(netip.MustParseAddr(in)); got.String() != want {
			t.Errorf("%s: %s", in, got)
		}
	}
}

// TestGracefulStop: what was read is answered; then Serve returns, although connections are open and one never reads.
func TestGracefulStop(t *testing.T) {
	s, err := New(Options{Config: testConfig(), Log: slog.New(slog.DiscardHandler), Listen: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	s.Publish(publication(t, plainZone))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx) }()
	conn := dialTCP(t, s)
	conn.Write(framed(t, question("www.example.test. A")))
	readFramed(t, conn)
	stuck := dialTCP(t, s)
	for query := framed(t, question("www.example.test. A")); ; { // until the server can send it no more
		stuck.SetWriteDeadline(time.Now().Add(200 * time.Millisecond))
		if _, err := stuck.Write(query); err != nil {
			break
		}
	}
	cancel()
	if !closedByServer(conn) {
		t.Error("connection stays open")
	}
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Error("Serve does not return")
	}
	if n := s.tcp.open(); n != 0 {
		t.Errorf("%d connections outlive Serve", n)
	}
	if _, err := net.Dial("tcp", s.Addrs()[0].String()); err == nil {
		t.Error("still listening")
	}
}

// TestStopEndsForAll: no client that takes its answers slowly moves the moment by which all connections are over.
func TestStopEndsForAll(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	client, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	accepted, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer accepted.Close()
	all := newConnections(10, 10)
	c := &connection{TCPConn: accepted.(*net.TCPConn), idle: time.Hour}
	if _, ok := all.admit(c); !ok {
		t.Fatal("not admitted")
	}
	c.beforeSend()
	if _, err := c.Write([]byte("x")); err != nil {
		t.Errorf("before stop: %v", err)
	}
	all.stop()
	over := all.end.Load().Add(-time.Hour)
	all.end.Store(&over)
	c.beforeSend()
	if _, err := c.Write([]byte("x")); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("after the end: %v", err)
	}
}
