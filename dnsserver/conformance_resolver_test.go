package dnsserver_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/livens/livens/internal/peertest"
	"github.com/miekg/dns"
)

// poolTTL is the TTL of the pool below, in seconds: how long a resolver may hold on to the old answer.
const poolTTL = 1

// switchLimit is how long a resolver may take to see a switch on a slow and busy machine, and resolveLimit for one reply.
const (
	switchLimit  = 30 * time.Second
	resolveLimit = 5 * time.Second
)

const poolZone = `
[zone]
name = "chat.test"
ttl = 300
ns = ["ns1.chat.test."]
contact = "hostmaster@chat.test"
records = [
	"ns1 A 127.0.0.2",
	"alias CNAME www",
	"@ MX 10 www",
	"old DNAME live",
	"static A 192.0.2.1",
]
[pool.chat]
answers = ["@", "www", "*.live"]
ttl = 1
ttl_min = 1
check = { type = "static", state = "up" }
[[pool.chat.deployment]]
name = "primary"
addresses = ["192.0.2.10"]
[[pool.chat.deployment]]
name = "redundant"
addresses = ["198.51.100.20", "2001:db8:2::20"]
`

// poolAnswers are questions to a resolver, and what must be in its reply while either deployment is live. The primary
// has no IPv6 address: its AAAA is NODATA, which must live no longer than the pool's TTL either.
var poolAnswers = []struct {
	name, question     string
	primary, redundant string
}{
	{"A at the apex", "chat.test A", "an chat.test. A 192.0.2.10", "an chat.test. A 198.51.100.20"},
	{"A", "www.chat.test A", "an www.chat.test. A 192.0.2.10", "an www.chat.test. A 198.51.100.20"},
	{"AAAA", "www.chat.test AAAA", "", "an www.chat.test. AAAA 2001:db8:2::20"},
	{"CNAME into the pool", "alias.chat.test A",
		"an alias.chat.test. CNAME www.chat.test.; an www.chat.test. A 192.0.2.10",
		"an alias.chat.test. CNAME www.chat.test.; an www.chat.test. A 198.51.100.20"},
	{"CNAME into the pool, AAAA", "alias.chat.test AAAA",
		"an alias.chat.test. CNAME www.chat.test.",
		"an alias.chat.test. CNAME www.chat.test.; an www.chat.test. AAAA 2001:db8:2::20"},
	{"wildcard of the pool", "anything.live.chat.test A",
		"an anything.live.chat.test. A 192.0.2.10", "an anything.live.chat.test. A 198.51.100.20"},
	{"DNAME into the pool", "x.old.chat.test A",
		"an old.chat.test. DNAME live.chat.test.; an x.old.chat.test. CNAME x.live.chat.test.; an x.live.chat.test. A 192.0.2.10",
		"an old.chat.test. DNAME live.chat.test.; an x.old.chat.test. CNAME x.live.chat.test.; an x.live.chat.test. A 198.51.100.20"},
	{"MX with the pool's addresses", "chat.test MX",
		"an chat.test. MX 10 www.chat.test.; ad www.chat.test. A 192.0.2.10",
		"an chat.test. MX 10 www.chat.test.; ad www.chat.test. A 198.51.100.20; ad www.chat.test. AAAA 2001:db8:2::20"},
	{"NXDOMAIN", "nowhere.chat.test A", "NXDOMAIN", "NXDOMAIN"},
	{"a record of the zone", "static.chat.test A", "an static.chat.test. A 192.0.2.1", "an static.chat.test. A 192.0.2.1"},
}

// resolved asks a resolver once and tells what it says of names that the test is about; TTLs are checked, not told.
func resolved(t *testing.T, resolver netip.AddrPort, question string) string {
	t.Helper()
	name, qtype, _ := strings.Cut(question, " ")
	m := new(dns.Msg).SetQuestion(dns.Fqdn(name), dns.StringToType[qtype])
	client := dns.Client{Timeout: resolveLimit}
	reply, _, err := client.Exchange(m, resolver.String())
	if err != nil {
		return err.Error()
	}
	var said []string
	if reply.Rcode != dns.RcodeSuccess {
		said = append(said, dns.RcodeToString[reply.Rcode])
	}
	for _, rr := range reply.Answer {
		said = append(said, say(t, "an", rr))
	}
	for _, rr := range reply.Extra {
		if rr.Header().Name == "www.chat.test." {
			said = append(said, say(t, "ad", rr))
		}
	}
	return strings.Join(said, "; ")
}

func say(t *testing.T, section string, rr dns.RR) string {
	t.Helper()
	header := rr.Header()
	address := header.Rrtype == dns.TypeA || header.Rrtype == dns.TypeAAAA
	if ttl := header.Ttl; address && header.Name != "static.chat.test." && ttl > poolTTL {
		t.Errorf("a resolver holds a pool's address for %d s: %s", ttl, rr)
	}
	data := strings.TrimPrefix(rr.String(), header.String())
	return fmt.Sprintf("%s %s %s %s", section, header.Name, dns.TypeToString[header.Rrtype], data)
}

// additional are questions for what a resolver adds to the answer to another one, as long as it has it: for a second.
var additional = map[string][]string{"chat.test MX": {"www.chat.test A", "www.chat.test AAAA"}}

// until asks again and again until the resolver says what is wanted.
func until(t *testing.T, resolver netip.AddrPort, question, want string) {
	t.Helper()
	deadline := time.After(switchLimit)
	poll := time.NewTicker(50 * time.Millisecond)
	defer poll.Stop()
	for {
		for _, before := range additional[question] {
			resolved(t, resolver, before)
		}
		got := resolved(t, resolver, question)
		if sameRecords(got, want) {
			return
		}
		select {
		case <-deadline:
			t.Fatalf("%s: %q, want %q", question, got, want)
		case <-poll.C:
		}
	}
}

// sameRecords ignores the order of addresses in the additional section.
func sameRecords(a, b string) bool {
	return slices.Equal(sorted(strings.Split(a, "; ")), sorted(strings.Split(b, "; ")))
}

// followsTheSwitch asks everything before and after the pool moves from primary to redundant, and once more after it
// has moved back; seen is what the resolver asked meanwhile. What changes does so by its own TTL, not because nothing is
// cached: a record whose TTL outlives the test is not fetched again, however often it is asked for.
func followsTheSwitch(t *testing.T, livens *nameserver, resolver netip.AddrPort, tap *peertest.Tap) (seen []peertest.Exchange) {
	t.Helper()
	for _, tt := range poolAnswers {
		until(t, resolver, tt.question, tt.primary)
	}
	seen = tap.Seen()
	before := fetched(seen, "static.chat.test.")
	livens.switchTo(t, "chat", "redundant")
	for _, tt := range poolAnswers {
		until(t, resolver, tt.question, tt.redundant)
	}
	livens.switchTo(t, "chat", "primary")
	for _, tt := range poolAnswers {
		until(t, resolver, tt.question, tt.primary)
	}
	later := tap.Seen()
	if after := fetched(later, "static.chat.test."); before == 0 || after != 0 {
		t.Errorf("a record with a TTL of 300 s was fetched %d times, and then %d times more", before, after)
	}
	return append(seen, later...)
}

// fetched is how often a name's A was asked for.
func fetched(seen []peertest.Exchange, name string) (n int) {
	for _, exchange := range seen {
		if q := exchange.Query.Question[0]; strings.EqualFold(q.Name, name) && q.Qtype == dns.TypeA {
			n++
		}
	}
	return n
}

func TestUnboundFollowsASwitch(t *testing.T) {
	for name, lines := range map[string][]string{"UDP": nil, "TCP": {"tcp-upstream: yes"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			livens := serve(t, "", map[string]string{"chat.toml": poolZone})
			tap := peertest.NewTap(t, netip.AddrPortFrom(peertest.Loopback, 0), livens.addr)
			unbound := peertest.Unbound(t, peertest.UnboundOptions{
				Stubs: map[string]netip.AddrPort{"chat.test.": tap.Addr},
				Probe: "static.chat.test.",
				Lines: lines,
			})
			seen := followsTheSwitch(t, livens, unbound.Addr, tap)
			wantTransport(t, seen, name == "TCP")
			wantMinimised(t, seen)
			if name == "UDP" {
				wantRandomCase(t, seen)
			}
		})
	}
}

// TestNamedFollowsASwitch has BIND begin at a root zone that knotd serves and that delegates to livens.
func TestNamedFollowsASwitch(t *testing.T) {
	for name, lines := range map[string][]string{"UDP": nil, "TCP": {"server 127.0.0.2 { tcp-only yes; };"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			livens := serve(t, "", map[string]string{"chat.toml": poolZone})
			root := peertest.Knot(t, peertest.Zone{Name: ".", File: "testdata/conformance/root.zone"})
			tap := peertest.NewTap(t, netip.AddrPortFrom(netip.MustParseAddr("127.0.0.2"), root.Addr.Port()), livens.addr)
			named := peertest.Named(t, peertest.NamedOptions{Root: root.Addr, Probe: "static.chat.test.", Lines: lines})
			seen := followsTheSwitch(t, livens, named.Addr, tap)
			wantTransport(t, seen, name == "TCP")
			wantMinimised(t, seen)
			wantCookies(t, seen)
		})
	}
}

func wantTransport(t *testing.T, seen []peertest.Exchange, tcp bool) {
	t.Helper()
	if len(seen) == 0 {
		t.Error("the resolver asked nothing")
	}
	for _, exchange := range seen {
		if exchange.TCP != tcp {
			t.Errorf("TCP %v, want %v: %s", exchange.TCP, tcp, exchange.Query.Question[0].Name)
		}
	}
}

// wantMinimised demands that the parent of a longer name was asked for on the way to it (RFC 9156).
func wantMinimised(t *testing.T, seen []peertest.Exchange) {
	t.Helper()
	if !slices.ContainsFunc(seen, func(e peertest.Exchange) bool {
		name := strings.TrimPrefix(strings.ToLower(e.Query.Question[0].Name), "_.")
		return name == "old.chat.test." || name == "live.chat.test."
	}) {
		t.Error("the resolver did not minimise names")
	}
}

// wantRandomCase demands that queries came in mixed case, and that every reply repeated it, in one go: a resolver that
// is not satisfied asks again.
func wantRandomCase(t *testing.T, seen []peertest.Exchange) {
	t.Helper()
	mixed := 0
	for _, exchange := range seen {
		asked := exchange.Query.Question[0].Name
		if asked != strings.ToLower(asked) {
			mixed++
		}
		if repeated := exchange.Reply.Question; len(repeated) != 1 || repeated[0].Name != asked {
			t.Errorf("%s was asked, %v repeated", asked, repeated)
		}
	}
	if mixed == 0 {
		t.Error("no query came in mixed case")
	}
}

// wantCookies demands that BIND came to send the server cookies that livens had given it, and was never told that one
// is bad (RFC 7873).
func wantCookies(t *testing.T, seen []peertest.Exchange) {
	t.Helper()
	returned := 0
	for _, exchange := range seen {
		asked, answered := cookie(exchange.Query), cookie(exchange.Reply)
		switch {
		case asked == "":
			t.Errorf("a query without a cookie: %s", exchange.Query.Question[0].Name)
		case len(answered) != 48 || answered[:16] != asked[:16]:
			t.Errorf("cookie %s answers %s", answered, asked)
		case len(asked) == 48:
			returned++
		}
		if exchange.Reply.Rcode == dns.RcodeBadCookie {
			t.Error("BADCOOKIE")
		}
	}
	if returned == 0 {
		t.Error("no server cookie came back")
	}
}

// cookie is the message's cookie in hex, or "".
func cookie(m *dns.Msg) string {
	if opt := m.IsEdns0(); opt != nil {
		for _, option := range opt.Option {
			if c, ok := option.(*dns.EDNS0_COOKIE); ok {
				return c.Cookie
			}
		}
	}
	return ""
}
