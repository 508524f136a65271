package lab

import (
	"fmt"
	"net/netip"
)

// Cable makes two hosts, each in a network namespace of its own, joined by one pair of virtual interfaces, both named eth0. They last
// until this process ends. The addresses share a /24.
func Cable(a, b netip.Addr) (*Host, *Host, error) {
	hosts := [2]*Host{{Addr: a}, {Addr: b}}
	for _, h := range hosts {
		var err error
		if h.ns, err = newNamespace(); err != nil {
			return nil, nil, err
		}
	}
	return hosts[0], hosts[1], Plug(hosts[0], hosts[1])
}

// Plug joins two hosts by a cable as Cable does, where there is none or it was unplugged.
func Plug(a, b *Host) error {
	if err := pair(a.ns, "eth0", b.ns, "eth0"); err != nil {
		return err
	}
	for _, h := range []*Host{a, b} {
		if err := h.IP("link set up dev lo", "link set up dev eth0", fmt.Sprintf("addr add %s/24 dev eth0", h.Addr)); err != nil {
			return err
		}
	}
	return nil
}

// Unplug deletes the interfaces at both ends of the host's cable, with their addresses.
func (h *Host) Unplug() error { return h.IP("link del dev eth0") }

// IP runs lines of ip(8) on the host.
func (h *Host) IP(lines ...string) error { return h.ns.ip(lines...) }

// Run runs a program on the host, with input on its standard input. An error has what it printed.
func (h *Host) Run(input, name string, args ...string) error { return h.ns.run(input, name, args...) }

// Do runs f on the host, for sockets and files that are to belong to its namespace.
func (h *Host) Do(f func() error) error { return h.ns.do(f) }

// Beside makes a further host with a cable of its own to h, whose end of it has the address own; it reaches all of h's addresses that way.
func (h *Host) Beside(a, own netip.Addr) (*Host, error) {
	ns, err := newNamespace()
	if err != nil {
		return nil, err
	}
	if err := pair(h.ns, "eth1", ns, "eth0"); err != nil {
		return nil, err
	}
	if err := h.ns.ip("link set up dev eth1", fmt.Sprintf("addr add %s/24 dev eth1", own)); err != nil {
		return nil, err
	}
	err = ns.ip("link set up dev lo", "link set up dev eth0", fmt.Sprintf("addr add %s/24 dev eth0", a), fmt.Sprintf("route add default via %s", own))
	return &Host{Addr: a, ns: ns}, err
}
