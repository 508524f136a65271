package dnsserver

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/livens/livens/failover"
	"github.com/livens/livens/zones"
	"github.com/miekg/dns"
	"pgregory.net/rapid"
)

// oracle answers straight from the records, walking RFC 1034 section 4.3.2 from the top for every query, without any
// of the structures that the server compiles.
type oracle struct{ pub failover.Publication }

type oracleZone struct {
	name string
	sets map[string]map[uint16][]dns.RR // by lower-case owner
	pool map[string]uint32              // TTL of the pool at an owner
}

func (o *oracle) zone(qname string) *oracleZone {
	var best *oracleZone
	for _, z := range o.pub.Set.Zones {
		if !dns.IsSubDomain(z.Name, qname) || best != nil && len(z.Name) <= len(best.name) {
			continue
		}
		best = &oracleZone{z.Name, map[string]map[uint16][]dns.RR{}, map[string]uint32{}}
		for _, rr := range z.Records {
			best.add(rr.RR())
		}
		for _, p := range z.Pools {
			d := o.pub.Decisions[p.Name]
			for _, owner := range p.Answers {
				best.pool[owner] = d.TTL
				for _, a := range d.Addresses {
					rtype := "A"
					if a.Is6() {
						rtype = "AAAA"
					}
					rr, _ := dns.NewRR(fmt.Sprintf("%s %d %s %s", owner, d.TTL, rtype, a))
					best.add(rr)
				}
				text, _ := dns.NewRR(fmt.Sprintf(`_livens.%s %d TXT "active=%s" "epoch=%d" "since=%s"`,
					owner, d.TTL, d.Active[0], d.Epoch, d.Since.Format("2006-01-02T15:04:05Z")))
				best.pool["_livens."+owner] = d.TTL
				best.add(text)
			}
		}
	}
	return best
}

func (z *oracleZone) add(rr dns.RR) {
	owner := strings.ToLower(rr.Header().Name)
	if z.sets[owner] == nil {
		z.sets[owner] = map[uint16][]dns.RR{}
	}
	z.sets[owner][rr.Header().Rrtype] = append(z.sets[owner][rr.Header().Rrtype], rr)
}

func (z *oracleZone) exists(name string) bool {
	for owner := range z.sets {
		if dns.IsSubDomain(name, owner) {
			return true
		}
	}
	return false
}

// ancestors are the names from the apex down to name.
func (z *oracleZone) ancestors(name string) []string {
	list := []string{name}
	for name != z.name {
		off, _ := dns.NextLabel(name, 0)
		if name = name[off:]; name == "" {
			name = "."
		}
		list = append(list, name)
	}
	slices.Reverse(list)
	return list
}

func (o *oracle) answer(qname string, qtype uint16) *dns.Msg {
	m := new(dns.Msg)
	qname = strings.ToLower(qname)
	z := o.zone(qname)
	if z == nil {
		m.Rcode = dns.RcodeRefused
		return m
	}
	if qtype == dns.TypeDS && qname == z.name && qname != "." {
		if above := o.zone(qname[strings.Index(qname, ".")+1:]); above != nil {
			names := above.ancestors(qname)
			for _, a := range names[1:] {
				if above.sets[a][dns.TypeNS] != nil {
					z = above
					break
				}
			}
		}
	}
	m.Authoritative = true
	seen := []string{}
	for {
		target := o.step(m, z, qname, qtype, len(seen) == 5)
		if target == "" {
			return m
		}
		seen = append(seen, qname)
		qname = strings.ToLower(target)
		if z = o.zone(qname); z == nil || slices.Contains(seen, qname) {
			return m
		}
	}
}

// step adds what z holds for qname and returns the target of an alias, or "". last forbids
// another alias.
func (o *oracle) step(m *dns.Msg, z *oracleZone, qname string, qtype uint16, last bool) string {
	encloser := z.name
	for _, a := range z.ancestors(qname) {
		if ns := z.sets[a][dns.TypeNS]; a != z.name && ns != nil && (a != qname || qtype != dns.TypeDS) {
			m.Ns = append(m.Ns, ns...)
			if len(m.Answer) == 0 {
				m.Authoritative = false
			}
			return ""
		}
		if d := z.sets[a][dns.TypeDNAME]; a != qname && d != nil {
			if last {
				return ""
			}
			if !slices.ContainsFunc(m.Answer, func(rr dns.RR) bool { return dns.IsDuplicate(rr, d[0]) }) {
				m.Answer = append(m.Answer, d[0])
			}
			target := d[0].(*dns.DNAME).Target
			name := strings.TrimSuffix(qname, a)
			if target != "." {
				name += target
			}
			buf := make([]byte, 300)
			if _, err := dns.PackDomainName(name, buf, 0, nil, false); err != nil {
				m.Rcode = dns.RcodeYXDomain
				return ""
			}
			m.Answer = append(m.Answer, &dns.CNAME{Target: name, Hdr: dns.RR_Header{
				Name: qname, Rrtype: dns.TypeCNAME, Class: dns.ClassINET, Ttl: d[0].Header().Ttl}})
			if qtype == dns.TypeCNAME {
				return ""
			}
			return name
		}
		if z.exists(a) {
			encloser = a
		}
	}
	node := qname
	if encloser != qname {
		node = "*." + encloser
		if !z.exists(node) {
			m.Rcode = dns.RcodeNameError
			z.negative(m, 0)
			return ""
		}
	}
	set := z.sets[node][qtype]
	if cname := z.sets[node][dns.TypeCNAME]; set == nil && cname != nil {
		if last {
			return ""
		}
		m.Answer = append(m.Answer, owned(cname, qname)...)
		return cname[0].(*dns.CNAME).Target
	}
	if set == nil {
		z.negative(m, z.pool[node])
		return ""
	}
	m.Answer = append(m.Answer, owned(set, qname)...)
	return ""
}

func (z *oracleZone) negative(m *dns.Msg, ttl uint32) {
	soa := dns.Copy(z.sets[z.name][dns.TypeSOA][0]).(*dns.SOA)
	soa.Hdr.Ttl = min(soa.Hdr.Ttl, soa.Minttl)
	if ttl > 0 {
		soa.Hdr.Ttl = min(soa.Hdr.Ttl, ttl)
	}
	m.Ns = append(m.Ns, soa)
}

func owned(set []dns.RR, owner string) []dns.RR {
	var out []dns.RR
	for _, rr := range set {
		rr = dns.Copy(rr)
		rr.Header().Name = owner
		out = append(out, rr)
	}
	return out
}

var oracleTypes = []uint16{dns.TypeA, dns.TypeAAAA, dns.TypeTXT, dns.TypeMX, dns.TypeNS, dns.TypeDS, dns.TypeCNAME,
	dns.TypeDNAME, dns.TypeSOA, 65280}

// drawName draws a name at or below the zones, or beside them.
func drawName(t *rapid.T, what string) string {
	labels := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", "*", "A", "_livens", "dd"}), 0, 4).Draw(t, what)
	tail := rapid.SampledFrom([]string{"test.", "test.", "test.", "a.test.", "other."}).Draw(t, what+" tail")
	return strings.Join(append(labels, tail), ".")
}

func drawRecord(t *rapid.T, zone string) dns.RR {
	owner := drawName(t, "owner")
	target := drawName(t, "target")
	text := rapid.SampledFrom([]string{
		"A 192.0.2.1", "A 192.0.2.2", "AAAA 2001:db8::1", `TXT "x"`, "MX 10 %s", "NS %s", "NS %s", "CNAME %s", "CNAME %s",
		"DNAME %s", "DS 1 8 2 00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF", `TYPE65280 \# 2 abcd`,
	}).Draw(t, "record")
	if strings.Contains(text, "%s") {
		text = fmt.Sprintf(text, target)
	}
	rr, err := dns.NewRR(owner + " 300 " + text)
	if err != nil {
		t.Fatal(err)
	}
	if !dns.IsSubDomain(zone, strings.ToLower(owner)) {
		return nil
	}
	return rr
}

// legal keeps what the zones room would have let through.
func legal(records []dns.RR, rr dns.RR, zone string) bool {
	owner, rtype := strings.ToLower(rr.Header().Name), rr.Header().Rrtype
	if strings.HasPrefix(owner, "*") && (rtype == dns.TypeNS || rtype == dns.TypeDNAME) || owner == zone && (rtype == dns.TypeNS || rtype == dns.TypeCNAME) {
		return false
	}
	for _, old := range records {
		if !strings.EqualFold(old.Header().Name, owner) {
			continue
		}
		both := [2]uint16{old.Header().Rrtype, rtype}
		if both[0] == dns.TypeCNAME || both[1] == dns.TypeCNAME || dns.IsDuplicate(old, rr) {
			return false
		}
		if slices.Contains(both[:], dns.TypeDNAME) && (both[0] == both[1] || slices.Contains(both[:], dns.TypeNS)) {
			return false
		}
	}
	return true
}

func drawPublication(t *rapid.T, tb testing.TB) failover.Publication {
	names := []string{"test."}
	if rapid.Bool().Draw(t, "child loaded") {
		names = append(names, "a.test.")
	}
	var texts []string
	for _, name := range names {
		texts = append(texts, name+" 3600 IN SOA ns.other. h.other. 7 3600 900 86400 60\n"+name+" 300 IN NS ns.other.\n")
	}
	pub := publication(tb, texts...)
	for _, z := range pub.Set.Zones {
		for range rapid.IntRange(0, 12).Draw(t, "records") {
			if rr := drawRecord(t, z.Name); rr != nil && legal(unpacked(z.Records), rr, z.Name) {
				z.Records = append(z.Records, packed(tb, rr))
			}
		}
		z.Records = ordered(z.Records)
	}
	z := pub.Set.Zones[len(pub.Set.Zones)-1]
	answer := strings.ToLower(drawName(t, "pool"))
	taken := slices.ContainsFunc(z.Records, func(rr zones.Packed) bool {
		rtype := rr.Type()
		name := strings.ToLower(rr.Owner())
		return name == "_livens."+answer || name == answer && (rtype == dns.TypeA || rtype == dns.TypeAAAA || rtype == dns.TypeCNAME || rtype == dns.TypeNS)
	})
	if dns.IsSubDomain(z.Name, answer) && !taken && !strings.Contains(answer, "_livens") {
		addrs := rapid.SampledFrom([][]string{{"203.0.113.1"}, {"2001:db8::1"}, {"203.0.113.1", "2001:db8::1"}}).Draw(t, "addresses")
		withPool(&pub, "chat", uint32(rapid.IntRange(1, 100).Draw(t, "ttl")), []string{answer}, addrs...)
	}
	return pub
}

// TestAgainstOracle compares rcode, AA, answer and authority with the naive answerer over generated zones and queries.
func TestAgainstOracle(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		pub := drawPublication(rt, t)
		c := client{compiled(t, pub), true}
		o := oracle{pub}
		for range 20 {
			qname := drawName(rt, "qname")
			qtype := rapid.SampledFrom(oracleTypes).Draw(rt, "qtype")
			q := new(dns.Msg)
			q.SetQuestion(qname, qtype)
			q.RecursionDesired = false
			got, want := c.exchange(t, q), o.answer(qname, qtype)
			got.Extra = nil
			if a, b := folded(got), folded(want); a != b {
				rt.Fatalf("%s %s\ngot\n%s\nwant\n%s\nzones %v", qname, dns.Type(qtype), a, b, zoneText(pub))
			}
		}
	})
}

// folded is show in lower case, its lines sorted.
func folded(m *dns.Msg) string {
	lines := strings.Split(strings.ToLower(show(m)), "\n")
	slices.Sort(lines[1:])
	return strings.Join(lines, "\n")
}

func unpacked(records []zones.Packed) []dns.RR {
	var out []dns.RR
	for _, p := range records {
		out = append(out, p.RR())
	}
	return out
}

func zoneText(pub failover.Publication) string {
	var b strings.Builder
	for _, z := range pub.Set.Zones {
		for _, rr := range z.Records {
			fmt.Fprintln(&b, rr.RR())
		}
		for _, p := range z.Pools {
			fmt.Fprintln(&b, "pool", p.Answers)
		}
	}
	return b.String()
}
