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
	if err := pair(hosts[0].ns, "eth0", hosts[1].ns, "eth0"); err != nil {
		return nil, nil, err
	}
	for _, h := range hosts {
		if err := h.ns.ip("link set up dev lo", "link set up dev eth0", fmt.Sprintf("addr add %s/24 dev eth0", h.Addr)); err != nil {
			return nil, nil, err
		}
	}
	return hosts[0], hosts[1], nil
}

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
