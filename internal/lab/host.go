package lab

import (
	"net"
	"net/netip"
	"time"
)

// Enter moves the calling thread, which must be locked and must never be unlocked, to the host: it is what
// process.Start takes.
func (h *Host) Enter() error { return h.ns.enter() }

// DialUDP makes a socket on the host, connected to an address.
func (h *Host) DialUDP(to netip.AddrPort) (conn *net.UDPConn, err error) {
	err = h.ns.do(func() error {
		conn, err = net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to))
		return err
	})
	return conn, err
}

// Listen makes a TCP socket on the host.
func (h *Host) Listen(at netip.AddrPort) (listener *net.TCPListener, err error) {
	err = h.ns.do(func() error {
		listener, err = net.ListenTCP("tcp", net.TCPAddrFromAddrPort(at))
		return err
	})
	return listener, err
}

// DialTCP opens a connection from the host, within a second.
func (h *Host) DialTCP(to netip.AddrPort) (conn net.Conn, err error) {
	err = h.ns.do(func() error {
		conn, err = net.DialTimeout("tcp", to.String(), dialLimit)
		return err
	})
	return conn, err
}

// dialLimit is long for hosts that are joined by one router.
const dialLimit = time.Second
