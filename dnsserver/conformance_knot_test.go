package dnsserver_test

import (
	"net/netip"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/livens/livens/internal/peertest"
)

// minQueries is what the comparison must not fall below, whatever becomes of the generator.
const minQueries = 2000

// TestAnswersAsKnotDoes puts generated queries to livens and to Knot and compares the replies section by section.
// Knot is the reference; where the two may differ is said in the table of tolerances, and nowhere else. NSD is asked
// too, and only counted: it says how common a tolerated difference is.
func TestAnswersAsKnotDoes(t *testing.T) {
	queries := peerQueries(t, peerZones...)
	if len(queries) < minQueries {
		t.Fatalf("%d queries, want at least %d", len(queries), minQueries)
	}
	compareWithKnot(t, servePeerZones(t), peerZones, queries, tolerances)
}

// compareWithKnot has knotd and nsd serve the zones, and fails the test for every difference that no rule allows.
func compareWithKnot(t *testing.T, livens netip.AddrPort, zones []peertest.Zone, queries []query, rules []tolerance) {
	t.Helper()
	knot, nsd := peertest.Knot(t, zones...), peertest.NSD(t, zones...)
	var ours, theirs []reply
	var both sync.WaitGroup
	both.Go(func() { ours = replies(t, livens, queries) })
	both.Go(func() { theirs = replies(t, knot.Addr, queries) })
	both.Wait()
	if t.Failed() {
		return
	}
	judge := newJudge(t, rules, newAsker(t, knot.Addr), newAsker(t, nsd.Addr), zones)
	for i, q := range queries {
		if parts := compare(ours[i].msg, theirs[i].msg); len(parts) > 0 {
			judge.consider(t, &difference{query: q, ours: ours[i], ref: theirs[i], parts: parts})
		}
	}
	judge.report(t, len(queries))
	wantCompressed(t, ours, theirs)
}

// pooledZone is what the zone below holds beside its pool: SOA with a MINIMUM that is the pool's TTL, as the negative
// answers at the pool's names carry that.
const pooledZone = `$ORIGIN pool.test.
$TTL 300
@ SOA ns1 hostmaster 1 7200 900 1209600 10
@ NS ns1
ns1 A 127.0.0.1
@ MX 10 www
@ TXT "beside the pool"
_chat._tcp SRV 1 1 443 www
_chat._tcp SRV 1 1 443 x.live
below.www A 192.0.2.1
*.live TXT "beside the pool, at a wildcard"
exact.live A 192.0.2.2
cut NS ns.cut
cut NS www
ns.cut A 192.0.2.3
`

// TestPoolsAnswerAsRecordsDo compares a pool with A and AAAA records at its names in Knot, before and after a switch.
func TestPoolsAnswerAsRecordsDo(t *testing.T) {
	livens := serve(t, "", map[string]string{"db.pool": pooledZone, "pool.toml": `
[zone]
name = "pool.test"
zonefile = "db.pool"
[pool.chat]
answers = ["@", "www", "*.live", "deep.down.under"]
ttl = 10
check = { type = "static", state = "up" }
[[pool.chat.deployment]]
name = "primary"
addresses = ["192.0.2.10", "2001:db8:1::10", "192.0.2.11"]
[[pool.chat.deployment]]
name = "redundant"
addresses = ["198.51.100.20"]
`})
	for deployment, addresses := range map[string][]string{
		"primary":   {"A 192.0.2.10", "A 192.0.2.11", "AAAA 2001:db8:1::10"},
		"redundant": {"A 198.51.100.20"},
	} {
		t.Run(deployment, func(t *testing.T) {
			text := pooledZone
			for _, name := range []string{"@", "www", "*.live", "deep.down.under"} {
				for _, address := range addresses {
					text += name + " 10 " + address + "\n"
				}
			}
			zone := peertest.Zone{Name: "pool.test.", File: filepath.Join(t.TempDir(), "pool.test.zone")}
			write(t, zone.File, text)
			livens.switchTo(t, "chat", deployment)
			compareWithKnot(t, livens.addr, []peertest.Zone{zone}, peerQueries(t, zone), nil)
		})
	}
}

// wantCompressed demands that replies are no longer, all together, than Knot's (RFC 1035 section 4.1.4).
func wantCompressed(t *testing.T, ours, theirs []reply) {
	t.Helper()
	our, their := 0, 0
	for i := range ours {
		if len(compare(ours[i].msg, theirs[i].msg)) == 0 {
			our += len(ours[i].wire)
			their += len(theirs[i].wire)
		}
	}
	t.Logf("equal replies: %d octets from livens, %d from knotd", our, their)
	if our > their {
		t.Errorf("replies that say the same are %d octets long in all, and Knot's %d", our, their)
	}
}

func peerQueries(t *testing.T, zones ...peertest.Zone) []query {
	t.Helper()
	var files []string
	for _, zone := range zones {
		files = append(files, zone.File)
	}
	return generate(zoneRecords(t, files...))
}

// replies asks one server everything. A query without a good reply fails the test and leaves a gap.
func replies(t *testing.T, addr netip.AddrPort, queries []query) []reply {
	t.Helper()
	a := newAsker(t, addr)
	list := make([]reply, len(queries))
	failures := 0
	for i, q := range queries {
		r, err := a.ask(t, q)
		list[i] = r
		if err != nil {
			t.Errorf("%s from %s: %v", q, addr, err)
			if failures++; failures == 20 {
				t.Errorf("%s: too many of these", addr)
				break
			}
		}
	}
	return list
}

// TestQueriesAreTheSameEveryTime holds the generator to its word: a failure names a query that can be put again.
func TestQueriesAreTheSameEveryTime(t *testing.T) {
	if !slices.Equal(peerQueries(t, peerZones...), peerQueries(t, peerZones...)) {
		t.Error("two runs give different queries")
	}
}
