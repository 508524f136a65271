package dnsserver

import (
	"bytes"
	"log/slog"
	"net"
	"net/netip"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// TestBothPathsAnswerAlike, byte for byte: all kinds of queries, whole, malformed, cut short and too long, in bursts of more than a batch.
func TestBothPathsAnswerAlike(t *testing.T) {
	burst := append(fuzzSeeds(t), nil, make([]byte, maxQuery+1), bytes.Repeat([]byte{0, 1}, maxQuery/2))
	long := append(make([]byte, 0, 5000), fuzzSeeds(t)[0]...)
	burst = append(burst, long[:maxQuery], long[:5000])
	if burst = append(burst, burst...); len(burst) <= 2*batchSize {
		t.Fatalf("%d queries are not two full batches", len(burst))
	}
	for _, host := range []string{"127.0.0.1", "::1", "0.0.0.0", "::"} {
		answers := map[string][][]byte{}
		frozen := *kindsSnapshot(t).settings
		frozen.now = func() time.Time { return time.Unix(1_780_000_000, 0) }
		for name, open := range map[string]opener{"batches": openUDP(slog.New(slog.DiscardHandler), wholeSize), "packets": openPackets} {
			s := runningOn(t, netip.AddrPortFrom(netip.MustParseAddr(host), 0), open)
			s.live.Store(kindsSnapshot(t).withSettings(&frozen))
			answers[name] = exchangeAll(t, s.Addrs()[0], burst)
		}
		if got, want := len(answers["batches"]), len(answers["packets"]); got != want || got < len(burst)/2 {
			t.Fatalf("%s: %d and %d responses", host, got, want)
		}
		for i, want := range answers["packets"] {
			if !bytes.Equal(answers["batches"][i], want) {
				t.Errorf("%s: response %d\n%x, one by one\n%x", host, i, answers["batches"][i], want)
			}
		}
	}
}

// runningOn is running with an opener for one reader, so that responses keep the order of their queries.
func runningOn(t *testing.T, addr netip.AddrPort, open opener) *Server {
	return running(t, func(o *Options) { o.Listen = []netip.AddrPort{addr} }, func(s *Server) {
		s.openUDP = func(network string, addr netip.AddrPort, _ int) ([]datagrams, error) { return open(network, addr, 1) }
	})
}

// exchangeAll is exchangeOver to an address of this host.
func exchangeAll(t *testing.T, to netip.AddrPort, queries [][]byte) (responses [][]byte) {
	t.Helper()
	if to.Addr().IsUnspecified() {
		loopback := netip.IPv6Loopback()
		if to.Addr().Is4() {
			loopback = netip.MustParseAddr("127.0.0.1")
		}
		to = netip.AddrPortFrom(loopback, to.Port())
	}
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return exchangeOver(t, conn, queries)
}

// exchangeOver sends all queries at once, and a last one by which it knows the end of the responses.
func exchangeOver(t *testing.T, conn *net.UDPConn, queries [][]byte) (responses [][]byte) {
	t.Helper()
	conn.SetReadBuffer(4 << 20)
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	end := question("www.example.test. A")
	end.Id = 0xeeee
	last, _ := end.Pack()
	for _, query := range append(queries[:len(queries):len(queries)], last) {
		if _, err := conn.Write(query); err != nil {
			t.Fatal(err)
		}
	}
	buf := make([]byte, 65535)
	for {
		n, err := conn.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		if buf[0] == 0xee && buf[1] == 0xee {
			return responses
		}
		responses = append(responses, bytes.Clone(buf[:n]))
	}
}

// TestOneResponseThatCannotBeSent costs none of its batch.
func TestOneResponseThatCannotBeSent(t *testing.T) {
	client, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0")))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	open, err := openUDP(slog.New(slog.DiscardHandler), wholeSize)("udp4", netip.MustParseAddrPort("127.0.0.1:0"), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer open[0].close()
	port := client.LocalAddr().(*net.UDPAddr).AddrPort().Port()
	m := newBatch(false)
	for i := range 5 {
		sa := (*unix.RawSockaddrInet4)(unsafe.Pointer(&m.senders[i]))
		*sa = unix.RawSockaddrInet4{Family: unix.AF_INET, Port: port<<8 | port>>8, Addr: [4]byte{127, 0, 0, 1}}
		if i%2 == 1 {
			sa.Port = 0 // nobody can be sent anything there
		}
		out := &m.out[i].header
		out.Name, out.Namelen = (*byte)(unsafe.Pointer(sa)), unix.SizeofSockaddrInet4
		m.responses[i].Base = &[]byte{byte('0' + i)}[0]
		m.responses[i].SetLen(1)
	}
	if n := m.send(open[0].(*batches).fd, 5); n != 2 {
		t.Errorf("%d dropped, not 2", n)
	}
	client.SetDeadline(time.Now().Add(20 * time.Second))
	buf := make([]byte, 16)
	for _, want := range []string{"0", "2", "4"} {
		if n, err := client.Read(buf); err != nil || string(buf[:n]) != want {
			t.Errorf("got %q, %v, want %q", buf[:n], err, want)
		}
	}
}
