package main

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/livens/livens/zones"
	"github.com/miekg/dns"
)

// delegation compares what parent zones and nameservers say with what zones hold.
type delegation struct {
	resolver netip.AddrPort
	server   func(netip.Addr) netip.AddrPort // where a nameserver with that address is asked: port 53
	patience time.Duration                   // for one reply
}

// delegatedZone is what was found out about one zone's delegation.
type delegatedZone struct {
	Zone     string        `json:"zone"`
	Parent   string        `json:"parent,omitempty"` // the zone that delegates it
	Asked    string        `json:"asked,omitempty"`  // the parent's nameserver that was asked
	Servers  []askedServer `json:"servers"`          // every nameserver of the zone, at each of its addresses
	Findings []finding     `json:"findings"`

	mu sync.Mutex // over Findings
}

// finding is one thing that is not as it should be.
type finding struct {
	Severity severity `json:"severity"`
	Text     string   `json:"text"`
	Hint     string   `json:"hint,omitempty"` // what to do
}

// severity ranks findings.
type severity string

const (
	severe severity = "error"   // some queries for the zone go unanswered, or are answered wrongly
	unwise severity = "warning" // it works, and is not as it should be
	aside  severity = "note"    // this host cannot tell
)

func newDelegation(resolver string) (*delegation, error) {
	d := &delegation{
		server:   func(a netip.Addr) netip.AddrPort { return netip.AddrPortFrom(a, 53) },
		patience: 2 * time.Second,
	}
	if resolver == "" {
		config, err := dns.ClientConfigFromFile("/etc/resolv.conf")
		if err != nil || len(config.Servers) == 0 {
			return nil, fmt.Errorf("/etc/resolv.conf names no resolver: give one with --resolver")
		}
		resolver = config.Servers[0]
	}
	if a, err := netip.ParseAddr(resolver); err == nil {
		d.resolver = netip.AddrPortFrom(a, 53)
		return d, nil
	}
	var err error
	if d.resolver, err = netip.ParseAddrPort(resolver); err != nil {
		return nil, misuse("--resolver %q is neither an address nor an address and a port", resolver)
	}
	return d, nil
}

// zonesAtOnce bounds how many zones are looked into at the same time.
const zonesAtOnce = 8

// check looks into every zone's delegation.
func (d *delegation) check(ctx context.Context, set *zones.Set) []*delegatedZone {
	out := make([]*delegatedZone, len(set.Zones))
	lane := make(chan struct{}, zonesAtOnce)
	var all sync.WaitGroup
	for i, z := range set.Zones {
		all.Go(func() {
			lane <- struct{}{}
			defer func() { <-lane }()
			out[i] = d.zone(ctx, z)
		})
	}
	all.Wait()
	return out
}

func (d *delegation) zone(ctx context.Context, z *zones.Zone) *delegatedZone {
	found := &delegatedZone{Zone: z.Name, Servers: []askedServer{}, Findings: []finding{}}
	own := ownServers(z)
	above := &referral{}
	if z.Name != "." {
		if above = d.askParent(ctx, found); above == nil {
			above = &referral{}
		} else {
			found.compareNames(above, own)
			found.compareGlue(above, own)
		}
	}
	d.askServers(ctx, found, above, own)
	found.compareSerials()
	found.countServers(own)
	slices.SortStableFunc(found.Findings, func(a, b finding) int { return strings.Compare(string(a.Severity), string(b.Severity)) })
	return found
}

func (z *delegatedZone) add(s severity, hint, format string, args ...any) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.Findings = append(z.Findings, finding{s, fmt.Sprintf(format, args...), hint})
}

func (z *delegatedZone) count(s severity) int {
	n := 0
	for _, f := range z.Findings {
		if f.Severity == s {
			n++
		}
	}
	return n
}

// servers are nameservers by name, with the addresses known for them.
type servers map[string][]netip.Addr

func (s servers) names() []string { return slices.Sorted(maps.Keys(s)) }

// ownServers are the zone's nameservers as the zone itself says.
func ownServers(z *zones.Zone) servers {
	out := servers{}
	for _, p := range z.Records {
		if p.Type() != dns.TypeNS {
			continue
		}
		if ns := p.RR().(*dns.NS); dns.CanonicalName(ns.Hdr.Name) == z.Name {
			out[dns.CanonicalName(ns.Ns)] = nil
		}
	}
	for _, p := range z.Records {
		owner := dns.CanonicalName(p.Owner())
		if _, ok := out[owner]; ok {
			if a, ok := addressOf(p.RR()); ok {
				out[owner] = append(out[owner], a)
			}
		}
	}
	for _, p := range z.Pools { // a nameserver that runs on the deployments it answers for
		for _, name := range p.Answers {
			if _, ok := out[name]; ok {
				for _, deployment := range p.Deployments {
					out[name] = append(out[name], deployment.Addresses...)
				}
			}
		}
	}
	return out
}

func addressOf(rr dns.RR) (netip.Addr, bool) {
	switch rr := rr.(type) {
	case *dns.A:
		a, ok := netip.AddrFromSlice(rr.A)
		return a.Unmap(), ok
	case *dns.AAAA:
		return netip.AddrFromSlice(rr.AAAA)
	}
	return netip.Addr{}, false
}

// compareNames compares the NS records at the parent with the zone's own.
func (z *delegatedZone) compareNames(above *referral, own servers) {
	for _, name := range own.names() {
		if _, ok := above.servers[name]; !ok {
			z.add(unwise, fmt.Sprintf("have whoever runs %s add the NS record, or take it out of the zone", bare(z.Parent)),
				"the zone names %s as its nameserver, its parent %s does not: few resolvers will ask it", bare(name), bare(z.Parent))
		}
	}
	for _, name := range above.servers.names() {
		if _, ok := own[name]; !ok {
			z.add(unwise, fmt.Sprintf("add it to ns in the zone, or have whoever runs %s take it out", bare(z.Parent)),
				"the parent %s sends resolvers to %s, which the zone does not name", bare(z.Parent), bare(name))
		}
	}
}

// compareGlue compares the addresses that the parent gives for nameservers inside the zone with the zone's own.
func (z *delegatedZone) compareGlue(above *referral, own servers) {
	for _, name := range above.servers.names() {
		if !dns.IsSubDomain(z.Zone, name) {
			continue
		}
		glue, held := above.servers[name], own[name]
		if len(glue) == 0 {
			z.add(severe, fmt.Sprintf("have whoever runs %s add %s", bare(z.Parent), addressList(held)),
				"the parent gives no address (glue) for %s, which lies inside the zone: resolvers cannot find it", bare(name))
			continue
		}
		if extra := without(glue, held); len(extra) > 0 {
			z.add(severe, fmt.Sprintf("have whoever runs %s put %s there, or correct the zone", bare(z.Parent), addressList(held)),
				"the parent sends resolvers for %s to %s, which is not its address in the zone", bare(name), addressList(extra))
		}
		if missing := without(held, glue); len(missing) > 0 {
			z.add(unwise, fmt.Sprintf("have whoever runs %s add it", bare(z.Parent)),
				"the parent does not give %s for %s", addressList(missing), bare(name))
		}
	}
}

func without(all, known []netip.Addr) []netip.Addr {
	return slices.DeleteFunc(slices.Clone(all), func(a netip.Addr) bool { return slices.Contains(known, a) })
}

func addressList(addresses []netip.Addr) string {
	if len(addresses) == 0 {
		return "its address"
	}
	out := make([]string, len(addresses))
	for i, a := range addresses {
		out[i] = a.String()
	}
	return strings.Join(out, ", ")
}

// compareSerials finds nameservers that hold other data.
func (z *delegatedZone) compareSerials() {
	serials := map[uint32][]string{}
	for _, s := range z.Servers {
		if s.Serial != nil && !slices.Contains(serials[*s.Serial], bare(s.Name)) {
			serials[*s.Serial] = append(serials[*s.Serial], bare(s.Name))
		}
	}
	if len(serials) < 2 {
		return
	}
	var parts []string
	for _, serial := range slices.Sorted(maps.Keys(serials)) {
		parts = append(parts, fmt.Sprintf("%d at %s", serial, strings.Join(serials[serial], ", ")))
	}
	z.add(unwise, "see that all have the same files, and were reloaded; without a serial in the zone each livens counts its own",
		"the nameservers' serials differ: %s", strings.Join(parts, "; "))
}

// countServers warns of what one fault would take away.
func (z *delegatedZone) countServers(own servers) {
	hosts := map[netip.Addr]bool{}
	for _, s := range z.Servers {
		if s.Address.IsValid() {
			hosts[s.Address] = true
		}
	}
	switch {
	case len(own) < 2:
		z.add(unwise, "run a second one, best in another network", "the zone has one nameserver: when it fails, nobody finds the zone")
	case len(hosts) == 1:
		z.add(unwise, "run a second one, best in another network", "all its nameservers are one address: when it fails, nobody finds the zone")
	}
}
