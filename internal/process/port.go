package process

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync/atomic"
	"syscall"
)

// The ports that FreePort chooses from: by default the kernel gives none of these to a connection or a socket by itself (ip_local_port_range),
// so that somebody who asks it for any port does not take one before it is used.
const (
	firstPort = 20000
	ports     = 12000
)

// nextPort counts through the ports from a random start, as several processes do at once.
var nextPort = func() *atomic.Uint32 {
	var n atomic.Uint32
	n.Store(rand.Uint32N(ports))
	return &n
}()

// FreePort finds a port that is free for UDP and TCP on every one of the addresses, and that it has not given this process lately.
// Another process that looks for one may take it before it is used, which is rare.
func FreePort(addrs ...netip.Addr) (uint16, error) {
	var err error
	for range 200 {
		port := uint16(firstPort + nextPort.Add(1)%ports)
		if err = tryPort(port, addrs); err == nil {
			return port, nil
		}
	}
	return 0, fmt.Errorf("no port is free on %v: %w", addrs, err)
}

func tryPort(port uint16, addrs []netip.Addr) error {
	// A process that is started meanwhile would have the sockets, also once they are closed here, until it becomes its program.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	for _, addr := range addrs {
		where := netip.AddrPortFrom(addr, port)
		tcp, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(where))
		if err != nil {
			return err
		}
		defer tcp.Close()
		udp, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(where))
		if err != nil {
			return err
		}
		defer udp.Close()
	}
	return nil
}
