package dnsserver

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// wholeSize is what goes over nearly every path in one piece: the least MTU of IPv6, 1280, without headers.
const wholeSize = 1232

// openUDP is the opener of this system, for responses of udpSize octets at most. It tells log, once, when the kernel grants less room than
// it was asked for.
func openUDP(log *slog.Logger, udpSize int) opener {
	var once sync.Once
	return func(network string, addr netip.AddrPort, readers int) ([]datagrams, error) {
		if err := exclusive(network, addr); err != nil {
			return nil, err
		}
		wildcard := addr.Addr().IsUnspecified()
		var all []datagrams
		for range readers {
			fd, err := openBatches(network, addr, wildcard, udpSize > wholeSize)
			if err != nil {
				for _, d := range all {
					d.close()
				}
				return nil, err
			}
			if granted := enlarge(fd); granted < socketBuffer {
				once.Do(func() {
					log.Warn("the kernel grants less room for queries or responses than asked: bursts may be lost",
						"granted", granted, "asked", socketBuffer, "hint", "sysctl net.core.rmem_max=8388608 net.core.wmem_max=8388608, or grant CAP_NET_ADMIN")
				})
			}
			all = append(all, &batches{fd: fd, wildcard: wildcard})
		}
		return all, nil
	}
}

// exclusive finds out whether anyone else, sharing or not, holds the UDP port.
func exclusive(network string, addr netip.AddrPort) error {
	conn, err := net.ListenUDP(network, net.UDPAddrFromAddrPort(addr))
	if err != nil {
		return err
	}
	return conn.Close()
}

// openBatches opens one of several sockets on one port, between which the kernel spreads the clients (SO_REUSEPORT).
func openBatches(network string, addr netip.AddrPort, wildcard, fragments bool) (fd int, err error) {
	config := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) error {
		return control(raw, func(fd int) error { return udpOptions(fd, network == "udp6", wildcard, fragments) })
	}}
	conn, err := config.ListenPacket(context.Background(), network, addr.String())
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	raw, err := conn.(*net.UDPConn).SyscallConn()
	if err != nil {
		return 0, err
	}
	// A copy that the runtime does not poll: its thread waits in the kernel.
	err = control(raw, func(shared int) (err error) {
		fd, err = unix.FcntlInt(uintptr(shared), unix.F_DUPFD_CLOEXEC, 0)
		return err
	})
	if err != nil {
		return 0, err
	}
	if err := unix.SetNonblock(fd, false); err != nil {
		unix.Close(fd)
		return 0, err
	}
	return fd, nil
}

// udpOptions: several sockets on one port; the address that a query was sent to, where that is not the socket's own; and no path MTU
// discovery, which lets forged ICMP messages make answers fragment (RFC 9715 section 3.1). Unless there may be fragments, IPv4 datagrams say
// that there must be none: they could be forged, too. It also spares the kernel an identification for each (RFC 6864).
func udpOptions(fd int, v6, wildcard, fragments bool) error {
	err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
	level, mtu, discover, path := unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, unix.IP_PKTINFO, unix.IP_PMTUDISC_PROBE
	if fragments {
		path = unix.IP_PMTUDISC_OMIT
	}
	if v6 { // whose datagrams nobody takes apart on the way
		level, mtu, discover, path = unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER, unix.IPV6_RECVPKTINFO, unix.IPV6_PMTUDISC_OMIT
	}
	err = errors.Join(err, unix.SetsockoptInt(fd, level, mtu, path))
	if wildcard {
		err = errors.Join(err, unix.SetsockoptInt(fd, level, discover, 1))
	}
	return err
}

// enlarge asks for socketBuffer octets in both directions, with privilege first, and says how much room there is.
func enlarge(fd int) (granted int) {
	for _, option := range [][2]int{{unix.SO_RCVBUFFORCE, unix.SO_RCVBUF}, {unix.SO_SNDBUFFORCE, unix.SO_SNDBUF}} {
		if unix.SetsockoptInt(fd, unix.SOL_SOCKET, option[0], socketBuffer) != nil {
			_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, option[1], socketBuffer) // cut off at what is allowed, without error
		}
	}
	return room(fd)
}

// room is the smaller one of a socket's two buffers, in octets; 0: the kernel does not say.
func room(fd int) int {
	least := math.MaxInt
	for _, option := range []int{unix.SO_RCVBUF, unix.SO_SNDBUF} {
		doubled, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, option) // the kernel counts its own overhead
		if err != nil {
			return 0
		}
		least = min(least, doubled/2)
	}
	return least
}

// limitUnread has the kernel give up a connection whose client takes nothing for that long. After this server has closed it,
// too: the answers that the client never read would stay in memory for minutes.
func limitUnread(listener *net.TCPListener, idle time.Duration) error {
	raw, err := listener.SyscallConn() // what is accepted inherits it
	if err != nil {
		return err
	}
	return control(raw, func(fd int) error {
		return unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(idle.Milliseconds()))
	})
}

func control(raw syscall.RawConn, set func(fd int) error) error {
	var inner error
	err := raw.Control(func(fd uintptr) { inner = set(int(fd)) })
	return errors.Join(err, inner)
}
