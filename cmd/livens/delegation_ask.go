package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/miekg/dns"
)

// askedServer is one nameserver of a zone at one of its addresses.
type askedServer struct {
	Name    string     `json:"name"`
	Address netip.Addr `json:"address,omitzero"` // none was found
	UDP     string     `json:"udp"`              // "ok", or what is wrong
	TCP     string     `json:"tcp"`
	Serial  *uint32    `json:"serial,omitempty"` // of its SOA
}

// referral is how a parent delegates a zone: its nameservers, with glue.
type referral struct{ servers servers }

// askParent finds the zone above and asks its nameservers, until one replies, how it delegates the zone; nil with a
// finding when it does not.
func (d *delegation) askParent(ctx context.Context, z *delegatedZone) *referral {
	names, err := d.parent(ctx, z)
	if err != nil {
		z.add(severe, "is it a recursive resolver that this host may use? --resolver gives another", "the resolver %s: %v", d.resolver, err)
		return nil
	}
	var failures []string
	for _, name := range names {
		for _, address := range d.resolve(ctx, name) {
			reply, err := d.ask(ctx, "udp", d.server(address), z.Zone, dns.TypeNS, false)
			if err != nil {
				failures = append(failures, fmt.Sprintf("%s (%s): %v", bare(name), address, err))
				continue
			}
			z.Asked = bare(name)
			if r, said := readReferral(reply, z); said {
				return r
			}
			failures = append(failures, fmt.Sprintf("%s (%s): %s", bare(name), address, dns.RcodeToString[reply.Rcode]))
		}
	}
	z.add(severe, "try again; see whether this host may send DNS queries to the internet",
		"no nameserver of %s says how it delegates the zone: %s", bare(z.Parent), strings.Join(failures, "; "))
	return nil
}

// parent finds the zone above, and its nameservers.
func (d *delegation) parent(ctx context.Context, z *delegatedZone) ([]string, error) {
	for off, end := dns.NextLabel(z.Zone, 0); ; off, end = dns.NextLabel(z.Zone, off) {
		name := "."
		if !end {
			name = z.Zone[off:]
		}
		reply, err := d.ask(ctx, "udp", d.resolver, name, dns.TypeNS, true)
		if err != nil {
			return nil, err
		}
		var found []string
		for _, rr := range reply.Answer {
			if ns, ok := rr.(*dns.NS); ok && dns.CanonicalName(ns.Hdr.Name) == name {
				found = append(found, dns.CanonicalName(ns.Ns))
			}
		}
		if len(found) > 0 {
			z.Parent = name
			slices.Sort(found)
			return found, nil
		}
		if end {
			return nil, fmt.Errorf("it finds no zone above %s (%s)", bare(z.Zone), dns.RcodeToString[reply.Rcode])
		}
	}
}

// readReferral takes the delegation out of a parent's reply. said means that the reply settles the question; a nil
// referral then is a finding.
func readReferral(reply *dns.Msg, z *delegatedZone) (r *referral, said bool) {
	r = &referral{servers{}}
	for _, rr := range append(slices.Clone(reply.Answer), reply.Ns...) {
		if ns, ok := rr.(*dns.NS); ok && dns.CanonicalName(ns.Hdr.Name) == z.Zone {
			r.servers[dns.CanonicalName(ns.Ns)] = nil
		}
	}
	for _, rr := range reply.Extra {
		name := dns.CanonicalName(rr.Header().Name)
		if _, ok := r.servers[name]; ok {
			if a, ok := addressOf(rr); ok {
				r.servers[name] = append(r.servers[name], a)
			}
		}
	}
	if len(r.servers) > 0 {
		return r, true
	}
	if reply.Authoritative && (reply.Rcode == dns.RcodeNameError || reply.Rcode == dns.RcodeSuccess) {
		z.add(severe, fmt.Sprintf("have whoever runs %s add NS records for it", bare(z.Parent)),
			"the parent %s does not delegate %s: nobody is sent to your nameservers", bare(z.Parent), bare(z.Zone))
		return nil, true
	}
	return nil, false
}

// resolve asks the resolver for a host's addresses.
func (d *delegation) resolve(ctx context.Context, host string) []netip.Addr {
	var out []netip.Addr
	for _, qtype := range []uint16{dns.TypeA, dns.TypeAAAA} {
		reply, err := d.ask(ctx, "udp", d.resolver, host, qtype, true)
		if err != nil {
			continue // that it has no address is said where it matters
		}
		for _, rr := range reply.Answer {
			if a, ok := addressOf(rr); ok {
				out = append(out, a)
			}
		}
	}
	return out
}

// askServers asks every nameserver that the parent or the zone names, at each address.
func (d *delegation) askServers(ctx context.Context, z *delegatedZone, above *referral, own servers) {
	names := append(own.names(), above.servers.names()...)
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		addresses := append(slices.Clone(own[name]), without(above.servers[name], own[name])...)
		if !dns.IsSubDomain(z.Zone, name) {
			addresses = d.resolve(ctx, name)
			d.refuseAlias(ctx, z, name)
		}
		if len(addresses) == 0 {
			z.add(severe, "give it an A or AAAA record, or name another", "the nameserver %s has no address", bare(name))
			z.Servers = append(z.Servers, askedServer{Name: name, UDP: "no address", TCP: "no address"})
		}
		for _, a := range addresses {
			z.Servers = append(z.Servers, askedServer{Name: name, Address: a})
		}
	}
	var all sync.WaitGroup
	for i := range z.Servers {
		if z.Servers[i].Address.IsValid() {
			all.Go(func() { d.askServer(ctx, z, &z.Servers[i]) })
		}
	}
	all.Wait()
}

// refuseAlias finds a nameserver that is a CNAME (RFC 2181, section 10.3).
func (d *delegation) refuseAlias(ctx context.Context, z *delegatedZone, name string) {
	reply, err := d.ask(ctx, "udp", d.resolver, name, dns.TypeCNAME, true)
	if err != nil {
		return
	}
	for _, rr := range reply.Answer {
		if rr.Header().Rrtype == dns.TypeCNAME {
			z.add(severe, "name the host itself", "the nameserver %s is an alias (CNAME): many resolvers refuse it (RFC 2181)", bare(name))
			return
		}
	}
}

// askServer asks one nameserver for the zone's SOA over UDP and TCP.
func (d *delegation) askServer(ctx context.Context, z *delegatedZone, s *askedServer) {
	var failures [2]*failure
	for i, network := range []string{"udp", "tcp"} {
		reply, err := d.ask(ctx, network, d.server(s.Address), z.Zone, dns.TypeSOA, false)
		if failures[i] = judge(reply, err); failures[i] != nil {
			continue
		}
		s.Serial = serialOf(reply)
		if network == "udp" && reply.IsEdns0() == nil {
			z.add(unwise, "see that nothing between strips EDNS, and that the server supports it",
				"%s answers without EDNS (RFC 6891)", s)
		}
	}
	s.UDP, s.TCP = failures[0].String(), failures[1].String()
	if s.UDP == s.TCP {
		failures[0].report(z, s, "UDP and TCP")
		return
	}
	failures[0].report(z, s, "UDP")
	failures[1].report(z, s, "TCP")
}

// String names the server in findings.
func (s *askedServer) String() string { return fmt.Sprintf("%s (%s)", bare(s.Name), s.Address) }

// failure is how a nameserver did not do well; nil: it did.
type failure struct {
	word     string // for the table
	severity severity
	text     string // goes on after "ns1 (192.0.2.1) "; %s stands for the transport
	hint     string
}

func (f *failure) String() string {
	if f == nil {
		return "ok"
	}
	return f.word
}

func (f *failure) report(z *delegatedZone, s *askedServer, transport string) {
	if f != nil {
		z.add(f.severity, strings.ReplaceAll(f.hint, "%s", transport), "%s %s", s, strings.ReplaceAll(f.text, "%s", transport))
	}
}

// judge says how a nameserver did.
func judge(reply *dns.Msg, err error) *failure {
	const loaded = "is the zone configured and loaded there?"
	switch {
	case errors.Is(err, errNoRoute):
		return &failure{"no route", aside, "cannot be asked from here: no route", "ask from a host that has one"}
	case err != nil:
		return &failure{"no answer", severe, "does not answer over %s: " + err.Error(),
			"does the server run there, and do firewalls let port 53 over %s through?"}
	case reply.Rcode != dns.RcodeSuccess:
		word := dns.RcodeToString[reply.Rcode]
		return &failure{word, severe, "does not serve the zone: it answers " + word + " over %s", loaded}
	case !reply.Authoritative || serialOf(reply) == nil:
		return &failure{"lame", severe, "answers over %s without authority for the zone (a lame delegation)",
			loaded + " A resolver must not be a zone's nameserver"}
	}
	return nil
}

func serialOf(reply *dns.Msg) *uint32 {
	for _, rr := range reply.Answer {
		if soa, ok := rr.(*dns.SOA); ok {
			return &soa.Serial
		}
	}
	return nil
}

// errNoRoute says that this host has no way there: nothing is known about the other side.
var errNoRoute = errors.New("no route")

// udpTries is how often a datagram is sent before its silence counts.
const udpTries = 3

// ask sends one query, with EDNS; a truncated reply is asked for again over TCP.
func (d *delegation) ask(ctx context.Context, network string, server netip.AddrPort, name string, qtype uint16, recurse bool) (*dns.Msg, error) {
	q := new(dns.Msg).SetQuestion(name, qtype)
	q.RecursionDesired = recurse
	q.SetEdns0(1232, false)
	client := dns.Client{Net: network, Timeout: d.patience}
	tries := 1
	if network == "udp" {
		tries = udpTries
	}
	var reply *dns.Msg
	var err error
	for range tries {
		if reply, _, err = client.ExchangeContext(ctx, q, server.String()); err == nil || !timedOut(err) {
			break
		}
	}
	switch {
	case err != nil:
		return nil, d.plainly(err)
	case reply.Truncated && network == "udp":
		return d.ask(ctx, "tcp", server, name, qtype, recurse)
	}
	return reply, nil
}

// plainly puts a failure to ask into words.
func (d *delegation) plainly(err error) error {
	switch {
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EADDRNOTAVAIL), errors.Is(err, syscall.EAFNOSUPPORT):
		return errNoRoute
	case timedOut(err):
		return fmt.Errorf("no reply within %v", d.patience)
	case errors.Is(err, syscall.ECONNREFUSED):
		return errors.New("connection refused")
	}
	return err
}

func timedOut(err error) bool {
	var e net.Error
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &e) && e.Timeout()
}

func (p *printer) delegated(z *delegatedZone) {
	from := ""
	if z.Parent != "" {
		from = ", delegated by " + bare(z.Parent)
	}
	if z.Asked != "" {
		from += " (asked " + z.Asked + ")"
	}
	p.line("%s%s", p.paint(strong, "zone "+bare(z.Zone)), from)
	var rows [][]string
	word := func(s string) string {
		if s == "ok" {
			return p.paint(good, s)
		}
		return p.paint(bad, s)
	}
	for _, s := range z.Servers {
		address, serial := "–", ""
		if s.Address.IsValid() {
			address = s.Address.String()
		}
		if s.Serial != nil {
			serial = fmt.Sprintf("serial %d", *s.Serial)
		}
		rows = append(rows, []string{bare(s.Name), address, "UDP " + word(s.UDP), "TCP " + word(s.TCP), serial})
	}
	p.table("  ", rows)
	if len(z.Findings) == 0 {
		p.line("  %s", p.paint(good, "the parent, the zone and all nameservers agree"))
	}
	for _, f := range z.Findings {
		color := map[severity]string{severe: bad, unwise: unwell, aside: faint}[f.Severity]
		p.hang("  "+p.paint(color, string(f.Severity)+": "), f.Text)
		p.hang("    → ", f.Hint)
	}
}
