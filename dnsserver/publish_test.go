package dnsserver

import (
	"bytes"
	"log/slog"
	"net/netip"
	"strings"
	"testing"

	"github.com/livens/livens/failover"
	"github.com/livens/livens/zones"
	"github.com/miekg/dns"
)

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
	after, err := before.next(failover.Publication{Set: pub.Set,
		Decisions: map[string]*failover.Decision{"chat": &d, "shop": pub.Decisions["shop"]},
		Serials:   map[string]uint32{"example.test.": 1764000001}}, nil, ids)
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

// TestSwitchOfMany: a publication names one pool of many, and a zone's serial; all else stays as it was, and is not made
// anew.
func TestSwitchOfMany(t *testing.T) {
	pub := manyZones(t, 300, 200)
	before := compiled(t, pub)
	d := *pub.Decisions["z00100.test."]
	d.Addresses = []netip.Addr{netip.MustParseAddr("203.0.113.20")}
	after, err := before.next(failover.Publication{Set: pub.Set,
		Decisions: map[string]*failover.Decision{d.Pool: &d, "unknown": &d}, Serials: map[string]uint32{"z00100.test.": 1764000001, "unknown.": 1}}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range after.served {
		if (v == before.served[i]) != (i != 100) {
			t.Errorf("zone %d was made anew, or was not", i)
		}
	}
	answers := func(s *snapshot, zone, address, serial string) {
		t.Helper()
		client{s, false}.check(t, []answerCase{
			{"chat." + zone + " A", "NOERROR aa\nanswer chat." + zone + " 10 A " + address},
			{zone + " SOA", "NOERROR aa\nanswer " + zone + " 300 SOA ns." + zone + " h." + zone + " " + serial + " 3600 900 86400 30"},
		})
	}
	answers(after, "z00100.test.", "203.0.113.20", "1764000001")
	answers(after, "z00101.test.", "203.0.113.10", "1764000000")
	answers(before, "z00100.test.", "203.0.113.10", "1764000000")
	again, _ := after.next(failover.Publication{Set: pub.Set, Decisions: map[string]*failover.Decision{d.Pool: &d}}, nil, nil)
	if again.served[100] != after.served[100] {
		t.Error("the same decision was packed again")
	}
}

// TestSerialAlone: a serial may change though no decision did.
func TestSerialAlone(t *testing.T) {
	pub := publication(t, plainZone)
	pub.Set.Zones[0].FixedSerial = false
	s := compiled(t, pub)
	for _, serial := range []uint32{1764000000, 1764000001} {
		pub.Serials = map[string]uint32{"example.test.": serial}
		s, _ = s.next(pub, nil, nil)
		reply := client{s, false}.ask(t, "example.test. SOA")
		if got := reply.Answer[0].(*dns.SOA).Serial; got != serial {
			t.Errorf("serial %d, want %d", got, serial)
		}
	}
}

// TestPrepare: what was compiled before it is published is not compiled again, a switch meanwhile does not take it away, and what is wrong with
// it is told when it is published.
func TestPrepare(t *testing.T) {
	other := "$ORIGIN other.test.\n@ 300 SOA ns h 9 3600 900 86400 30\n@ 300 NS ns.example.test.\n"
	pub := publication(t, plainZone)
	withPool(&pub, "chat", 10, []string{"pool.example.test."}, "203.0.113.10")
	log := &bytes.Buffer{}
	s, err := New(Options{Config: testConfig(), Log: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	s.Publish(pub)
	unchanged := s.live.Load().served[0]
	fresh := parseZone(t, other)
	bad := *parseZone(t, other)
	bad.Name, bad.Records = "bad.test.", nil
	set := &zones.Set{Zones: []*zones.Zone{pub.Set.Zones[0], fresh, &bad}, Pools: pub.Set.Pools}
	s.Prepare(set)
	ready := s.ready
	if len(ready) != 2 || ready[fresh].zone == nil || ready[&bad].err == nil {
		t.Fatalf("ready are %v", ready)
	}
	d := *pub.Decisions["chat"]
	d.Epoch++
	s.Publish(failover.Publication{Set: pub.Set, Decisions: map[string]*failover.Decision{"chat": &d}})
	if s.live.Load().served[0].pools[0].decision != &d || log.Len() > 0 {
		t.Fatalf("a switch while zones are ready: %s", log)
	}
	s.Publish(failover.Publication{Set: set, Decisions: map[string]*failover.Decision{"chat": &d}})
	served := s.live.Load().served
	if len(served) != 2 || served[0].zone != unchanged.zone || served[1].zone != ready[fresh].zone || s.ready != nil {
		t.Errorf("served are %v; kept is %v", served, s.ready)
	}
	if !strings.Contains(log.String(), "bad.test.") {
		t.Errorf("told: %q", log)
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
		nil, func(zone string) int { compiledNow = append(compiledNow, zone); return 9 })
	if err != nil || len(compiledNow) != 1 || compiledNow[0] != "other.test." || after.served[0] != before.served[0] {
		t.Errorf("compiled %v, error %v", compiledNow, err)
	}
	client{after, false}.check(t, []answerCase{{"www.other.test. A", "NOERROR aa\nanswer www.other.test. 300 A 192.0.2.1"}})
	gone, _ := after.next(failover.Publication{Set: &zones.Set{Zones: []*zones.Zone{changed}}}, nil, nil)
	client{gone, false}.check(t, []answerCase{{"www.example.test. A", "REFUSED"}})
	empty, _ := gone.next(failover.Publication{Set: &zones.Set{}}, nil, nil)
	client{empty, false}.check(t, []answerCase{{"www.other.test. A", "REFUSED"}})
}
