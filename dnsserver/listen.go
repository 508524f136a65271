package dnsserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
)

// socket is one listen address: a TCP listener, and what moves the datagrams of each UDP reader.
type socket struct {
	addr netip.AddrPort
	udp  []datagrams
	tcp  *net.TCPListener
}

// datagrams are how one reader receives and sends. There is one for Linux (udp_linux.go) and one for all systems (udp.go).
type datagrams interface {
	// serve receives, has w answer, and sends, until stop.
	serve(w *worker)
	// stop ends serve once what was received is answered. close comes after.
	stop()
	close()
	// overflow is how many datagrams the kernel had no room for; 0 where it does not say.
	overflow() uint64
}

// opener opens addr, of network udp4 or udp6, for that many readers. At a wildcard address each reply leaves from the address
// that was asked.
type opener func(network string, addr netip.AddrPort, readers int) ([]datagrams, error)

// socketBuffer is the room for bursts in each direction, in octets: some 20,000 small queries.
const socketBuffer = 8 << 20

// bindAttempts is how many kernel-chosen TCP ports are tried for one that is free for UDP too.
const bindAttempts = 20

// bind opens addr for UDP and TCP. TCP comes first: it fails where another server holds the port, while SO_REUSEPORT
// would share UDP with it in silence.
func bind(addr netip.AddrPort, open opener, readers int) (*socket, error) {
	var err error
	for range bindAttempts {
		var s *socket
		if s, err = bindOnce(addr, open, readers); err == nil {
			return s, nil
		}
		if addr.Port() != 0 || !errors.Is(err, syscall.EADDRINUSE) {
			break
		}
	}
	return nil, explainBind(addr, err)
}

func bindOnce(addr netip.AddrPort, open opener, readers int) (*socket, error) {
	family := "4"
	if addr.Addr().Is6() {
		family = "6"
	}
	plain := net.ListenConfig{KeepAlive: -1} // idle connections are closed before keep-alive would say a word
	plain.SetMultipathTCP(false)             // resolvers have no use for it, and its sockets do not know limitUnread's option
	listener, err := plain.Listen(context.Background(), "tcp"+family, addr.String())
	if err != nil {
		return nil, err
	}
	s := &socket{tcp: listener.(*net.TCPListener)}
	s.addr = netip.AddrPortFrom(addr.Addr(), s.tcp.Addr().(*net.TCPAddr).AddrPort().Port())
	if s.udp, err = open("udp"+family, s.addr, readers); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// explainBind is one line with the way out.
func explainBind(addr netip.AddrPort, err error) error {
	hint := ""
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		hint = fmt.Sprintf("another server holds port %d: stop it (ss -lpn sport = :%d names it), or set listen to another address or port",
			addr.Port(), addr.Port())
	case errors.Is(err, syscall.EACCES), errors.Is(err, syscall.EPERM):
		hint = fmt.Sprintf("no permission for port %d: run as root, grant CAP_NET_BIND_SERVICE, or set listen to a port from 1024 on", addr.Port())
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		hint = "this host does not have that address: correct listen, or add the address to an interface"
	case errors.Is(err, syscall.EAFNOSUPPORT):
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

func (s *socket) overflow() (n uint64) {
	for _, d := range s.udp {
		n += d.overflow()
	}
	return n
}

func (s *socket) stop() {
	for _, d := range s.udp {
		d.stop()
	}
	s.tcp.Close()
}

func (s *socket) close() {
	for _, d := range s.udp {
		d.close()
	}
	s.tcp.Close()
}
