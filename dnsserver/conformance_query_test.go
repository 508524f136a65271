package dnsserver_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// query is one question and everything around it that may change the answer.
type query struct {
	name  string // presentation format, fully qualified
	qtype uint16
	flags
}

// flags are how a query is asked.
type flags struct {
	rd, cd, ad, do bool
	edns           int // the UDP size that EDNS announces; noEDNS: no OPT record
	tcp            bool
}

const noEDNS = -1

func (q query) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", q.name, dns.Type(q.qtype))
	for _, flag := range []struct {
		set  bool
		name string
	}{{q.rd, "rd"}, {q.cd, "cd"}, {q.ad, "ad"}, {q.do, "do"}, {q.tcp, "tcp"}} {
		if flag.set {
			b.WriteString(" +" + flag.name)
		}
	}
	if q.edns != noEDNS {
		fmt.Fprintf(&b, " +bufsize=%d", q.edns)
	}
	return b.String()
}

// pack is the query's wire form.
func (q query) pack(t testing.TB, id uint16) []byte {
	t.Helper()
	m := &dns.Msg{
		MsgHdr:   dns.MsgHdr{Id: id, RecursionDesired: q.rd, CheckingDisabled: q.cd, AuthenticatedData: q.ad},
		Question: []dns.Question{{Name: q.name, Qtype: q.qtype, Qclass: dns.ClassINET}},
	}
	if q.edns != noEDNS {
		m.SetEdns0(uint16(q.edns), q.do)
	}
	wire, err := m.Pack()
	if err != nil {
		t.Fatalf("%s: %v", q, err)
	}
	return wire
}

// variants are the ways a question is put; every question is put in one of them, in turn.
var variants = []flags{
	{edns: noEDNS},
	{edns: noEDNS, rd: true},
	{edns: 1232, do: true},
	{edns: 512},
	{edns: noEDNS, tcp: true},
	{edns: 4096, rd: true, do: true},
	{edns: 0},
	{edns: 1232, tcp: true, do: true},
	{edns: 700, rd: true, ad: true},
	{edns: 65535, cd: true},
	{edns: 1400},
}

// zoneRecords parses zone files, apart from livens' own reader.
func zoneRecords(t testing.TB, files ...string) []dns.RR {
	t.Helper()
	var records []dns.RR
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		parser := dns.NewZoneParser(f, "", filepath.Base(file))
		for rr, ok := parser.Next(); ok; rr, ok = parser.Next() {
			records = append(records, rr)
		}
		if err := parser.Err(); err != nil {
			t.Fatal(err)
		}
	}
	return records
}

// generate derives questions from the zones' records: the same records give the same questions in the same order.
func generate(records []dns.RR) []query {
	present := make(map[string][]uint16) // the types at a name
	for _, rr := range records {
		name := strings.ToLower(rr.Header().Name)
		if !slices.Contains(present[name], rr.Header().Rrtype) {
			present[name] = append(present[name], rr.Header().Rrtype)
		}
	}
	all := everyType()
	var queries []query
	turn := 0
	ask := func(name string, qtype uint16) {
		queries = append(queries, query{name, qtype, variants[turn%len(variants)]})
		turn++
	}
	for i, name := range names(records) {
		types := slices.Concat(commonTypes, present[strings.ToLower(name)])
		if _, owner := present[strings.ToLower(name)]; owner && !strings.Contains(name, "many") {
			types = slices.Concat(types, all)
		} else { // three of the many, other ones at every name
			for k := range 3 {
				types = append(types, all[(3*i+k)%len(all)])
			}
		}
		slices.Sort(types)
		for _, qtype := range slices.Compact(types) {
			ask(name, qtype)
		}
	}
	// What may be cut off is asked for in every way.
	for _, name := range []string{"fits512", "fits1232", "large", "large6", "huge", "to-large", "manymx", "manyns",
		"x.manyns", "sub", "mx", "txt", "www.tree", "alias", "hop1", "nowhere", "naptr", "svc2"} {
		for _, variant := range variants {
			for _, qtype := range []uint16{dns.TypeA, dns.TypeAAAA, dns.TypeMX, dns.TypeTXT, dns.TypeANY} {
				queries = append(queries, query{name + ".example.test.", qtype, variant})
			}
		}
	}
	return queries
}

// commonTypes are asked for at every name.
var commonTypes = []uint16{dns.TypeA, dns.TypeAAAA, dns.TypeNS, dns.TypeDS, dns.TypeSOA, dns.TypeCNAME, dns.TypeDNAME,
	dns.TypeMX, dns.TypeTXT, dns.TypeANY}

// everyType lists all types that may be asked for: known ones, unknown ones, and type 0. The obsolete MAILA and
// MAILB, the transfers, OPT and the transaction signatures are not data types and have tests of their own.
func everyType() []uint16 {
	not := []uint16{dns.TypeOPT, dns.TypeTSIG, dns.TypeTKEY, dns.TypeAXFR, dns.TypeIXFR, dns.TypeMAILA, dns.TypeMAILB,
		dns.TypeReserved, dns.TypeNone}
	var types []uint16
	for qtype := range dns.TypeToString {
		if !slices.Contains(not, qtype) {
			types = append(types, qtype)
		}
	}
	types = append(types, 731, 65280, 65281, 65534, 300)
	slices.Sort(types)
	return slices.Compact(types)
}

// names lists what is asked about: owners, ancestors, names beside, below and in other letters than those, names
// that records point to, and names that no zone file holds.
func names(records []dns.RR) []string {
	var list []string
	seen := make(map[string]bool)
	add := func(name string) {
		if wireLength(name) <= 255 && !seen[name] {
			seen[name] = true
			list = append(list, name)
		}
	}
	for _, rr := range records {
		if owner := rr.Header().Name; strings.Contains(owner, ".manyns.") {
			add(owner) // all alike
		} else {
			derive(owner, add)
		}
	}
	for _, rr := range records {
		for _, target := range targets(rr) {
			add(target)
			add("below." + target)
		}
	}
	for _, name := range strangers() {
		add(name)
	}
	return list
}

// wireLength is a name's length in octets, at most 255 (RFC 1035 section 2.3.4).
func wireLength(name string) int {
	end, err := dns.PackDomainName(name, make([]byte, 1024), 0, nil, false)
	if err != nil {
		return 1024
	}
	return end
}

// derive adds an owner, its ancestors, names around it and spellings of it.
func derive(owner string, add func(string)) {
	add(owner)
	add(mixCase(owner))
	add("nx." + owner)
	add("a.b.c." + owner)
	add("*." + owner)
	add(`\000.` + owner)
	for off, end := dns.NextLabel(owner, 0); !end && strings.HasSuffix(owner[off:], ".test."); off, end = dns.NextLabel(owner, off) {
		ancestor := owner[off:]
		add(ancestor)
		add("beside." + ancestor)
		add("*." + ancestor)
	}
}

// targets are the names inside a record's data.
func targets(rr dns.RR) []string {
	switch rr := rr.(type) {
	case *dns.NS:
		return []string{rr.Ns}
	case *dns.MX:
		return []string{rr.Mx}
	case *dns.SRV:
		return []string{rr.Target}
	case *dns.CNAME:
		return []string{rr.Target}
	case *dns.DNAME:
		return []string{rr.Target}
	case *dns.SVCB:
		return []string{rr.Target}
	case *dns.SOA:
		return []string{rr.Ns, rr.Mbox}
	case *dns.PTR:
		return []string{rr.Ptr}
	}
	return nil
}

// strangers are names that follow from no record: outside the zones, too long for a DNAME, at the limits of labels and names.
func strangers() []string {
	label := func(c string, n int) string { return strings.Repeat(c, n) + "." }
	long := label("p", 63) + label("q", 63) + label("r", 63)
	return []string{
		".", "test.", "com.", "elsewhere.invalid.", "www.elsewhere.invalid.", "example.test.example.com.",
		"xexample.test.", "notchild.example.test.", "xchild.example.test.", "example.test.test.", "id.server.", "version.bind.",
		long + label("s", 48) + "example.test.",                                                // 255 octets, nowhere
		long + label("s", 43) + "wild.example.test.",                                           // 255 octets, under a wildcard
		label("p", 63) + label("q", 20) + "tree-long.example.test.",                            // longer than 255 octets by DNAME
		label("p", 48) + "tree-long.example.test.", label("p", 49) + "tree-long.example.test.", // the last that fits, and one more
		label("p", 63) + label("q", 63) + label("r", 63) + label("s", 43) + "tree.example.test.",
		label("x", 63) + "example.test.", label("x", 62) + "example.test.", label("x", 63) + "wild.example.test.",
		strings.Repeat("1.", 120) + "example.test.", strings.Repeat("1.", 118) + "wild.example.test.",
		`www\.example.test.`, `www\000.example.test.`, `\255.wild.example.test.`, `\*.wild.example.test.`, `\@.example.test.`,
		`\032.example.test.`, `\\.example.test.`, `a.dot.example.test.`, `\(.wild.example.test.`,
		"_livens.www.example.test.", "x.dname.test.", "www.dname.test.", "a.b.wild.dname.test.", "www.child.dname.test.",
		"sub.dname.test.", "host.sub.dname.test.", "WWW.DNAME.TEST.", "nowhere.dname.test.", "tree.dname.test.", "w.tree.dname.test.",
		"www.tree-two.example.test.", "x.y.z.tree-two.example.test.", "www.tree-child.example.test.", "host.tree-cut.example.test.",
		"x.tree-loop.example.test.", "com.tree-root.example.test.", "x.updname.child.example.test.", "y.any.child.example.test.",
		"deep.ent.example.test.", "a.tree-ttl.example.test.", "nx.tree-ttl.example.test.", "x.tree-alias.example.test.",
	}
}

// mixCase alternates the case of a name's letters; escapes stay as they are.
func mixCase(name string) string {
	b := []byte(name)
	for i := range b {
		if i%2 == 0 && b[i] >= 'a' && b[i] <= 'z' {
			b[i] -= 'a' - 'A'
		}
	}
	return string(b)
}
