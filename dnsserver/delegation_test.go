package dnsserver

import "testing"

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
