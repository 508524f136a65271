package dnsserver

import "testing"

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
