package peertest

import (
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// tapLimit bounds how long the server behind a tap may take for one answer.
const tapLimit = 5 * time.Second

// Tap stands in front of a nameserver and keeps what crosses the wire in both directions, unchanged.
type Tap struct {
	Addr   netip.AddrPort
	server netip.AddrPort

	mu   sync.Mutex
	seen []Exchange
}

// Exchange is one query and its reply.
type Exchange struct {
	TCP          bool
	Query, Reply *dns.Msg
}

// NewTap listens on addr (port 0: the kernel's choice), UDP and TCP, and hands every query on to server.
func NewTap(t testing.TB, addr, server netip.AddrPort) *Tap {
	t.Helper()
	if addr.Port() == 0 {
		addr = netip.AddrPortFrom(addr.Addr(), FreePort(t, addr.Addr()))
	}
	tap := &Tap{Addr: addr, server: server}
	udp, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(addr))
	if err != nil {
		t.Fatal(err)
	}
	tcp, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(addr))
	if err != nil {
		udp.Close()
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() { tap.serveUDP(udp, &running) })
	running.Go(func() { tap.serveTCP(tcp, &running) })
	t.Cleanup(func() {
		udp.Close()
		tcp.Close()
		running.Wait()
	})
	return tap
}

// Seen is what crossed the wire since the last call, in order of the replies.
func (tap *Tap) Seen() []Exchange {
	tap.mu.Lock()
	defer tap.mu.Unlock()
	seen := tap.seen
	tap.seen = nil
	return seen
}

func (tap *Tap) keep(tcp bool, query, reply []byte) {
	exchange := Exchange{TCP: tcp, Query: new(dns.Msg), Reply: new(dns.Msg)}
	// What cannot be read in full is kept as far as it can be: the tap does not judge.
	_, _ = exchange.Query.Unpack(query), exchange.Reply.Unpack(reply)
	tap.mu.Lock()
	defer tap.mu.Unlock()
	tap.seen = append(tap.seen, exchange)
}

func (tap *Tap) serveUDP(conn *net.UDPConn, running *sync.WaitGroup) {
	buf := make([]byte, 65535)
	for {
		n, client, err := conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			return // closed
		}
		query := slices.Clone(buf[:n])
		running.Go(func() {
			reply, err := tap.askUDP(query)
			if err != nil {
				return // silence, as the server's
			}
			tap.keep(false, query, reply)
			_, _ = conn.WriteToUDPAddrPort(reply, client)
		})
	}
}

func (tap *Tap) askUDP(query []byte) ([]byte, error) {
	conn, err := net.Dial("udp", tap.server.String())
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(tapLimit)); err != nil {
		return nil, err
	}
	if _, err := conn.Write(query); err != nil {
		return nil, err
	}
	reply := make([]byte, 65535)
	n, err := conn.Read(reply)
	return reply[:n], err
}

func (tap *Tap) serveTCP(listener *net.TCPListener, running *sync.WaitGroup) {
	for {
		client, err := listener.Accept()
		if err != nil {
			return // closed
		}
		running.Go(func() {
			defer client.Close()
			server, err := net.Dial("tcp", tap.server.String())
			if err != nil {
				return
			}
			defer server.Close()
			for tap.passTCP(client, server) {
			}
		})
	}
}

// passTCP hands on one query and its reply, and reports whether there may be another.
func (tap *Tap) passTCP(client, server net.Conn) bool {
	deadline := time.Now().Add(tapLimit)
	if client.SetDeadline(deadline) != nil || server.SetDeadline(deadline) != nil {
		return false
	}
	query, err := readFrame(client)
	if err != nil {
		return false
	}
	if _, err := server.Write(query); err != nil {
		return false
	}
	reply, err := readFrame(server)
	if err != nil {
		return false
	}
	tap.keep(true, query[2:], reply[2:])
	_, err = client.Write(reply)
	return err == nil
}

// readFrame reads one message with the two octets of length before it, and returns both.
func readFrame(r io.Reader) ([]byte, error) {
	size := make([]byte, 2)
	if _, err := io.ReadFull(r, size); err != nil {
		return nil, err
	}
	frame := append(size, make([]byte, binary.BigEndian.Uint16(size))...)
	_, err := io.ReadFull(r, frame[2:])
	return frame, err
}
