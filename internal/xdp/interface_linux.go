package xdp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"
)

// maxQueues bounds the queues of one interface.
const maxQueues = 256

// Interface is a network interface of which datagrams are taken.
type Interface struct {
	mu      sync.Mutex // over closing what stop and Overflow use
	queues  []*queue
	closers []interface{ Close() error }
}

// Open takes the UDP datagrams that arrive at the interface for the served addresses, and at them only, past the kernel's own stack.
// Of an unspecified address the interface's own ones are meant, and those at the loopback, as they are now. Datagrams with VLAN tags, IPv4 options, IPv6 extension headers, of
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

// own are those of the served addresses whose datagrams arrive by the interface: its own ones, all of them for an unspecified one, and
// the host's that are at no interface in particular, but at the loopback.
func own(device *net.Interface, served []netip.AddrPort) (all []netip.AddrPort, err error) {
	here, err := device.Addrs()
	if err != nil {
		return nil, err
	}
	anywhere, err := loopback()
	if err != nil {
		return nil, err
	}
	for _, a := range append(here, anywhere...) {
		prefix, err := netip.ParsePrefix(a.String())
		if err != nil {
			continue
		}
		for _, to := range served {
			zone := to.Addr().Zone()
			if to.Addr().WithZone("") == prefix.Addr() && (zone == "" || zone == device.Name) ||
				to.Addr().IsUnspecified() && to.Addr().Is4() == prefix.Addr().Is4() {
				all = append(all, netip.AddrPortFrom(prefix.Addr(), to.Port()))
			}
		}
	}
	return all, nil
}

func loopback() (all []net.Addr, err error) {
	devices, err := net.Interfaces()
	for _, d := range devices {
		if d.Flags&net.FlagLoopback != 0 {
			more, err := d.Addrs()
			if err != nil {
				return nil, err
			}
			all = append(all, more...)
		}
	}
	return all, err
}

// Queues is how many queues the interface has.
func (i *Interface) Queues() int { return len(i.queues) }

// Serve answers until ctx is done, and returns nil then; an error says that the interface is gone. There is a handler for each queue.
func (i *Interface) Serve(ctx context.Context, handlers []Handler) error {
	stop := context.AfterFunc(ctx, i.stop)
	defer stop()
	queues := i.queues
	failed := make(chan error, len(queues))
	for n, q := range queues {
		go func() {
			err := q.serve(&handlers[n])
			i.stop() // one queue is as good as none: the others are of the same interface
			failed <- err
		}()
	}
	var first error
	for range queues {
		if err := <-failed; first == nil {
			first = err
		}
	}
	return first
}

// Overflow is how many datagrams found no room since Open; 0 after Close.
func (i *Interface) Overflow() (n uint64) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, q := range i.queues {
		n += q.overflow()
	}
	return n
}

// stop gives the datagrams that are to come back to the kernel, and ends Serve.
func (i *Interface) stop() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.release()
	for _, q := range i.queues {
		q.stop()
	}
}

// Close gives the datagrams back to the kernel. It comes after Serve.
func (i *Interface) Close() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.release()
	for _, q := range i.queues {
		q.close()
	}
	i.queues = nil
}

// release detaches the program, and closes it before what it uses. The kernel is done with it as well when the interface is gone.
func (i *Interface) release() {
	for n := len(i.closers) - 1; n >= 0; n-- {
		_ = i.closers[n].Close()
	}
	i.closers = nil
}
