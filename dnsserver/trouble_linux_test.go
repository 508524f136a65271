package dnsserver

import (
	"bytes"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/livens/livens/internal/lab"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sys/unix"
)

// paths are both ways that datagrams move.
var paths = map[string]opener{"batches": openUDP(slog.New(slog.DiscardHandler), wholeSize), "packets": openPackets}

// onBothPaths runs a test for each.
func onBothPaths(t *testing.T, test func(t *testing.T, open opener)) {
	for name, open := range paths {
		t.Run(name, func(t *testing.T) { test(t, open) })
	}
}

// held is a server on one UDP socket that nobody reads until release. It listens on a host of the lab; on this one, if that is nil.
func held(t *testing.T, host *lab.Host, open opener, addr string) (s *Server, release func()) {
	t.Helper()
	run := make(chan struct{})
	s = running(t, func(o *Options) { o.Listen = nil }, func(s *Server) {
		s.openUDP = func(network string, addr netip.AddrPort, _ int) ([]datagrams, error) {
			all, err := open(network, addr, 1)
			if err != nil {
				return nil, err
			}
			return []datagrams{&gate{all[0], run}}, nil
		}
		listen := func() error {
			s.options.Listen = []netip.AddrPort{netip.MustParseAddrPort(addr)}
			defer func() { s.options.Listen = nil }() // or it would be done again
			return s.Listen()
		}
		must(t, on(host, listen))
	})
	s.Publish(publication(t, plainZone))
	release = sync.OnceFunc(func() { close(run) })
	t.Cleanup(release)
	return s, release
}

// gate holds a reader until it is opened.
type gate struct {
	datagrams
	open chan struct{}
}

func (g *gate) serve(w *worker) {
	<-g.open
	g.datagrams.serve(w)
}

// set sets an option of the one UDP socket.
func (g *gate) set(t *testing.T, level, option, value int) {
	t.Helper()
	must(t, g.file(func(fd int) error { return unix.SetsockoptInt(fd, level, option, value) }))
}

// waiting: a datagram is there to be read.
func (g *gate) waiting(t *testing.T) (is bool) {
	t.Helper()
	must(t, g.file(func(fd int) error {
		n, err := unix.IoctlGetInt(fd, unix.SIOCINQ)
		is = n > 0
		return err
	}))
	return is
}

func (g *gate) file(f func(fd int) error) error {
	if d, ok := g.datagrams.(*batches); ok {
		return f(d.fd)
	}
	raw, err := g.datagrams.(*packets).conn.SyscallConn()
	if err != nil {
		return err
	}
	return control(raw, f)
}

func theGate(s *Server) *gate { return s.sockets[0].udp[0].(*gate) }

// metric is the sum of what the collector says under a name where a label has the value.
func metric(t *testing.T, s *Server, name, value string) (sum int) {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(s.Collector())
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.Metric {
			for _, label := range m.Label {
				if f.GetName() == name && label.GetValue() == value {
					sum += int(m.GetCounter().GetValue())
				}
			}
		}
	}
	return sum
}

func drops(t *testing.T, s *Server, reason string) int {
	t.Helper()
	return metric(t, s, "livens_dns_drops_total", reason)
}

// heard are the queries that came by UDP.
func heard(t *testing.T, s *Server) int {
	t.Helper()
	return metric(t, s, "livens_dns_queries_total", "udp")
}

// answeredOver asks until there is an answer, and says how often it asked.
func answeredOver(t *testing.T, conn net.Conn) (asked int) {
	t.Helper()
	query, _ := question("www.example.test. A").Pack()
	buf := make([]byte, 65535)
	until(t, "an answer", func() bool {
		conn.SetDeadline(time.Now().Add(200 * time.Millisecond))
		if _, err := conn.Write(query); err != nil {
			return false
		}
		asked++
		n, err := conn.Read(buf)
		return err == nil && n > len(query)
	})
	return asked
}

// dialFromHost makes a UDP socket on a host of the lab, on this one if that is nil; with an address of its own if that is not empty.
func dialFromHost(t *testing.T, host *lab.Host, from string, to netip.AddrPort) (conn net.Conn) {
	t.Helper()
	d := net.Dialer{}
	if from != "" {
		d.LocalAddr = net.UDPAddrFromAddrPort(netip.MustParseAddrPort(from))
	}
	must(t, on(host, func() (err error) {
		conn, err = d.Dial("udp", to.String())
		return err
	}))
	t.Cleanup(func() { conn.Close() })
	return conn
}

// on runs f on a host of the lab, or on this one if that is nil.
func on(host *lab.Host, f func() error) error {
	if host == nil {
		return f()
	}
	return host.Do(f)
}

// TestFullReceiveBuffer: what the kernel had no room for while the reader was busy is counted, by it; what it had is answered, and so is
// what comes next.
func TestFullReceiveBuffer(t *testing.T) {
	onBothPaths(t, func(t *testing.T, open opener) {
		s, release := held(t, nil, open, "127.0.0.1:0")
		theGate(s).set(t, unix.SOL_SOCKET, unix.SO_RCVBUF, 16384)
		conn := dialFromHost(t, nil, "", s.Addrs()[0])
		query, _ := question("www.example.test. A").Pack()
		const flood = 1000
		for range flood {
			conn.Write(query)
		}
		before := drops(t, s, "udp_overflow")
		release()
		sent := flood + answeredOver(t, conn)
		if _, counts := theGate(s).datagrams.(*batches); !counts {
			if n := heard(t, s); n < 1 || n >= sent {
				t.Errorf("%d of %d answered", n, sent)
			}
			return
		}
		if before == 0 {
			t.Error("nothing counted while the reader was held")
		}
		until(t, "all answered or counted", func() bool { return heard(t, s)+drops(t, s, "udp_overflow") == sent })
	})
}

// TestBadDatagrams, among good ones and in more than two batches: each is counted, as malformed or by its response code.
func TestBadDatagrams(t *testing.T) {
	good, _ := question("www.example.test. A").Pack()
	response := bytes.Clone(good)
	response[2] |= 0x80
	silent := [][]byte{nil, good[:1], good[:11], response}
	refused := [][]byte{good[:12], good[:len(good)-1], append(bytes.Clone(good), make([]byte, maxQuery)...), good[:20]}
	onBothPaths(t, func(t *testing.T, open opener) {
		s, release := held(t, nil, open, "127.0.0.1:0")
		conn := dialFromHost(t, nil, "", s.Addrs()[0])
		const rounds = batchSize
		for range rounds {
			for _, datagram := range slices.Concat(silent, refused, [][]byte{good}) {
				if _, err := conn.Write(datagram); err != nil {
					t.Fatal(err)
				}
			}
		}
		release()
		asked := answeredOver(t, conn)
		until(t, "all counted", func() bool {
			return drops(t, s, "malformed") == rounds*len(silent) && heard(t, s) == rounds*(len(refused)+1)+asked
		})
	})
}
