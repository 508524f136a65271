package dnsserver

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/livens/livens/failover"
	"github.com/livens/livens/zones"
	"github.com/miekg/dns"
)

// testNow is the time in all tests of answers.
var testNow = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

func testConfig() zones.DNSConfig {
	return zones.DNSConfig{
		NSID: "ns1", Version: "livens", UDPSize: 1232, DebugNames: true,
		TCPIdle: 10 * time.Second, TCPLimit: 1000, TCPPerClient: 50,
	}
}

// parseZone reads a zone in presentation format: the SOA's owner is its name.
func parseZone(t testing.TB, text string) *zones.Zone {
	t.Helper()
	z := &zones.Zone{FixedSerial: true}
	parser := dns.NewZoneParser(strings.NewReader(text), "", "test")
	for rr, ok := parser.Next(); ok; rr, ok = parser.Next() {
		if rr.Header().Rrtype == dns.TypeSOA {
			z.Name = dns.CanonicalName(rr.Header().Name)
		}
		z.Records = append(z.Records, packed(t, rr))
	}
	if err := parser.Err(); err != nil {
		t.Fatal(err)
	}
	if z.Name == "" {
		t.Fatal("zone without SOA")
	}
	z.Records = ordered(z.Records)
	return z
}

// packed is a record as zones hold it.
func packed(t testing.TB, rr dns.RR) zones.Packed {
	t.Helper()
	p, err := zones.Pack(rr)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// ordered is a copy of records in which equal owners are neighbours and owners come before the names below them.
func ordered(records []zones.Packed) []zones.Packed {
	type keyed struct {
		key string
		rr  zones.Packed
	}
	all := make([]keyed, len(records))
	for i, rr := range records {
		labels := dns.SplitDomainName(strings.ToLower(rr.Owner()))
		slices.Reverse(labels)
		all[i] = keyed{strings.Join(labels, "\x00"), rr}
	}
	slices.SortStableFunc(all, func(a, b keyed) int { return strings.Compare(a.key, b.key) })
	out := make([]zones.Packed, len(all))
	for i, k := range all {
		out[i] = k.rr
	}
	return out
}

// withPool adds a pool with one deployment, and its decision, to the publication's last zone.
func withPool(pub *failover.Publication, name string, ttl uint32, answers []string, addrs ...string) {
	z := pub.Set.Zones[len(pub.Set.Zones)-1]
	d := &failover.Decision{Pool: name, Active: []string{"primary"}, TTL: ttl, Epoch: 1764000000, Since: testNow}
	for _, a := range addrs {
		d.Addresses = append(d.Addresses, netip.MustParseAddr(a))
	}
	p := &zones.Pool{Name: name, Zone: z.Name, Answers: answers, TTL: ttl, TTLMin: ttl,
		Deployments: []*zones.Deployment{{Name: "primary", Addresses: d.Addresses}}}
	z.Pools = append(z.Pools, p)
	pub.Set.Pools = append(pub.Set.Pools, p)
	pub.Decisions[name] = d
}

// publication is one of zones in presentation format, without pools.
func publication(t testing.TB, texts ...string) failover.Publication {
	t.Helper()
	set := &zones.Set{}
	for _, text := range texts {
		set.Zones = append(set.Zones, parseZone(t, text))
	}
	return failover.Publication{Set: set, Decisions: map[string]*failover.Decision{}, Serials: map[string]uint32{}}
}

// compiled is the snapshot that answers from pub.
func compiled(t testing.TB, pub failover.Publication) *snapshot {
	t.Helper()
	jar := &cookieJar{secrets: [][16]byte{{1}}}
	empty := &snapshot{settings: &settings{config: testConfig(), hostname: "host1", cookies: jar, now: func() time.Time { return testNow }}}
	ids := zoneIDs{names: []string{""}, ids: map[string]int{"": 0}}
	s, err := empty.next(pub, nil, ids.id)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// ask answers one query.
func ask(s *snapshot, dst, query []byte, from peer, sc *scratch) []byte {
	if sc.request == nil {
		sc.request = new(request)
	}
	s.read(sc.request, query, from)
	return s.answer(dst, sc.request, sc)
}

// client asks a snapshot, as over UDP unless tcp is set.
type client struct {
	*snapshot
	tcp bool
}

func (c client) raw(t testing.TB, query []byte) []byte {
	t.Helper()
	from := peer{address: netip.MustParseAddr("198.51.100.100"), tcp: c.tcp}
	size := 4096
	if c.tcp {
		size = 65535
	}
	return ask(c.snapshot, make([]byte, size), query, from, newScratch())
}

func (c client) exchange(t testing.TB, m *dns.Msg) *dns.Msg {
	t.Helper()
	query, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	reply := new(dns.Msg)
	if err := reply.Unpack(c.raw(t, query)); err != nil {
		t.Fatalf("response is malformed: %v", err)
	}
	if reply.Id != m.Id {
		t.Fatalf("id %d, want %d", reply.Id, m.Id)
	}
	return reply
}

// question is "name type"; EDNS with 1232 octets goes along.
func question(text string) *dns.Msg {
	name, qtype, _ := strings.Cut(text, " ")
	m := new(dns.Msg)
	code, known := dns.StringToType[qtype]
	if !known {
		panic("unknown type " + qtype)
	}
	m.SetQuestion(name, code)
	m.RecursionDesired = false
	m.SetEdns0(1232, false)
	return m
}

func (c client) ask(t testing.TB, text string) *dns.Msg {
	t.Helper()
	return c.exchange(t, question(text))
}

// show is a response in a form that tests compare: status, flags, and the sections' records, sorted within a section,
// without the OPT record.
func show(m *dns.Msg) string {
	var b strings.Builder
	b.WriteString(dns.RcodeToString[m.Rcode])
	for _, flag := range []struct {
		set  bool
		name string
	}{{m.Authoritative, "aa"}, {m.Truncated, "tc"}, {m.RecursionDesired, "rd"}, {m.RecursionAvailable, "ra"},
		{m.AuthenticatedData, "ad"}, {m.CheckingDisabled, "cd"}, {m.Zero, "z"}} {
		if flag.set {
			b.WriteString(" " + flag.name)
		}
	}
	b.WriteString("\n")
	for _, sec := range []struct {
		name string
		rrs  []dns.RR
	}{{"answer", m.Answer}, {"authority", m.Ns}, {"additional", m.Extra}} {
		var lines []string
		for _, rr := range sec.rrs {
			if rr.Header().Rrtype != dns.TypeOPT {
				lines = append(lines, sec.name+" "+strings.Join(strings.Fields(strings.Replace(rr.String(), "\tIN\t", "\t", 1)), " "))
			}
		}
		slices.Sort(lines)
		for _, l := range lines {
			b.WriteString(l + "\n")
		}
	}
	return strings.TrimSpace(b.String())
}

// answerCase is one line of a table: a question and what show makes of its response.
type answerCase struct{ ask, want string }

func (c client) check(t *testing.T, cases []answerCase) {
	t.Helper()
	for _, tc := range cases {
		t.Run(tc.ask, func(t *testing.T) {
			want := strings.Join(strings.FieldsFunc(strings.ReplaceAll(tc.want, "\t", ""), func(r rune) bool { return r == '\n' }), "\n")
			if got := show(c.ask(t, tc.ask)); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// ede is the response's extended error, or 0.
func ede(m *dns.Msg) uint16 {
	if opt := m.IsEdns0(); opt != nil {
		for _, o := range opt.Option {
			if e, ok := o.(*dns.EDNS0_EDE); ok {
				return e.InfoCode
			}
		}
	}
	return 0
}

// until waits for something to become true.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for patience := time.After(20 * time.Second); !is(); {
		select {
		case <-tick.C:
		case <-patience:
			t.Fatal("in vain: " + what)
		}
	}
}
