package dnsserver

import (
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

const (
	// maxQuery is the longest query over UDP, for no EDNS size that this server names allows for more (RFC 6891 section 6.2.3).
	// One octet more is read, which tells what is longer: it is malformed.
	maxQuery = 4096
	// maxResponse is the largest response over UDP that can be configured.
	maxResponse = 4096
	// receivePause keeps a socket that only yields errors from burning a core.
	receivePause = 10 * time.Millisecond
	// sendPatience is for how long a response waits for room in the socket's buffer, one by one.
	sendPatience = 10 * time.Millisecond
)

// packets move datagrams one by one, on any system: one socket that all readers read.
type packets struct {
	conn     *net.UDPConn
	wildcard bool
	v6       bool
	stopped  atomic.Bool
}

// leastBuffer is no more than any system gives of itself.
const leastBuffer = 32 << 10

// openPackets is an opener.
func openPackets(network string, addr netip.AddrPort, readers int) ([]datagrams, error) {
	conn, err := net.ListenUDP(network, net.UDPAddrFromAddrPort(addr))
	if err != nil {
		return nil, err
	}
	for _, set := range []func(int) error{conn.SetReadBuffer, conn.SetWriteBuffer} { // as much as is allowed: BSDs refuse more, Linux cuts it off
		for size := socketBuffer; size >= leastBuffer && set(size) != nil; size /= 2 {
		}
	}
	p := &packets{conn: conn, wildcard: addr.Addr().IsUnspecified(), v6: addr.Addr().Is6()}
	all := make([]datagrams, readers)
	for i := range all {
		all[i] = p
	}
	return all, nil
}

func (p *packets) serve(w *worker) {
	query, response := make([]byte, maxQuery+1), make([]byte, maxResponse)
	receive, send := p.plain()
	switch {
	case p.wildcard && p.v6:
		receive, send = p.asked6()
	case p.wildcard:
		receive, send = p.asked4()
	}
	for !p.stopped.Load() {
		n, addr, err := receive(query)
		if err != nil {
			if !p.stopped.Load() {
				w.stats.drops[dropReceive].Add(1)
				time.Sleep(receivePause)
			}
			continue
		}
		out := w.handle(response, query[:n], peer{address: addr.AddrPort().Addr()})
		if out == nil {
			continue
		}
		p.conn.SetWriteDeadline(time.Now().Add(sendPatience))
		if send(out, addr) != nil {
			w.stats.drops[dropSend].Add(1)
		}
	}
}

// How one reader receives and sends: where the reply must leave from the address that was asked, they share that.
type (
	receiving func(buf []byte) (int, *net.UDPAddr, error)
	sending   func(response []byte, to *net.UDPAddr) error
)

func (p *packets) plain() (receiving, sending) {
	return p.conn.ReadFromUDP, func(response []byte, to *net.UDPAddr) error {
		_, err := p.conn.WriteToUDP(response, to)
		return err
	}
}

// asked4 replies from the IPv4 address asked, where the system tells it.
func (p *packets) asked4() (receiving, sending) {
	conn := ipv4.NewPacketConn(p.conn)
	if conn.SetControlMessage(ipv4.FlagDst, true) != nil {
		return p.plain()
	}
	var asked *ipv4.ControlMessage
	return func(buf []byte) (int, *net.UDPAddr, error) {
			n, control, addr, err := conn.ReadFrom(buf)
			if err != nil {
				return 0, nil, err
			}
			if asked = nil; control != nil {
				asked = &ipv4.ControlMessage{Src: control.Dst}
			}
			return n, addr.(*net.UDPAddr), nil
		}, func(response []byte, to *net.UDPAddr) error {
			_, err := conn.WriteTo(response, asked, to)
			return err
		}
}

// asked6 is asked4 for IPv6.
func (p *packets) asked6() (receiving, sending) {
	conn := ipv6.NewPacketConn(p.conn)
	if conn.SetControlMessage(ipv6.FlagDst|ipv6.FlagInterface, true) != nil {
		return p.plain()
	}
	var asked *ipv6.ControlMessage
	return func(buf []byte) (int, *net.UDPAddr, error) {
			n, control, addr, err := conn.ReadFrom(buf)
			if err != nil {
				return 0, nil, err
			}
			if asked = nil; control != nil {
				asked = &ipv6.ControlMessage{Src: control.Dst}
				if control.Dst.IsLinkLocalUnicast() { // means nothing without its interface
					asked.IfIndex = control.IfIndex
				}
			}
			return n, addr.(*net.UDPAddr), nil
		}, func(response []byte, to *net.UDPAddr) error {
			_, err := conn.WriteTo(response, asked, to)
			return err
		}
}

func (p *packets) stop() {
	p.stopped.Store(true)
	p.conn.SetReadDeadline(time.Unix(1, 0)) // wakes the readers without closing, so that what was read can still be answered
}

func (p *packets) close() { p.conn.Close() }

// overflow: there is no way to ask that all systems have.
func (p *packets) overflow() uint64 { return 0 }
