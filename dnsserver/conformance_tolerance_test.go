package dnsserver_test

import (
	"slices"
	"testing"

	"github.com/livens/livens/internal/peertest"
	"github.com/miekg/dns"
)

// tolerance is one way in which livens may answer otherwise than Knot. allows looks at a difference and may ask Knot
// further, so that a rule says exactly what livens answers instead, not merely that something differs.
type tolerance struct {
	name   string
	rfc    string // what allows it, or asks for it
	allows func(*judge, *testing.T, *difference) bool
}

// tolerances are all of them. A rule that allows nothing in a run fails the test: it is out of date.
var tolerances = []tolerance{
	{
		name: "an alias is followed into another of the server's zones",
		rfc: "RFC 1034 section 4.3.2 step 3a goes back to step 1 and so to the nearest zone; RFC 6672 section 3.2 likewise. " +
			"Knot stays in the zone that it began in. What livens says must be what Knot says of each zone, joined",
		allows: (*judge).crossesZones,
	},
	{
		name: "RRSIG or NSEC is asked for at an alias",
		rfc: "RFC 1034 section 3.6.2: a CNAME is followed for any type but CNAME; the exception of RFC 4035 section 2.5 is for signed " +
			"zones, and this one is not. Livens must answer as Knot does for another type that exists nowhere",
		allows: (*judge).absentSecurityType,
	},
	{
		name: "SVCB and HTTPS: the addresses of the owner, where the target is \".\"",
		rfc:  "RFC 9460 sections 2.5 and 4.1: \".\" means the owner, and its addresses should be in the additional section",
		allows: func(_ *judge, _ *testing.T, d *difference) bool {
			service := d.query.qtype == dns.TypeSVCB || d.query.qtype == dns.TypeHTTPS
			return service && d.only("additional") && ownerAddresses(d)
		},
	},
	{
		name:   "truncated referral: which glue is left",
		rfc:    "RFC 9471 section 3.1: TC is set when glue does not fit; which of it stays is nowhere said. It must be part of the whole",
		allows: (*judge).otherGlue,
	},
	{
		name:   "additional data that fits",
		rfc:    "RFC 2181 section 9: what is optional may be left out without TC. It must be part of the whole",
		allows: (*judge).otherExtra,
	},
	{
		name:   "truncated because the SOA of a negative answer does not fit",
		rfc:    "RFC 2308 section 3 demands the SOA, and RFC 2181 section 9 the TC for what is demanded; Knot leaves it out without",
		allows: (*judge).noRoomForSOA,
	},
	{
		name: "YXDOMAIN",
		rfc:  "RFC 6672 section 3.2 step 3C: too long a name by DNAME is YXDOMAIN and ends the answer; Knot says NXDOMAIN with the SOA",
		allows: func(_ *judge, _ *testing.T, d *difference) bool {
			return d.only("rcode", "authority") && d.ours.msg.Rcode == dns.RcodeYXDomain && d.ref.msg.Rcode == dns.RcodeNameError &&
				len(d.ours.msg.Ns) == 0
		},
	},
	selfAlias,
}

// selfAlias is apart because the random zones need it too.
var selfAlias = tolerance{
	name: "an alias for itself, by a wildcard, is said once",
	rfc:  "RFC 2181 section 5: an RRset is said once; Knot repeats it",
	allows: func(_ *judge, _ *testing.T, d *difference) bool {
		once := slices.Compact(section(d.ref.msg.Answer))
		return d.only("chain", "answer") && len(once) < len(d.ref.msg.Answer) && slices.Equal(section(d.ours.msg.Answer), once)
	},
}

// cutWildcard is for the random zones; nobody would write such a zone.
var cutWildcard = tolerance{
	name:   "a wildcard below a delegation lends no addresses",
	rfc:    "RFC 1034 section 4.3.3: delegation cancels the wildcard defaults; Knot makes additional records from it",
	allows: (*judge).madeUpBelowCut,
}

// judge applies the tolerances and keeps count.
type judge struct {
	rules     []tolerance
	owners    map[string]bool // of the zone files' records
	knot, nsd *asker
	allowed   []int // by tolerance
	withNSD   []int // of those, how often NSD answers as livens does
	refused   int
	zones     []string
}

// maxShown is how many differences a failing run shows in full.
const maxShown = 25

func newJudge(t *testing.T, rules []tolerance, knot, nsd *asker, zones []peertest.Zone) *judge {
	t.Helper()
	j := &judge{rules: rules, owners: make(map[string]bool), knot: knot, nsd: nsd,
		allowed: make([]int, len(rules)), withNSD: make([]int, len(rules))}
	for _, zone := range zones {
		j.zones = append(j.zones, zone.Name)
		for _, rr := range zoneRecords(t, zone.File) {
			j.owners[dns.CanonicalName(rr.Header().Name)] = true
		}
	}
	return j
}

// consider finds the rule that allows a difference, or fails the test.
func (j *judge) consider(t *testing.T, d *difference) {
	t.Helper()
	for i, rule := range j.rules {
		if rule.allows(j, t, d) {
			j.allowed[i]++
			if r, err := j.nsd.ask(t, d.query); err == nil && agree(d.ours.msg, r.msg) {
				j.withNSD[i]++
			}
			return
		}
	}
	if j.refused++; j.refused <= maxShown {
		t.Error(d)
	}
}

func (j *judge) report(t *testing.T, asked int) {
	t.Helper()
	total := 0
	for i, rule := range j.rules {
		t.Logf("%5d tolerated, NSD as livens in %d: %s\n      %s", j.allowed[i], j.withNSD[i], rule.name, rule.rfc)
		if total += j.allowed[i]; j.allowed[i] == 0 {
			t.Errorf("no query needs the tolerance %q any more: remove it", rule.name)
		}
	}
	t.Logf("%d queries: %d answered alike, %d tolerated, %d wrong", asked, asked-total-j.refused, total, j.refused)
	if j.refused > maxShown {
		t.Errorf("… and %d more differences", j.refused-maxShown)
	}
}

// agree compares what matters to a resolver: NSD adds the zone's nameservers where livens and Knot are brief.
func agree(a, b *dns.Msg) bool {
	for _, part := range compare(a, b) {
		if part != "authority" && part != "additional" {
			return false
		}
	}
	return true
}

// knotSays asks Knot; a failure to answer fails the test.
func (j *judge) knotSays(t *testing.T, q query) *dns.Msg {
	t.Helper()
	r, err := j.knot.ask(t, q)
	if err != nil {
		t.Fatalf("%s from knotd: %v", q, err)
	}
	return r.msg
}

// zoneOf is the name of the nearest zone served that holds name, or "".
func (j *judge) zoneOf(name string) string {
	best := ""
	for _, zone := range j.zones {
		if dns.IsSubDomain(zone, name) && len(zone) > len(best) {
			best = zone
		}
	}
	return best
}

// crossesZones joins what Knot says of each zone that the chain of aliases comes through. Over TCP, so that nothing is
// cut off: where livens' reply is truncated, the whole would not fit into the size asked for.
func (j *judge) crossesZones(t *testing.T, d *difference) bool {
	q := d.query
	q.tcp = true
	whole := j.knotSays(t, q)
	at, crossed := q.name, false
	for {
		target := lastTarget(whole)
		if target == "" || j.zoneOf(target) == "" || j.zoneOf(target) == j.zoneOf(at) || len(chain(whole)) > 20 {
			break
		}
		q.name, at, crossed = target, target, true
		next := j.knotSays(t, q)
		whole.Answer = append(whole.Answer, next.Answer...)
		whole.Rcode, whole.Ns, whole.Extra = next.Rcode, next.Ns, next.Extra
	}
	return crossed && len(compare(d.ours.msg, whole)) == 0
}

// lastTarget is where the last alias of an answer points to, or "" when the answer does not end in an alias.
func lastTarget(m *dns.Msg) string {
	if len(m.Answer) == 0 {
		return ""
	}
	if alias, ok := m.Answer[len(m.Answer)-1].(*dns.CNAME); ok {
		return dns.CanonicalName(alias.Target)
	}
	return ""
}

func (j *judge) absentSecurityType(t *testing.T, d *difference) bool {
	if d.query.qtype != dns.TypeRRSIG && d.query.qtype != dns.TypeNSEC {
		return false
	}
	const nowhere = 65281
	q := d.query
	q.qtype = nowhere
	same := *d
	same.query = q
	same.ref.msg = j.knotSays(t, q)
	return len(compare(d.ours.msg, same.ref.msg)) == 0 || j.crossesZones(t, &same)
}

// ownerAddresses reports whether livens says more than Knot by addresses of a name that owns an answer, and nothing else.
func ownerAddresses(d *difference) bool {
	owners := make(map[string]bool)
	for _, rr := range d.ours.msg.Answer {
		owners[dns.CanonicalName(rr.Header().Name)] = true
	}
	said := section(d.ref.msg.Extra)
	found := 0
	for _, rr := range d.ours.msg.Extra {
		rtype := rr.Header().Rrtype
		address := (rtype == dns.TypeA || rtype == dns.TypeAAAA) && owners[dns.CanonicalName(rr.Header().Name)]
		if address && !slices.Contains(said, normal(rr)) {
			found++
		}
	}
	return len(section(d.ours.msg.Extra)) == len(said)+found
}

// partOfWhole reports whether all of livens' additional section is in what Knot says over TCP.
func (j *judge) partOfWhole(t *testing.T, d *difference) bool {
	q := d.query
	q.tcp = true
	whole := section(j.knotSays(t, q).Extra)
	return !slices.ContainsFunc(section(d.ours.msg.Extra), func(line string) bool { return !slices.Contains(whole, line) })
}

func (j *judge) otherGlue(t *testing.T, d *difference) bool {
	return d.only("additional") && d.ours.msg.Truncated && len(d.ours.msg.Answer) == 0 && j.partOfWhole(t, d)
}

func (j *judge) otherExtra(t *testing.T, d *difference) bool {
	return d.only("additional") && !d.ours.msg.Truncated && !d.query.tcp && j.partOfWhole(t, d)
}

func (j *judge) noRoomForSOA(t *testing.T, d *difference) bool {
	if !d.only("tc") || !d.ours.msg.Truncated || len(d.ref.msg.Ns) > 0 {
		return false
	}
	q := d.query
	q.tcp = true
	whole := j.knotSays(t, q)
	return len(whole.Ns) == 1 && whole.Ns[0].Header().Rrtype == dns.TypeSOA
}

// madeUpBelowCut reports whether Knot says more than livens only by additional records whose owner no zone file has and
// lies below a delegation.
func (j *judge) madeUpBelowCut(t *testing.T, d *difference) bool {
	if !d.only("additional") {
		return false
	}
	said := section(d.ours.msg.Extra)
	more := 0
	for _, rr := range d.ref.msg.Extra {
		if rr.Header().Rrtype == dns.TypeOPT || slices.Contains(said, normal(rr)) {
			continue
		}
		referral := j.knotSays(t, query{name: rr.Header().Name, qtype: dns.TypeA, flags: flags{edns: noEDNS, tcp: true}})
		if j.owners[dns.CanonicalName(rr.Header().Name)] || referral.Authoritative {
			return false
		}
		more++
	}
	return len(section(d.ref.msg.Extra)) == len(said)+more
}
