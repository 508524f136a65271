package dnsserver_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// difference is one query that livens and a reference server answer differently.
type difference struct {
	query     query
	ours, ref reply
	parts     []string // "rcode", "aa", "tc", "ad", "cd", "do", "chain", "answer", "authority", "additional"
}

// only reports whether the replies differ in nothing else.
func (d *difference) only(parts ...string) bool {
	return !slices.ContainsFunc(d.parts, func(part string) bool { return !slices.Contains(parts, part) })
}

// String shows the query, and line by line what one side has and the other has not.
func (d *difference) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s (ours %d octets, reference %d)", d.query, strings.Join(d.parts, ", "), len(d.ours.wire), len(d.ref.wire))
	ours, ref := lines(d.ours.msg), lines(d.ref.msg)
	for _, line := range ours {
		if !slices.Contains(ref, line) {
			b.WriteString("\n  ours      " + line)
		}
	}
	for _, line := range ref {
		if !slices.Contains(ours, line) {
			b.WriteString("\n  reference " + line)
		}
	}
	if slices.Contains(d.parts, "chain") {
		fmt.Fprintf(&b, "\n  our order       %v\n  reference order %v", chain(d.ours.msg), chain(d.ref.msg))
	}
	return b.String()
}

func lines(m *dns.Msg) []string {
	list := []string{fmt.Sprintf("%s aa=%v tc=%v ad=%v cd=%v", dns.RcodeToString[m.Rcode], m.Authoritative, m.Truncated,
		m.AuthenticatedData, m.CheckingDisabled)}
	for _, part := range []struct {
		name    string
		records []dns.RR
	}{{"answer", m.Answer}, {"authority", m.Ns}, {"additional", m.Extra}} {
		for _, line := range section(part.records) {
			list = append(list, fmt.Sprintf("%-10s %s", part.name, line))
		}
	}
	return list
}

// compare returns the parts in which two replies differ.
func compare(ours, ref *dns.Msg) []string {
	var parts []string
	differ := func(part string, equal bool) {
		if !equal {
			parts = append(parts, part)
		}
	}
	differ("rcode", ours.Rcode == ref.Rcode)
	differ("aa", ours.Authoritative == ref.Authoritative)
	differ("tc", ours.Truncated == ref.Truncated)
	differ("ad", ours.AuthenticatedData == ref.AuthenticatedData)
	differ("cd", ours.CheckingDisabled == ref.CheckingDisabled)
	differ("chain", slices.Equal(chain(ours), chain(ref)))
	differ("answer", slices.Equal(section(ours.Answer), section(ref.Answer)))
	differ("authority", slices.Equal(section(ours.Ns), section(ref.Ns)))
	differ("additional", slices.Equal(section(ours.Extra), section(ref.Extra)))
	if a, b := ours.IsEdns0(), ref.IsEdns0(); a != nil && b != nil {
		differ("do", a.Version() == b.Version() && a.Do() == b.Do())
	}
	return parts
}

// section is the normal form of a section for comparison: records as text, sorted, names without regard to case
// (RFC 4343), without the OPT record.
func section(records []dns.RR) []string {
	var list []string
	for _, rr := range records {
		if rr.Header().Rrtype != dns.TypeOPT {
			list = append(list, normal(rr))
		}
	}
	slices.Sort(list)
	return list
}

// caseless are the types whose data consists of names and numbers, so that case does not count in it.
var caseless = []uint16{dns.TypeNS, dns.TypeCNAME, dns.TypeSOA, dns.TypePTR, dns.TypeMX, dns.TypeMINFO, dns.TypeRP,
	dns.TypeAFSDB, dns.TypeRT, dns.TypeSRV, dns.TypeKX, dns.TypeDNAME, dns.TypeLP}

func normal(rr dns.RR) string {
	if slices.Contains(caseless, rr.Header().Rrtype) {
		return strings.ToLower(rr.String())
	}
	head := rr.Header().String()
	return strings.ToLower(head) + strings.TrimPrefix(rr.String(), head)
}

// chain is the answer's aliases in order of appearance.
func chain(m *dns.Msg) []string {
	var list []string
	for _, rr := range m.Answer {
		if rr.Header().Rrtype == dns.TypeCNAME || rr.Header().Rrtype == dns.TypeDNAME {
			list = append(list, normal(rr))
		}
	}
	return list
}
