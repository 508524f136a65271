package dnsserver_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/livens/livens/internal/peertest"
	"github.com/miekg/dns"
)

// TestRootZoneAsKnot serves a zone without labels.
func TestRootZoneAsKnot(t *testing.T) {
	zone := peertest.Zone{Name: ".", File: "testdata/conformance/root.zone"}
	text, err := os.ReadFile(zone.File)
	if err != nil {
		t.Fatal(err)
	}
	livens := serve(t, "", map[string]string{"db.root": string(text), "root.toml": "[zone]\nname = \".\"\nzonefile = \"db.root\"\n"})
	compareWithKnot(t, livens.addr, []peertest.Zone{zone}, peerQueries(t, zone), nil)
}

const (
	randomSeed    = 8
	randomZones   = 60
	randomRecords = 34 // tries a zone: what cannot stand beside the others is left out
	depth         = 3  // labels below the apex
)

// alphabet is short, so that names meet: as owners, targets, ancestors, cuts and wildcards of each other.
var alphabet = []string{"a", "b", "c", "*"}

// TestRandomZonesAsKnot makes up small zones from few names and asks for all names there can be in them: what no one
// thinks of when writing a zone file for a test.
func TestRandomZonesAsKnot(t *testing.T) {
	files := make(map[string]string)
	var zones []peertest.Zone
	var queries []query
	dir := t.TempDir()
	for i := range randomZones {
		random := rand.New(rand.NewPCG(randomSeed, uint64(i)))
		apex := fmt.Sprintf("z%d.test", i)
		text := randomZone(random, apex+".")
		zone := peertest.Zone{Name: apex + ".", File: filepath.Join(dir, apex)}
		write(t, zone.File, text)
		zones = append(zones, zone)
		files["db."+apex] = text
		files[apex+".toml"] = "[zone]\nname = \"" + apex + "\"\nzonefile = \"db." + apex + "\"\n"
		for _, name := range everyName(apex+".", depth) {
			for _, qtype := range []uint16{dns.TypeA, dns.TypeNS, dns.TypeCNAME, dns.TypeMX, dns.TypeDS, dns.TypeDNAME, dns.TypeANY} {
				queries = append(queries, query{name, qtype, variants[len(queries)%len(variants)]})
			}
		}
	}
	compareWithKnot(t, serve(t, "", files).addr, zones, queries, []tolerance{selfAlias, cutWildcard})
}

// everyName lists the names of up to so many labels below base, and one below each of the longest.
func everyName(base string, labels int) []string {
	list := []string{base}
	if labels == 0 {
		list = append(list, "b."+base)
	} else {
		for _, label := range alphabet {
			list = append(list, everyName(label+"."+base, labels-1)...)
		}
	}
	return list
}

// randomName is the apex or a name up to depth labels below it.
func randomName(random *rand.Rand, apex string) string {
	name := apex
	for range random.IntN(depth + 1) {
		name = alphabet[random.IntN(len(alphabet))] + "." + name
	}
	return name
}

// randomZone keeps to what Knot and livens both accept: a CNAME stands alone, nothing is below a DNAME, and neither
// NS nor DNAME is at a wildcard.
func randomZone(random *rand.Rand, apex string) string {
	types := make(map[string][]string) // by owner
	var text strings.Builder
	fmt.Fprintf(&text, "$TTL 300\n%[1]s SOA ns.invalid. h.invalid. 1 2 3 4 60\n%[1]s NS ns.invalid.\n", apex)
	types[apex] = []string{"SOA", "NS"}
	for range randomRecords {
		owner, target := randomName(random, apex), randomName(random, apex)
		if random.IntN(12) == 0 {
			target = "outside.invalid."
		}
		rtype := []string{"A", "A", "A", "MX", "NS", "CNAME", "CNAME", "DNAME", "DS"}[random.IntN(9)]
		if !fits(types, owner, rtype, target) {
			continue
		}
		types[owner] = append(types[owner], rtype)
		data := map[string]string{"A": fmt.Sprintf("192.0.2.%d", random.IntN(256)), "MX": "10 " + target,
			"DS": "1 13 2 " + strings.Repeat("ab", 32)}[rtype]
		if data == "" {
			data = target
		}
		fmt.Fprintf(&text, "%s %s %s\n", owner, rtype, data)
	}
	return text.String()
}

// fits reports whether a record may join those that are there.
func fits(types map[string][]string, owner, rtype, target string) bool {
	wild := strings.HasPrefix(owner, "*.")
	for name, there := range types {
		joined := strings.Join(there, " ") + " "
		switch {
		case name == owner && (rtype == "CNAME" || strings.Contains(joined, "CNAME")),
			name == owner && rtype == "DNAME" && strings.Contains(joined, "DNAME"),
			name == owner && (rtype == "DNAME" || rtype == "NS") && strings.Contains(joined, "DNAME "),
			name == owner && rtype == "DNAME" && strings.Contains(joined, "NS ") && !strings.Contains(joined, "SOA "),
			name != owner && dns.IsSubDomain(name, owner) && strings.Contains(joined, "DNAME"),
			name != owner && dns.IsSubDomain(owner, name) && rtype == "DNAME":
			return false
		}
	}
	switch rtype {
	case "NS", "DNAME":
		return !wild && (rtype == "DNAME" || len(types[owner]) == 0 || types[owner][0] != "SOA")
	case "DS":
		return strings.Contains(strings.Join(types[owner], " "), "NS") && types[owner][0] != "SOA"
	case "CNAME":
		return owner != target
	}
	return true
}
