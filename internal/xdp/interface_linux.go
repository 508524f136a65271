package xdp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"
)

// maxQueues bounds the queues of one interface.
const maxQueues = 256

// Interface is a network interface of which datagrams are taken.
type Interface struct {
	queues  []*queue
	closers []interface{ Close() error }
}

// Open takes the UDP datagrams that arrive at the interface for the served addresses, and at them only, past the kernel's own stack.
// Of an unspecified address the interface's own ones are meant. Datagrams with VLAN tags, IPv4 options, IPv6 extension headers, of
// several fragments or longer than an Ethernet frame still go to sockets, and so does everything after Close. It needs CAP_NET_ADMIN,
// CAP_NET_RAW and CAP_BPF. Nothing is answered before Serve.
func Open(name string, served []netip.AddrPort) (i *Interface, err error) {
	device, err := net.InterfaceByName(name)
	if err != nil {
		return nil, fmt.Errorf("interface %s: %w", name, errors.Unwrap(err))
	}
	if len(device.HardwareAddr) != 6 {
		return nil, fmt.Errorf("interface %s is not an Ethernet", name)
	}
	i = &Interface{}
	defer func() {
		if err != nil {
			i.Close()
			i, err = nil, fmt.Errorf("interface %s: %w", name, err)
		}
	}()
	if err := i.openQueues(device); err != nil {
		return i, err
	}
	addresses, err := i.table(&ebpf.MapSpec{Name: "served", Type: ebpf.Hash, KeySize: keySize, ValueSize: 1, MaxEntries: 4096})
	if err != nil {
		return i, err
	}
	all, err := own(device, served)
	if err != nil {
		return i, err
	}
	for _, to := range all {
		if err := addresses.Put(key(to), uint8(1)); err != nil {
			return i, err
		}
	}
	sockets, err := i.table(&ebpf.MapSpec{Name: "sockets", Type: ebpf.XSKMap, KeySize: 4, ValueSize: 4, MaxEntries: maxQueues})
	if err != nil {
		return i, err
	}
	for number, q := range i.queues {
		if err := sockets.Put(uint32(number), uint32(q.fd)); err != nil {
			return i, err
		}
	}
	program, err := newProgram(addresses, sockets, device.HardwareAddr)
	if err != nil {
		return i, fmt.Errorf("the kernel refuses the program: %w", err)
	}
	i.closers = append(i.closers, program)
	attached, err := link.AttachXDP(link.XDPOptions{Program: program, Interface: device.Index})
	if err != nil {
		return i, err
	}
	i.closers = append(i.closers, attached)
	return i, nil
}

// openQueues opens one socket after the other until the kernel says that there is no such queue.
func (i *Interface) openQueues(device *net.Interface) error {
	for number := range maxQueues {
		q, err := openQueue(device.Index, number, device.MTU)
		if number > 0 && errors.Is(err, unix.EINVAL) {
			break
		}
		if err != nil {
			return fmt.Errorf("queue %d: %w", number, err)
		}
		i.queues = append(i.queues, q)
	}
	return nil
}

func (i *Interface) table(spec *ebpf.MapSpec) (*ebpf.Map, error) {
	m, err := ebpf.NewMap(spec)
	if err != nil {
		return nil, err
	}
	i.closers = append(i.closers, m)
	return m, nil
}

// own puts the interface's own addresses in the place of unspecified ones.
func own(device *net.Interface, served []netip.AddrPort) (all []netip.AddrPort, err error) {
	addresses, err := device.Addrs()
	if err != nil {
		return nil, err
	}
	for _, to := range served {
		if !to.Addr().IsUnspecified() {
			all = append(all, to)
			continue
		}
		for _, a := range addresses {
			prefix, err := netip.ParsePrefix(a.String())
			if err == nil && prefix.Addr().Is4() == to.Addr().Is4() {
				all = append(all, netip.AddrPortFrom(prefix.Addr(), to.Port()))
			}
		}
	}
	return all, nil
}

// Queues is how many queues the interface has.
func (i *Interface) Queues() int { return len(i.queues) }

// Serve answers until ctx is done, and returns nil then; an error says that the interface is gone. There is a handler for each queue.
func (i *Interface) Serve(ctx context.Context, handlers []Handler) error {
	stop := context.AfterFunc(ctx, i.stop)
	defer stop()
	failed := make(chan error, len(i.queues))
	for n, q := range i.queues {
		go func() {
			err := q.serve(&handlers[n])
			i.stop() // one queue is as good as none: the others are of the same interface
			failed <- err
		}()
	}
	var errs []error
	for range i.queues {
		errs = append(errs, <-failed)
	}
	return errors.Join(errs...)
}

func (i *Interface) stop() {
	for _, q := range i.queues {
		q.stop()
	}
}

// Close gives the datagrams back to the kernel. It comes after Serve.
func (i *Interface) Close() {
	for n := len(i.closers) - 1; n >= 0; n-- { // the program goes before what it uses
		_ = i.closers[n].Close() // the kernel is done with it as well when the interface is gone
	}
	for _, q := range i.queues {
		q.close()
	}
	i.closers, i.queues = nil, nil
}
