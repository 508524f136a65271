package dnsserver

import (
	"fmt"
	"strings"
	"testing"
)

const cutZone = plainZone + `
sub NS ns.sub
sub NS ns.sibling
sub NS ns1
sub NS ns.elsewhere.test.
sub DS 1 8 2 00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF
ns.sub A 192.0.2.61
ns.sub AAAA 2001:db8::61
sibling NS ns.sibling
ns.sibling A 192.0.2.62
deep.sub TXT "occluded"
*.sub TXT "occluded"
cut.below.sub NS ns.sub
`

// TestDelegations: referrals with glue, not authoritative; nothing below a cut is answered but referred; only DS at the
// cut is the parent's (RFC 4035 section 3.1.4.1).
func TestDelegations(t *testing.T) {
	referral := `
authority sub.example.test. 300 NS ns.elsewhere.test.
authority sub.example.test. 300 NS ns.sibling.example.test.
authority sub.example.test. 300 NS ns.sub.example.test.
authority sub.example.test. 300 NS ns1.example.test.
additional ns.sibling.example.test. 300 A 192.0.2.62
additional ns.sub.example.test. 300 A 192.0.2.61
additional ns.sub.example.test. 300 AAAA 2001:db8::61
additional ns1.example.test. 300 A 192.0.2.53`
	c := client{compiled(t, publication(t, cutZone)), false}
	c.check(t, []answerCase{
		{"sub.example.test. A", "NOERROR" + referral},
		{"sub.example.test. NS", "NOERROR" + referral},
		{"sub.example.test. ANY", "NOERROR" + referral},
		{"x.y.z.sub.example.test. A", "NOERROR" + referral},
		{"deep.sub.example.test. TXT", "NOERROR" + referral},
		{"ns.sub.example.test. A", "NOERROR" + referral},
		{"x.cut.below.sub.example.test. A", "NOERROR" + referral},
		{"x.sub.example.test. DS", "NOERROR" + referral},
		{"sub.example.test. DS", "NOERROR aa\nanswer sub.example.test. 300 DS 1 8 2 00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF"},
		{"sibling.example.test. DS", "NOERROR aa\n" + soaLine},
		{"SIBLING.example.test. A", "NOERROR\nauthority SIBLING.example.test. 300 NS ns.SIBLING.example.test.\nadditional ns.SIBLING.example.test. 300 A 192.0.2.62"},
	})
}

// TestGlueIsCompleteOrTruncated: RFC 9471: all glue below the cut, or TC; glue of siblings only where it fits.
func TestGlueIsCompleteOrTruncated(t *testing.T) {
	zone := func(servers int, below bool) string { // of 60, names fit into 1232 octets, addresses do not
		var b strings.Builder
		b.WriteString(plainZone)
		for i := range servers {
			host := fmt.Sprintf("n%02d.sub", i)
			if !below {
				host = fmt.Sprintf("n%02d.sibling", i)
			}
			fmt.Fprintf(&b, "sub NS %s\n%s A 192.0.2.%d\n", host, host, i)
		}
		return b.String()
	}
	for _, tc := range []struct {
		servers   int
		below     bool
		truncated bool
	}{{5, true, false}, {60, true, true}, {5, false, false}, {60, false, false}} {
		s := compiled(t, publication(t, zone(tc.servers, tc.below)))
		reply := client{s, false}.ask(t, "x.sub.example.test. A")
		if reply.Truncated != tc.truncated || len(reply.Ns) != tc.servers {
			t.Errorf("%d servers, below %v: TC %v, %d NS", tc.servers, tc.below, reply.Truncated, len(reply.Ns))
		}
		if complete := len(reply.Extra)-1 == tc.servers; complete != (tc.servers == 5) {
			t.Errorf("%d servers, below %v: %d additional", tc.servers, tc.below, len(reply.Extra))
		}
		if full := (client{s, true}).ask(t, "x.sub.example.test. A"); full.Truncated || len(full.Extra)-1 != tc.servers {
			t.Errorf("over TCP: TC %v, %d additional", full.Truncated, len(full.Extra))
		}
	}
}

// TestParentAndChild on one server: the child answers below its cut, the parent for DS at it, and the cut itself is
// the child's apex.
func TestParentAndChild(t *testing.T) {
	parent := plainZone + "child NS ns.child\nchild DS 1 8 2 00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF\nns.child A 192.0.2.70\nalias CNAME www.child\n"
	child := "$ORIGIN child.example.test.\n$TTL 300\n@ SOA ns h 9 3600 900 86400 30\n@ NS ns\nns A 192.0.2.71\nwww A 192.0.2.72\nback CNAME www.example.test.\n"
	grandchild := "$ORIGIN unrelated.child.example.test.\n$TTL 300\n@ SOA ns h 9 3600 900 86400 30\n@ NS ns\nns A 192.0.2.71\n"
	ds := "NOERROR aa\nanswer child.example.test. 300 DS 1 8 2 00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF"
	childSOA := "authority child.example.test. 30 SOA ns.child.example.test. h.child.example.test. 9 3600 900 86400 30"
	both := client{compiled(t, publication(t, parent, child, grandchild)), false}
	both.check(t, []answerCase{
		{"www.child.example.test. A", "NOERROR aa\nanswer www.child.example.test. 300 A 192.0.2.72"},
		{"child.example.test. NS", "NOERROR aa\nanswer child.example.test. 300 NS ns.child.example.test.\nadditional ns.child.example.test. 300 A 192.0.2.71"},
		{"child.example.test. DS", ds},
		{"nx.child.example.test. DS", "NXDOMAIN aa\n" + childSOA},
		{"example.test. DS", "NOERROR aa\n" + soaLine},
		// The parent does not delegate it: the child knows better than to deny its own name.
		{"unrelated.child.example.test. DS", "NOERROR aa\nauthority unrelated.child.example.test. 30 SOA ns.unrelated.child.example.test. h.unrelated.child.example.test. 9 3600 900 86400 30"},
		{"alias.example.test. A", "NOERROR aa\nanswer alias.example.test. 300 CNAME www.child.example.test.\nanswer www.child.example.test. 300 A 192.0.2.72"},
		{"back.child.example.test. A", "NOERROR aa\nanswer back.child.example.test. 300 CNAME www.example.test.\nanswer www.example.test. 300 A 192.0.2.80"},
	})
	alone := client{compiled(t, publication(t, parent)), false}
	referral := "authority child.example.test. 300 NS ns.child.example.test.\nadditional ns.child.example.test. 300 A 192.0.2.70"
	alone.check(t, []answerCase{
		{"www.child.example.test. A", "NOERROR\n" + referral},
		{"child.example.test. DS", ds},
		{"alias.example.test. A", "NOERROR aa\nanswer alias.example.test. 300 CNAME www.child.example.test.\n" + referral},
	})
	orphan := client{compiled(t, publication(t, child)), false}
	orphan.check(t, []answerCase{{"child.example.test. DS", "NOERROR aa\n" + childSOA}})
}

// TestRootZone: the zone whose name is the root is a zone like any other.
func TestRootZone(t *testing.T) {
	root := ". 300 SOA a.root. h.root. 7 3600 900 86400 60\n. 300 NS a.root.\ntest. 300 NS ns.test.\nns.test. 300 A 192.0.2.1\na.root. 300 A 192.0.2.2\n"
	c := client{compiled(t, publication(t, root)), false}
	c.check(t, []answerCase{
		{". NS", "NOERROR aa\nanswer . 300 NS a.root.\nadditional a.root. 300 A 192.0.2.2"},
		{". DS", "NOERROR aa\nauthority . 60 SOA a.root. h.root. 7 3600 900 86400 60"},
		{"nx. A", "NXDOMAIN aa\nauthority . 60 SOA a.root. h.root. 7 3600 900 86400 60"},
		{"x.test. A", "NOERROR\nauthority test. 300 NS ns.test.\nadditional ns.test. 300 A 192.0.2.1"},
	})
}
