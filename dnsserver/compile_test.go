package dnsserver

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/livens/livens/zones"
	"github.com/miekg/dns"
)

// TestCompileGrowsItsIndex: names have nodes for all names above them, which nobody announced.
func TestCompileGrowsItsIndex(t *testing.T) {
	var zone, names []string
	for i := range 40 {
		name := strings.Repeat(fmt.Sprintf("l%d.", i), 60)
		zone = append(zone, name+"example.test. A 192.0.2.1")
		names = append(names, name+"example.test.", name[len(name)-100-len(name)%3:]+"example.test.")
	}
	c := client{compiled(t, publication(t, plainZone+strings.Join(zone, "\n")+"\n")), false}
	for i, name := range names {
		if off, _ := dns.NextLabel(name, 0); i%2 == 1 {
			name = name[off:]
		}
		if reply := c.ask(t, name+" A"); reply.Rcode != dns.RcodeSuccess || len(reply.Answer) != 1-i%2 {
			t.Errorf("%s: %v", name, reply)
		}
	}
}

// TestCompileWantsCanonicalOrder: names below before names above, and an owner's records apart, are errors.
func TestCompileWantsCanonicalOrder(t *testing.T) {
	reversed, apart := parseZone(t, kindsZone), parseZone(t, kindsZone)
	slices.Reverse(reversed.Records)
	apart.Records = append(apart.Records, apart.Records[0])
	for _, z := range []*zones.Zone{reversed, apart} {
		if got, err := new(compiler).compile(z, false); got != nil || err == nil || !strings.Contains(err.Error(), "zone example.test. is not in canonical order at ") {
			t.Errorf("%v %v", got, err)
		}
	}
}

// TestCompileReports what it cannot serve, and serves the rest.
func TestCompileReports(t *testing.T) {
	z := parseZone(t, plainZone)
	outside, _ := dns.NewRR("www.elsewhere.test. 300 A 192.0.2.1")
	broken := &dns.TXT{Hdr: dns.RR_Header{Name: "txt.example.test.", Rrtype: dns.TypeTXT, Class: dns.ClassINET}, Txt: []string{strings.Repeat("x", 300)}}
	z.Records = append(z.Records, packed(t, outside))
	if got, err := zones.Pack(broken); err == nil {
		t.Errorf("packed: %q", got)
	}
	got, err := new(compiler).compile(z, false)
	if got == nil || err == nil || !strings.Contains(err.Error(), "lies outside zone") {
		t.Errorf("%v %v", got, err)
	}
	z.Records = z.Records[1:]
	if got, err := new(compiler).compile(z, false); got != nil || err == nil || !strings.Contains(err.Error(), "has no SOA") {
		t.Errorf("without SOA: %v %v", got, err)
	}
}

// TestCompileTakesLittle: ten thousand small zones must not cost a buffer for large data each.
func TestCompileTakesLittle(t *testing.T) {
	z := parseZone(t, plainZone)
	n := allocated(func() {
		if _, err := new(compiler).compile(z, false); err != nil {
			t.Fatal(err)
		}
	})
	if n > 16<<10 {
		t.Errorf("%d octets to compile %d records", n, len(z.Records))
	}
}
