// Package lab builds networks to break: hosts in network namespaces of their own, joined by a router whose links can be
// cut in silence and delayed. It needs root, ip and nft, and fails the test without them.
package lab

import (
	"fmt"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"
)

// Network is a router and the sites around it. It goes when the test ends.
type Network struct {
	t      testing.TB
	router *namespace
	sites  []*Site

	mu   sync.Mutex
	cuts map[*cut]bool
}

// New makes a network without hosts.
func New(t testing.TB) *Network {
	t.Helper()
	n := &Network{t: t, cuts: map[*cut]bool{}}
	n.router = n.namespace()
	n.must(n.router.do(forward))
	return n
}

// forward makes a router of the namespace that the thread is in.
func forward() error {
	if err := os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0o644); err != nil {
		return fmt.Errorf("a network namespace cannot be made a router: %w (in a container, mount /proc/sys writable)", err)
	}
	return nil
}

func (n *Network) namespace() *namespace {
	n.t.Helper()
	ns, err := newNamespace()
	n.must(err)
	n.t.Cleanup(func() { ns.file.Close() })
	n.must(ns.ip("link set lo up"))
	return ns
}

func (n *Network) must(err error) {
	n.t.Helper()
	if err != nil {
		n.t.Fatal(err)
	}
}

// Site is a data center: hosts that are cut off together.
type Site struct {
	Name    string
	network *Network
	prefix  netip.Prefix
	hosts   int
}

// Site adds one. A network holds up to 250 of them.
func (n *Network) Site(name string) *Site {
	s := &Site{Name: name, network: n, prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(len(n.sites) + 1)}), 16)}
	n.sites = append(n.sites, s)
	return s
}

// Host is a namespace with one address, which every other host reaches through the router alone.
type Host struct {
	Name string
	Addr netip.Addr
	ns   *namespace
}

// Host adds one. A site holds up to 250 of them.
func (s *Site) Host(name string) *Host {
	return s.host(name, func(h *namespace, link string) { s.join(h, link) })
}

// DelayedHost adds one whose packets take as much longer, each way.
func (s *Site) DelayedHost(name string, delay time.Duration) *Host {
	return s.host(name, func(h *namespace, link string) { s.joinDelayed(h, link, delay) })
}

// host makes the namespace, has it joined to the router's new link, and gives both ends their addresses.
func (s *Site) host(name string, join func(h *namespace, link string)) *Host {
	s.network.t.Helper()
	s.hosts++
	base := s.prefix.Addr().As4()
	base[2], base[3] = byte(s.hosts), 1
	gateway := netip.AddrFrom4(base)
	h := &Host{Name: name, Addr: gateway.Next(), ns: s.network.namespace()}
	link := fmt.Sprintf("h%d-%d", base[1], base[2])
	join(h.ns, link)
	s.network.must(s.network.router.ip(fmt.Sprintf("addr add %s/30 dev %s", gateway, link), "link set up dev "+link))
	s.network.must(h.ns.ip(fmt.Sprintf("addr add %s/30 dev eth0", h.Addr), "link set up dev eth0", fmt.Sprintf("route add default via %s", gateway)))
	return h
}

func (s *Site) join(h *namespace, link string) {
	s.network.must(pair(s.network.router, link, h, "eth0"))
}

// pair joins two namespaces by an Ethernet cable.
func pair(a *namespace, nameA string, b *namespace, nameB string) error {
	return a.ip(fmt.Sprintf("link add %s type veth peer name %s netns %s", nameA, nameB, b.path()))
}
