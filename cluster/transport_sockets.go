package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/memberlist"
)

// sockets is the network under the library. It is there because the library's own takes any number of connections and
// 20 MB from each before it knows whether the sender has the key.
type sockets struct {
	udp       *net.UDPConn
	tcp       *net.TCPListener
	advertise netip.AddrPort
	faults    *faultBook
	gate      *gate
	known     func(netip.Addr) bool

	packets        chan *memberlist.Packet
	streams        chan net.Conn
	sent, received atomic.Uint64 // bytes

	done  context.Context
	close context.CancelFunc
	loops sync.WaitGroup
	open  sync.Map // *stream → struct{}: what is closed at the end
}

const (
	dialPatience   = time.Second // also how often a peer behind a black hole is tried
	largestPacket  = 2048        // bytes; the library sends at most 1400
	udpBuffer      = 1 << 20     // bytes that the kernel keeps for us
	acceptMishap   = 50 * time.Millisecond
	strangePackets = 1000 // a second, from addresses that no peer has
)

var errClosed = errors.New("the cluster's sockets are closed")

// listen binds UDP and TCP. known tells whether a peer has an address.
func listen(at, advertise netip.AddrPort, known func(netip.Addr) bool, faults *faultBook) (*sockets, error) {
	tcp, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(at))
	if err != nil {
		return nil, fmt.Errorf("cluster: cannot listen: %w", err)
	}
	udp, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(at))
	if err != nil {
		tcp.Close()
		return nil, fmt.Errorf("cluster: cannot listen: %w", err)
	}
	udp.SetReadBuffer(udpBuffer) // what the kernel grants is enough
	s := &sockets{
		udp: udp, tcp: tcp, advertise: advertise, faults: faults, gate: newGate(), known: known,
		packets: make(chan *memberlist.Packet), streams: make(chan net.Conn),
	}
	s.done, s.close = context.WithCancel(context.Background())
	s.loops.Go(s.readPackets)
	s.loops.Go(s.accept)
	return s, nil
}

// readPackets takes datagrams until the socket is closed.
func (s *sockets) readPackets() {
	var strange budget
	buf := make([]byte, largestPacket+1)
	for {
		n, from, err := s.udp.ReadFromUDPAddrPort(buf)
		now := time.Now()
		if err != nil {
			if s.pause() {
				continue
			}
			return
		}
		s.received.Add(uint64(n))
		from = plain(from)
		switch {
		case n == 0:
			s.faults.add(Malformed, from.String(), "an empty datagram")
		case n > largestPacket:
			s.faults.add(Oversize, from.String(), fmt.Sprintf("a datagram of more than %d bytes", largestPacket))
		case !s.known(from.Addr()) && !strange.take(now, strangePackets):
			s.faults.add(Refused, from.String(), "too many datagrams from addresses that no peer has")
		default:
			s.hand(&memberlist.Packet{Buf: append([]byte(nil), buf[:n]...), From: net.UDPAddrFromAddrPort(from), Timestamp: now})
		}
	}
}

func (s *sockets) hand(p *memberlist.Packet) {
	select {
	case s.packets <- p:
	case <-s.done.Done():
	}
}

// pause waits after an error of a socket; false: it was closed.
func (s *sockets) pause() bool {
	select {
	case <-s.done.Done():
		return false
	case <-time.After(acceptMishap):
		return true
	}
}

// accept takes connections until the socket is closed.
func (s *sockets) accept() {
	for {
		conn, err := s.tcp.AcceptTCP()
		if err != nil {
			if s.pause() {
				continue
			}
			return
		}
		from := plain(conn.RemoteAddr().(*net.TCPAddr).AddrPort())
		peer := s.known(from.Addr())
		leave, ok := s.gate.enter(time.Now(), from.Addr(), peer)
		if !ok {
			conn.Close()
			s.faults.add(Refused, from.String(), "too many connections")
			continue
		}
		stream := s.guard(conn, peer, leave)
		s.loops.Go(func() { s.admit(stream) })
	}
}

// admit hands a connection to the library once it has said something. The library takes one that is closed without a word
// for noise, and that is how a peer's connection ends that was busy, or stopped.
func (s *sockets) admit(c *stream) {
	if s.done.Err() != nil || !c.speaks() {
		c.Close()
		return
	}
	select {
	case s.streams <- c:
	case <-s.done.Done():
		c.Close()
	}
}

// FinalAdvertiseAddr is asked by the library for what Advertise says.
func (s *sockets) FinalAdvertiseAddr(string, int) (net.IP, int, error) {
	return s.advertise.Addr().AsSlice(), int(s.advertise.Port()), nil
}

// WriteTo sends a datagram to an address with a port.
func (s *sockets) WriteTo(b []byte, addr string) (time.Time, error) {
	return s.WriteToAddress(b, memberlist.Address{Addr: addr})
}

// WriteToAddress sends a datagram.
func (s *sockets) WriteToAddress(b []byte, a memberlist.Address) (time.Time, error) {
	to, err := netip.ParseAddrPort(a.Addr)
	if err != nil {
		return time.Time{}, err
	}
	n, err := s.udp.WriteToUDPAddrPort(b, to)
	s.sent.Add(uint64(n))
	return time.Now(), err
}

// DialTimeout opens a connection to an address with a port.
func (s *sockets) DialTimeout(addr string, timeout time.Duration) (net.Conn, error) {
	return s.DialAddressTimeout(memberlist.Address{Addr: addr}, timeout)
}

// DialAddressTimeout opens a connection, which ends by itself after streamPatience: the library sends messages without
// a deadline, and a stopped process would keep them for ever.
func (s *sockets) DialAddressTimeout(a memberlist.Address, timeout time.Duration) (net.Conn, error) {
	dialer := net.Dialer{LocalAddr: s.source()}
	waiting, cancel := context.WithTimeout(s.done, min(timeout, dialPatience))
	defer cancel()
	conn, err := persist(waiting, func(ctx context.Context) (net.Conn, error) { return dialer.DialContext(ctx, "tcp", a.Addr) })
	if err != nil {
		return nil, err
	}
	guarded := s.guard(conn, true, func() {})
	if a.Name == "" { // a try to join: all else goes to a nameserver with a name
		guarded.end = time.Now().Add(tryPatience)
	}
	if s.done.Err() != nil {
		guarded.Close()
		return nil, errClosed
	}
	return guarded, guarded.SetDeadline(time.Now().Add(streamPatience))
}

// source is where connections come from: the address that is listened on, as datagrams do, so that on a host with several
// addresses the peer knows whose they are. Nil: the kernel chooses.
func (s *sockets) source() net.Addr {
	at := s.tcp.Addr().(*net.TCPAddr)
	if at.IP.IsUnspecified() {
		return nil
	}
	return &net.TCPAddr{IP: at.IP, Zone: at.Zone}
}

// PacketCh gives the library the datagrams that arrive.
func (s *sockets) PacketCh() <-chan *memberlist.Packet { return s.packets }

// StreamCh gives the library the connections that arrive.
func (s *sockets) StreamCh() <-chan net.Conn { return s.streams }

// Shutdown closes everything and waits until nothing is read any more.
func (s *sockets) Shutdown() error {
	s.close()
	err := errors.Join(s.udp.Close(), s.tcp.Close())
	s.open.Range(func(c, _ any) bool {
		c.(*stream).Close()
		return true
	})
	s.loops.Wait()
	return err
}
