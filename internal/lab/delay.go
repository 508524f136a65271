package lab

import (
	"fmt"
	"net"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// joinDelayed joins the host by two cables with a relay between them, which keeps every frame for the delay.
func (s *Site) joinDelayed(h *namespace, link string, delay time.Duration) {
	n := s.network
	n.t.Helper()
	wire := n.namespace()
	n.must(pair(n.router, link, wire, "outer"))
	n.must(pair(wire, "inner", h, "eth0"))
	n.must(wire.ip("link set up dev outer", "link set up dev inner"))
	inner, outer := n.port(wire, "inner"), n.port(wire, "outer")
	go relay(inner, outer, delay)
	go relay(outer, inner, delay)
}

// port is a socket that takes and sends whole frames at an interface.
func (n *Network) port(ns *namespace, device string) (port *os.File) {
	n.t.Helper()
	n.must(ns.do(func() (err error) {
		port, err = openPort(device)
		return err
	}))
	n.t.Cleanup(func() { port.Close() })
	return port
}

// openPort asks for frames with the header of virtio in front: it says what a network card would still have to do,
// such as checksums, and is handed on with the frame.
func openPort(device string) (*os.File, error) {
	link, err := net.InterfaceByName(device)
	if err != nil {
		return nil, err
	}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("a packet socket: %w", err)
	}
	file := os.NewFile(uintptr(fd), device)
	for _, option := range []int{unix.PACKET_VNET_HDR, unix.PACKET_IGNORE_OUTGOING} {
		if err := unix.SetsockoptInt(fd, unix.SOL_PACKET, option, 1); err != nil {
			file.Close()
			return nil, fmt.Errorf("a packet socket's option %d: %w", option, err)
		}
	}
	const all = unix.ETH_P_ALL>>8 | unix.ETH_P_ALL<<8&0xff00 // in network order
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: all, Ifindex: link.Index}); err != nil {
		file.Close()
		return nil, fmt.Errorf("a packet socket at %s: %w", device, err)
	}
	return file, nil
}

// frame is one on its way.
type frame struct {
	due  time.Time
	data []byte
}

const (
	maxFrame  = 1<<16 + 64 // segments are joined up to 64 KB before a card would cut them
	maxOnWire = 10000      // frames; more are lost, as in a full queue
)

// relay hands on frames, each after the delay, until from is closed.
func relay(from, to *os.File, delay time.Duration) {
	wire := make(chan frame, maxOnWire)
	defer close(wire)
	go deliver(wire, to)
	buf := make([]byte, maxFrame)
	for {
		size, err := from.Read(buf)
		if err != nil {
			return // closed
		}
		select {
		case wire <- frame{time.Now().Add(delay), slices.Clone(buf[:size])}:
		default:
		}
	}
}

func deliver(wire <-chan frame, to *os.File) {
	for f := range wire {
		time.Sleep(time.Until(f.due))
		_, _ = to.Write(f.data) // one that cannot be sent is lost
	}
}
