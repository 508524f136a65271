package process

import (
	"fmt"
	"net"
	"net/netip"
)

// FreePort has the kernel choose a port that is free for UDP and TCP on every one of the addresses. Somebody else may
// take it before it is used.
func FreePort(addrs ...netip.Addr) (uint16, error) {
	var err error
	for range 50 {
		var port uint16
		if port, err = tryPort(addrs); err == nil {
			return port, nil
		}
	}
	return 0, fmt.Errorf("no port is free on %v: %w", addrs, err)
}

func tryPort(addrs []netip.Addr) (uint16, error) {
	var port uint16
	for _, addr := range addrs {
		tcp, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(netip.AddrPortFrom(addr, port)))
		if err != nil {
			return 0, err
		}
		defer tcp.Close()
		port = tcp.Addr().(*net.TCPAddr).AddrPort().Port()
		udp, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(addr, port)))
		if err != nil {
			return 0, err
		}
		defer udp.Close()
	}
	return port, nil
}
