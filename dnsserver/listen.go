package dnsserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// socket is one listen address: a TCP listener, and a UDP socket for each reader, between which the kernel spreads the
// clients (SO_REUSEPORT).
type socket struct {
	addr     netip.AddrPort
	wildcard bool // replies must be told their source address
	udp      []*net.UDPConn
	tcp      *net.TCPListener
}

// bindAttempts is how many kernel-chosen TCP ports are tried for one that is free for UDP too.
const bindAttempts = 20

// bind opens addr for UDP and TCP. TCP comes first: it fails where another server holds the port, while SO_REUSEPORT
// would share UDP with it in silence.
func bind(addr netip.AddrPort, readers int) (*socket, error) {
	var err error
	for range bindAttempts {
		var s *socket
		if s, err = bindOnce(addr, readers); err == nil {
			return s, nil
		}
		if addr.Port() != 0 || !errors.Is(err, unix.EADDRINUSE) {
			break
		}
	}
	return nil, explainBind(addr, err)
}

func bindOnce(addr netip.AddrPort, readers int) (*socket, error) {
	family := "4"
	if addr.Addr().Is6() {
		family = "6"
	}
	s := &socket{wildcard: addr.Addr().IsUnspecified()}
	plain := net.ListenConfig{KeepAlive: -1} // idle connections are closed before keep-alive would say a word
	listener, err := plain.Listen(context.Background(), "tcp"+family, addr.String())
	if err != nil {
		return nil, err
	}
	s.tcp = listener.(*net.TCPListener)
	s.addr = netip.AddrPortFrom(addr.Addr(), s.tcp.Addr().(*net.TCPAddr).AddrPort().Port())
	if err := exclusive("udp"+family, s.addr); err != nil {
		s.close()
		return nil, err
	}
	shared := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) error {
		return control(raw, func(fd int) error { return udpOptions(fd, family, s.wildcard) })
	}}
	for range readers {
		conn, err := shared.ListenPacket(context.Background(), "udp"+family, s.addr.String())
		if err != nil {
			s.close()
			return nil, err
		}
		s.udp = append(s.udp, conn.(*net.UDPConn))
	}
	return s, nil
}

// exclusive finds out whether anyone else, sharing or not, holds the UDP port.
func exclusive(network string, addr netip.AddrPort) error {
	conn, err := net.ListenUDP(network, net.UDPAddrFromAddrPort(addr))
	if err != nil {
		return err
	}
	return conn.Close()
}

// udpOptions: several sockets on one port; the address that a query was sent to, where that is not the socket's own;
// and no path MTU discovery, which lets forged ICMP messages make answers fragment (RFC 9715 section 3.1).
func udpOptions(fd int, family string, wildcard bool) error {
	err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
	level, mtu, discover, omit := unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, unix.IP_PKTINFO, unix.IP_PMTUDISC_OMIT
	if family == "6" {
		level, mtu, discover, omit = unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER, unix.IPV6_RECVPKTINFO, unix.IPV6_PMTUDISC_OMIT
	}
	err = errors.Join(err, unix.SetsockoptInt(fd, level, mtu, omit))
	if wildcard {
		err = errors.Join(err, unix.SetsockoptInt(fd, level, discover, 1))
	}
	// Room for bursts; the kernel grants what net.core.rmem_max allows.
	unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 4<<20)
	return err
}

func control(raw syscall.RawConn, set func(fd int) error) error {
	var inner error
	err := raw.Control(func(fd uintptr) { inner = set(int(fd)) })
	return errors.Join(err, inner)
}

// explainBind is one line with the way out.
func explainBind(addr netip.AddrPort, err error) error {
	hint := ""
	switch {
	case errors.Is(err, unix.EADDRINUSE):
		hint = fmt.Sprintf("another server holds port %d: stop it (ss -lpn sport = :%d names it), or set listen to another address or port",
			addr.Port(), addr.Port())
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		hint = fmt.Sprintf("no permission for port %d: run as root, grant CAP_NET_BIND_SERVICE, or set listen to a port from 1024 on", addr.Port())
	case errors.Is(err, unix.EADDRNOTAVAIL):
		hint = "this host does not have that address: correct listen, or add the address to an interface"
	case errors.Is(err, unix.EAFNOSUPPORT):
		hint = "this host has that address family switched off: take the address out of listen"
	default:
		return fmt.Errorf("listen on %s: %w", addr, err)
	}
	return fmt.Errorf("listen on %s: %w: %s", addr, rootCause(err), hint)
}

// rootCause is the system's own word for err.
func rootCause(err error) error {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno
	}
	return err
}

// stop wakes the readers without closing, so that what was read can still be answered.
func (s *socket) stop() {
	for _, conn := range s.udp {
		conn.SetReadDeadline(time.Unix(1, 0))
	}
	s.tcp.Close()
}

func (s *socket) close() {
	for _, conn := range s.udp {
		conn.Close()
	}
	s.tcp.Close()
}
