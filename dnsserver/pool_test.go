package dnsserver

import (
	"testing"

	"github.com/livens/livens/failover"
	"github.com/livens/livens/zones"
)

// TestPools: at the apex, at a wildcard, at several names, beside static records of other types.
func TestPools(t *testing.T) {
	pub := publication(t, plainZone+"@ MX 10 mail.elsewhere.test.\nchat TXT \"beside the pool\"\nbelow.four A 192.0.2.44\n")
	withPool(&pub, "chat", 10, []string{"example.test.", "chat.example.test.", "*.any.example.test."}, "203.0.113.10", "2001:db8:1::10", "203.0.113.11")
	withPool(&pub, "four", 5, []string{"four.example.test."}, "203.0.113.40")
	withPool(&pub, "long", 900, []string{"deep.er.example.test."}, "2001:db8::9")
	soa := func(ttl string) string {
		return "authority example.test. " + ttl + " SOA ns1.example.test. hostmaster.example.test. 7 3600 900 86400 60"
	}
	c := client{compiled(t, pub), false}
	c.check(t, []answerCase{
		{"example.test. A", "NOERROR aa\nanswer example.test. 10 A 203.0.113.10\nanswer example.test. 10 A 203.0.113.11"},
		{"example.test. AAAA", "NOERROR aa\nanswer example.test. 10 AAAA 2001:db8:1::10"},
		{"example.test. MX", "NOERROR aa\nanswer example.test. 300 MX 10 mail.elsewhere.test."},
		{"chat.example.test. A", "NOERROR aa\nanswer chat.example.test. 10 A 203.0.113.10\nanswer chat.example.test. 10 A 203.0.113.11"},
		{"chat.example.test. TXT", "NOERROR aa\nanswer chat.example.test. 300 TXT \"beside the pool\""},
		{"q.any.example.test. AAAA", "NOERROR aa\nanswer q.any.example.test. 10 AAAA 2001:db8:1::10"},
		{"a.b.any.example.test. AAAA", "NOERROR aa\nanswer a.b.any.example.test. 10 AAAA 2001:db8:1::10"},
		{"any.example.test. A", "NOERROR aa\n" + soa("60")},
		{"four.example.test. A", "NOERROR aa\nanswer four.example.test. 5 A 203.0.113.40"},
		{"four.example.test. AAAA", "NOERROR aa\n" + soa("5")},
		{"four.example.test. HTTPS", "NOERROR aa\n" + soa("5")},
		{"q.any.example.test. TXT", "NOERROR aa\n" + soa("10")},
		{"below.four.example.test. A", "NOERROR aa\nanswer below.four.example.test. 300 A 192.0.2.44"},
		{"er.example.test. AAAA", "NOERROR aa\n" + soa("60")},
		{"deep.er.example.test. A", "NOERROR aa\n" + soa("60")},
	})
}

// TestDebugNames: TXT at _livens below each answer name, with the pool's TTL; not there unless configured.
func TestDebugNames(t *testing.T) {
	pub := publication(t, plainZone+"_livens.static A 192.0.2.1\n_livens.alias CNAME www\n")
	withPool(&pub, "chat", 10, []string{"example.test.", "static.example.test.", "alias.example.test.", "*.any.example.test."}, "203.0.113.10")
	text := ` 10 TXT "active=primary" "epoch=1764000000" "since=2026-11-22T10:00:00Z"`
	soa := "authority example.test. 10 SOA ns1.example.test. hostmaster.example.test. 7 3600 900 86400 60"
	s := compiled(t, pub)
	client{s, false}.check(t, []answerCase{
		{"_livens.example.test. TXT", "NOERROR aa\nanswer _livens.example.test." + text},
		{"_livens.example.test. A", "NOERROR aa\n" + soa},
		{"_livens.static.example.test. TXT", "NOERROR aa\nanswer _livens.static.example.test." + text},
		{"_livens.static.example.test. A", "NOERROR aa\nanswer _livens.static.example.test. 300 A 192.0.2.1"},
		{"_livens.alias.example.test. TXT", "NOERROR aa\nanswer _livens.alias.example.test. 300 CNAME www.example.test.\n" + soaLine},
		{"_livens.*.any.example.test. TXT", "NOERROR aa\nanswer _livens.*.any.example.test." + text},
	})
	pub = publication(t, plainZone)
	withPool(&pub, "chat", 10, []string{"chat.example.test."}, "203.0.113.10")
	quiet := *s.settings
	quiet.config.DebugNames = false
	next, err := (&snapshot{settings: &quiet}).next(pub, func(string) int { return 1 })
	if err != nil {
		t.Fatal(err)
	}
	client{next, false}.check(t, []answerCase{{"_livens.chat.example.test. TXT", "NXDOMAIN aa\n" + soaLine}})
}

// TestSwitch: a decision changes, and only what it touches is made anew; the serial is the publication's.
func TestSwitch(t *testing.T) {
	pub := publication(t, plainZone, "$ORIGIN other.test.\n@ 300 SOA ns h 9 3600 900 86400 30\n@ 300 NS ns.example.test.\n")
	pub.Set.Zones[0], pub.Set.Zones[1] = pub.Set.Zones[1], pub.Set.Zones[0]
	pub.Set.Zones[1].FixedSerial = false
	pub.Serials["example.test."] = 1764000000
	withPool(&pub, "chat", 10, []string{"chat.example.test."}, "203.0.113.10")
	withPool(&pub, "shop", 10, []string{"shop.example.test."}, "203.0.113.20")
	before := compiled(t, pub)
	ids := func(string) int { t.Error("a zone was compiled again"); return 0 }

	d := *pub.Decisions["chat"]
	d.Addresses, d.TTL = pub.Decisions["shop"].Addresses, 5
	after, err := before.next(failover.Publication{Set: pub.Set, Changed: []string{"chat"},
		Decisions: map[string]*failover.Decision{"chat": &d, "shop": pub.Decisions["shop"]},
		Serials:   map[string]uint32{"example.test.": 1764000001}}, ids)
	if err != nil {
		t.Fatal(err)
	}
	soa := "SOA ns1.example.test. hostmaster.example.test. 17640000"
	client{after, false}.check(t, []answerCase{
		{"chat.example.test. A", "NOERROR aa\nanswer chat.example.test. 5 A 203.0.113.20"},
		{"shop.example.test. A", "NOERROR aa\nanswer shop.example.test. 10 A 203.0.113.20"},
		{"example.test. SOA", "NOERROR aa\nanswer example.test. 3600 " + soa + "01 3600 900 86400 60"},
		{"nx.example.test. A", "NXDOMAIN aa\nauthority example.test. 60 " + soa + "01 3600 900 86400 60"},
		{"other.test. SOA", "NOERROR aa\nanswer other.test. 300 SOA ns.other.test. h.other.test. 9 3600 900 86400 30"},
	})
	client{before, false}.check(t, []answerCase{
		{"chat.example.test. A", "NOERROR aa\nanswer chat.example.test. 10 A 203.0.113.10"},
		{"example.test. SOA", "NOERROR aa\nanswer example.test. 3600 " + soa + "00 3600 900 86400 60"},
	})
	if after.served[0] != before.served[0] || after.served[1].zone != before.served[1].zone || after.table != before.table ||
		after.served[1].pools[1] != before.served[1].pools[1] {
		t.Error("a switch made anew what did not change")
	}
}

// TestReload: a new Set recompiles the zones that changed, drops those that went and keeps the others.
func TestReload(t *testing.T) {
	other := "$ORIGIN other.test.\n@ 300 SOA ns h 9 3600 900 86400 30\n@ 300 NS ns.example.test.\n"
	pub := publication(t, plainZone, other)
	before := compiled(t, pub)
	changed := parseZone(t, other+"www 300 A 192.0.2.1\n")
	compiledNow := []string{}
	after, err := before.next(failover.Publication{Set: &zones.Set{Zones: []*zones.Zone{pub.Set.Zones[0], changed}}},
		func(zone string) int { compiledNow = append(compiledNow, zone); return 9 })
	if err != nil || len(compiledNow) != 1 || compiledNow[0] != "other.test." || after.served[0] != before.served[0] {
		t.Errorf("compiled %v, error %v", compiledNow, err)
	}
	client{after, false}.check(t, []answerCase{{"www.other.test. A", "NOERROR aa\nanswer www.other.test. 300 A 192.0.2.1"}})
	gone, _ := after.next(failover.Publication{Set: &zones.Set{Zones: []*zones.Zone{changed}}}, nil)
	client{gone, false}.check(t, []answerCase{{"www.example.test. A", "REFUSED"}})
	empty, _ := gone.next(failover.Publication{Set: &zones.Set{}}, nil)
	client{empty, false}.check(t, []answerCase{{"www.other.test. A", "REFUSED"}})
}
