package web

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/livens/livens/zones"
	"github.com/miekg/dns"
)

// Source says where what is answered at a name comes from.
type Source string

// The sources.
const (
	FromPool       Source = "pool"       // A and AAAA come from a pool; other types from the zone's records
	FromRecords    Source = "records"    // the zone's own records
	FromDelegation Source = "delegation" // another nameserver's zone: a referral
	FromDNAME      Source = "dname"      // an ancestor is redirected elsewhere
	FromNothing    Source = "nothing"    // the zone is served and has no such name
	NotServed      Source = "not-served" // no zone here
)

// Explanation tells what is answered at a name, and why.
type Explanation struct {
	Name    string   `json:"name"`
	Source  Source   `json:"source"`
	Zone    *Zone    `json:"zone,omitempty"`
	Owner   string   `json:"owner,omitempty"`   // whose data it is: the name, a wildcard, a delegation or DNAME above it
	Records []string `json:"records,omitempty"` // at Owner, in presentation format
	Pool    *Pool    `json:"pool,omitempty"`
	Steps   []string `json:"steps"` // what leads from the name to the answer, in words
}

// Explain follows a name through the zones of set as the DNS server does, and tells every step. s describes set.
func (s *Status) Explain(set *zones.Set, name string) (*Explanation, error) {
	if _, ok := dns.IsDomainName(name); !ok || name == "" {
		return nil, fmt.Errorf("%q is not a domain name", name)
	}
	if set == nil {
		return nil, errors.New("no zones are loaded yet")
	}
	e := &Explanation{Name: dns.CanonicalName(name), Source: NotServed}
	z := enclosing(set, e.Name)
	if z == nil {
		e.step("no zone served here contains %s: queries for it are REFUSED", e.Name)
		return e, nil
	}
	for at, aliases := e.Name, 0; at != "" && z != nil; aliases++ {
		if aliases > maxAliases {
			e.step("a response holds %d aliases; a resolver asks on for %s", maxAliases, at)
			break
		}
		found := &search{status: s, zone: z, found: e, name: at}
		found.run()
		at = found.alias
		if z = enclosing(set, at); at != "" && z == nil {
			e.step("%s lies in no zone served here: a resolver asks elsewhere", at)
		}
	}
	return e, nil
}

// maxAliases is how many aliases the DNS server follows in one response.
const maxAliases = 5

func (e *Explanation) step(format string, args ...any) {
	e.Steps = append(e.Steps, fmt.Sprintf(format, args...))
}

// enclosing is the zone with the longest name that is name or above it.
func enclosing(set *zones.Set, name string) *zones.Zone {
	var best *zones.Zone
	if name == "" {
		return nil
	}
	for _, z := range set.Zones {
		if dns.IsSubDomain(z.Name, name) && (best == nil || len(z.Name) > len(best.Name)) {
			best = z
		}
	}
	return best
}

// search is one name's way through one zone.
type search struct {
	status *Status
	zone   *zones.Zone
	found  *Explanation
	name   string // asked for, or where an alias led
	alias  string // where the name's own alias leads; "": it has none
}

func (s *search) run() {
	for i := range s.status.Zones {
		if s.status.Zones[i].Name == s.zone.Name {
			s.found.Zone = &s.status.Zones[i]
		}
	}
	s.found.step("zone %s contains %s (%s)", s.zone.Name, s.name, s.zone.File)
	if s.zone.Stale != "" {
		s.found.step("the zone is its last good version: %s", s.zone.Stale)
	}
	if s.cut() {
		return
	}
	for _, owner := range append([]string{s.name}, s.wildcard()...) {
		if s.take(owner) {
			return
		}
	}
	s.found.Source = FromNothing
	if s.exists(s.name) {
		s.found.step("there are names below it and nothing at it: NODATA")
		return
	}
	s.found.step("the zone has no such name: NXDOMAIN")
}

// cut looks for a delegation or a DNAME on the way from the apex down to the name.
func (s *search) cut() bool {
	below := strings.TrimSuffix(s.name, s.zone.Name)
	labels := dns.SplitDomainName(below)
	for i := len(labels) - 1; i >= 0; i-- {
		owner := dns.CanonicalName(strings.Join(labels[i:], ".") + "." + strings.TrimPrefix(s.zone.Name, "."))
		if s.has(owner, dns.TypeNS) {
			s.found.Source, s.found.Owner, s.found.Records = FromDelegation, owner, s.records(owner)
			s.found.step("%s is delegated: the answer is a referral to its nameservers", owner)
			return true
		}
		if i > 0 && s.has(owner, dns.TypeDNAME) {
			s.found.Source, s.found.Owner, s.found.Records = FromDNAME, owner, s.records(owner)
			target := s.target(owner, dns.TypeDNAME)
			s.alias = dns.CanonicalName(strings.Join(labels[:i], ".") + "." + strings.TrimPrefix(target, "."))
			s.found.step("%s has a DNAME: the name is an alias of %s", owner, s.alias)
			return true
		}
	}
	return false
}

// wildcard is the one wildcard that stands for the name (RFC 4592): the child "*" of its closest existing ancestor.
func (s *search) wildcard() []string {
	if s.exists(s.name) {
		return nil
	}
	for off, end := dns.NextLabel(s.name, 0); !end; off, end = dns.NextLabel(s.name, off) {
		if encloser := s.name[off:]; s.exists(encloser) || encloser == s.zone.Name {
			return []string{"*." + encloser}
		}
	}
	return nil
}

// take explains the name by the data at owner, if there is any.
func (s *search) take(owner string) bool {
	pool := s.poolAt(owner)
	records := s.records(owner)
	if pool == nil && len(records) == 0 {
		return false
	}
	if owner != s.name {
		s.found.step("there is no such name, and the wildcard %s stands for it", owner)
	}
	s.found.Owner, s.found.Records, s.found.Source = owner, records, FromRecords
	if pool == nil {
		s.found.step("%s at %s in the zone", plural(len(records)), owner)
		if s.alias = s.target(owner, dns.TypeCNAME); s.alias != "" {
			s.found.step("it is an alias of %s", s.alias)
		}
		return true
	}
	s.found.Source, s.found.Pool = FromPool, pool
	s.decision(pool)
	return true
}

// decision tells how a pool came to answer as it does; of one that follows, how the followed one did.
func (s *search) decision(pool *Pool) {
	if pool.Follow == "" {
		s.found.step("A and AAAA come from pool %s (policy %s, failback %s, all_down %s)", pool.Decision.Pool, pool.Policy, pool.Failback, pool.Rule)
	} else {
		s.found.step("A and AAAA come from pool %s, which follows another", pool.Decision.Pool)
	}
	s.found.Steps = append(s.found.Steps, pool.Steps...)
	if followed := s.status.Pool(pool.Follow); followed != nil {
		s.found.Steps = append(s.found.Steps, followed.Steps...)
	}
}

func (s *search) poolAt(owner string) *Pool {
	for _, p := range s.zone.Pools {
		if slices.Contains(p.Answers, owner) {
			return s.status.Pool(p.Name)
		}
	}
	return nil
}

func (s *search) has(owner string, rrtype uint16) bool {
	return slices.ContainsFunc(s.zone.Records, func(p zones.Packed) bool {
		return p.Type() == rrtype && dns.CanonicalName(p.Owner()) == owner
	})
}

// target is where the alias of that type at owner leads, or "".
func (s *search) target(owner string, rrtype uint16) string {
	for _, p := range s.zone.Records {
		if p.Type() != rrtype || dns.CanonicalName(p.Owner()) != owner {
			continue
		}
		switch rr := p.RR().(type) {
		case *dns.CNAME:
			return dns.CanonicalName(rr.Target)
		case *dns.DNAME:
			return dns.CanonicalName(rr.Target)
		}
	}
	return ""
}

// records are those at owner, the SOA with the serial that is answered.
func (s *search) records(owner string) []string {
	var out []string
	for _, p := range s.zone.Records {
		if dns.CanonicalName(p.Owner()) != owner {
			continue
		}
		rr := p.RR()
		if soa, ok := rr.(*dns.SOA); ok && s.found.Zone != nil {
			soa.Serial = s.found.Zone.Serial
		}
		out = append(out, strings.ReplaceAll(rr.String(), "\t", " "))
	}
	return out
}

// exists says whether there is data at the name or below it.
func (s *search) exists(name string) bool {
	if slices.ContainsFunc(s.zone.Records, func(p zones.Packed) bool { return dns.IsSubDomain(name, dns.CanonicalName(p.Owner())) }) {
		return true
	}
	return slices.ContainsFunc(s.zone.Pools, func(p *zones.Pool) bool {
		return slices.ContainsFunc(p.Answers, func(a string) bool { return dns.IsSubDomain(name, a) })
	})
}

func plural(n int) string {
	if n == 1 {
		return "1 record stands"
	}
	return fmt.Sprintf("%d records stand", n)
}
