package peertest

import (
	"fmt"
	"net"
	"net/netip"
	"testing"
)

// Loopback is the address that peers listen on unless a test asks for another one of 127.0.0.0/8.
var Loopback = netip.AddrFrom4([4]byte{127, 0, 0, 1})

// FreePort has the kernel choose a port that is free for UDP and TCP on every one of the addresses (Loopback when
// there is none). Somebody else may take it before it is used: Start then tries another.
func FreePort(t testing.TB, addrs ...netip.Addr) uint16 {
	t.Helper()
	if len(addrs) == 0 {
		addrs = []netip.Addr{Loopback}
	}
	var err error
	for range 50 {
		var port uint16
		if port, err = tryPort(addrs); err == nil {
			return port
		}
	}
	t.Fatalf("no port is free on %v: %v", addrs, err)
	return 0
}

func tryPort(addrs []netip.Addr) (uint16, error) {
	var port uint16
	for _, addr := range addrs {
		tcp, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(netip.AddrPortFrom(addr, port)))
		if err != nil {
			return 0, fmt.Errorf("tcp: %w", err)
		}
		defer tcp.Close()
		port = tcp.Addr().(*net.TCPAddr).AddrPort().Port()
		udp, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(addr, port)))
		if err != nil {
			return 0, fmt.Errorf("udp: %w", err)
		}
		defer udp.Close()
	}
	return port, nil
}
