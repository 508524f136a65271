package dnsserver_test

import (
	"testing"
)

// Records that many answers below carry.
const (
	soaLine  = "example.test. 900 SOA ns1.example.test. hostmaster.example.test. 2026112201 7200 900 1209600 900\n"
	childSOA = "child.example.test. 30 SOA ns1.child.example.test. hostmaster.example.test. 7 7200 900 1209600 3600\n"
	cutLines = "ns sub.example.test. 3600 NS ns1.sub.example.test.\nns sub.example.test. 3600 NS ns2.sub.example.test.\n" +
		"ns sub.example.test. 3600 NS ns.elsewhere.invalid.\n"
	glueLines = "ad ns1.sub.example.test. 3600 A 192.0.2.53\nad ns1.sub.example.test. 3600 AAAA 2001:db8::53\n" +
		"ad ns2.sub.example.test. 3600 A 192.0.2.54\n"
	mailLines = "ad mail.example.test. 3600 A 192.0.2.25\nad mail.example.test. 3600 AAAA 2001:db8::25\n"
)

// semantics are questions that every tool can put, and what each of them must print.
var semantics = []struct{ name, question, want string }{
	{"an RRset", "www.example.test A", "NOERROR aa\nan www.example.test. 3600 A 192.0.2.80\nan www.example.test. 3600 A 192.0.2.81"},
	{"TTL 0", "zerottl.example.test A", "NOERROR aa\nan zerottl.example.test. 0 A 192.0.2.5"},
	{"the longest TTL", "maxttl.example.test A", "NOERROR aa\nan maxttl.example.test. 2147483647 A 192.0.2.6"},
	{"an unknown type", "example.test TYPE65280", `NOERROR aa
an example.test. 3600 TYPE65280 \# 4 0A000001`},
	{"several strings", "b.other.ent.example.test TXT", `NOERROR aa
an b.other.ent.example.test. 3600 TXT "leaf"`},
	{"SOA at the apex", "example.test SOA",
		"NOERROR aa\nan example.test. 3600 SOA ns1.example.test. hostmaster.example.test. 2026112201 7200 900 1209600 900"},

	{"negative: NXDOMAIN", "nowhere.example.test A", "NXDOMAIN aa\nns " + soaLine},
	{"negative: NXDOMAIN below a leaf", "a.b.www.example.test A", "NXDOMAIN aa\nns " + soaLine},
	{"negative: NODATA", "www.example.test MX", "NOERROR aa\nns " + soaLine},
	{"negative: the TTL is the SOA's where that is below MINIMUM", "nowhere.child.example.test A", "NXDOMAIN aa\nns " + childSOA},
	{"negative: unsigned zones have no DNSKEY", "example.test DNSKEY", "NOERROR aa\nns " + soaLine},

	{"empty non-terminal", "ent.example.test A", "NOERROR aa\nns " + soaLine},
	{"empty non-terminal, two labels down", "deep.ent.example.test TXT", "NOERROR aa\nns " + soaLine},
	{"empty non-terminal above a delegation", "cut.example.test A", "NOERROR aa\nns " + soaLine},

	{"wildcard", "x.wild.example.test A", "NOERROR aa\nan x.wild.example.test. 3600 A 192.0.2.8"},
	{"wildcard for several labels", "x.y.z.wild.example.test TXT", "NOERROR aa\nan x.y.z.wild.example.test. 3600 TXT \"wildcard\""},
	{"wildcard asked for itself", "*.wild.example.test A", "NOERROR aa\nan *.wild.example.test. 3600 A 192.0.2.8"},
	{"wildcard without the type", "x.wild.example.test AAAA", "NOERROR aa\nns " + soaLine},
	{"wildcard beside a name that exists", "exists.wild.example.test TXT", "NOERROR aa\nns " + soaLine},
	{"wildcard not below a name that exists", "x.exists.wild.example.test A", "NXDOMAIN aa\nns " + soaLine},
	{"wildcard not below an empty non-terminal", "x.ent2.wild.example.test A", "NXDOMAIN aa\nns " + soaLine},
	{"wildcard alias", "x.wildalias.example.test AAAA",
		"NOERROR aa\nan x.wildalias.example.test. 3600 CNAME www.example.test.\nan www.example.test. 3600 AAAA 2001:db8::80"},
	{"wildcard with additional data", "x.wild.example.test MX",
		"NOERROR aa\nan x.wild.example.test. 3600 MX 10 mail.example.test.\n" + mailLines},

	{"delegation", "host.sub.example.test A", "NOERROR\n" + cutLines + glueLines},
	{"delegation asked for itself", "sub.example.test NS", "NOERROR\n" + cutLines + glueLines},
	{"delegation: glue is not an answer", "ns1.sub.example.test AAAA", "NOERROR\n" + cutLines + glueLines},
	{"delegation: DS is the parent's", "sub.example.test DS",
		"NOERROR aa\nan sub.example.test. 3600 DS 12345 13 2 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"},
	{"delegation without DS", "lame.example.test DS", "NOERROR aa\nns " + soaLine},
	{"delegation without glue", "x.lame.example.test A", "NOERROR\nns lame.example.test. 3600 NS ns.elsewhere.invalid."},
	{"parent and child on one server: DS is the parent's", "child.example.test DS",
		"NOERROR aa\nan child.example.test. 3600 DS 54321 13 2 fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"},
	{"parent and child on one server: all else is the child's", "child.example.test MX", "NOERROR aa\n" +
		"an child.example.test. 600 MX 10 mail.child.example.test.\nan child.example.test. 600 MX 20 mail.example.test.\n" +
		"ad mail.child.example.test. 600 A 192.0.2.101"},
	{"parent and child on one server: a name of the child", "www.child.example.test A",
		"NOERROR aa\nan www.child.example.test. 600 A 192.0.2.100"},

	{"alias", "alias.example.test AAAA",
		"NOERROR aa\nan alias.example.test. 3600 CNAME www.example.test.\nan www.example.test. 3600 AAAA 2001:db8::80"},
	{"alias asked for itself", "alias.example.test CNAME", "NOERROR aa\nan alias.example.test. 3600 CNAME www.example.test."},
	{"alias chain in order", "chain1.example.test AAAA", "NOERROR aa\nan chain1.example.test. 3600 CNAME chain2.example.test.\n" +
		"an chain2.example.test. 300 CNAME chain3.example.test.\nan chain3.example.test. 3600 CNAME www.example.test.\n" +
		"an www.example.test. 3600 AAAA 2001:db8::80"},
	{"alias to nothing", "to-nxdomain.example.test A",
		"NXDOMAIN aa\nan to-nxdomain.example.test. 3600 CNAME nowhere.example.test.\nns " + soaLine},
	{"alias to no data", "to-nodata.example.test A", "NOERROR aa\nan to-nodata.example.test. 3600 CNAME txt.example.test.\nns " + soaLine},
	{"alias out of the server's zones", "to-out.example.test A",
		"NOERROR aa\nan to-out.example.test. 3600 CNAME www.elsewhere.invalid."},
	{"alias below a delegation", "to-cut.example.test A",
		"NOERROR aa\nan to-cut.example.test. 3600 CNAME host.sub.example.test.\n" + cutLines + glueLines},
	{"alias into another zone of the server", "to-child.example.test A",
		"NOERROR aa\nan to-child.example.test. 3600 CNAME www.child.example.test.\nan www.child.example.test. 600 A 192.0.2.100"},
	{"alias into the parent zone", "up-nx.child.example.test A",
		"NXDOMAIN aa\nan up-nx.child.example.test. 600 CNAME nowhere.example.test.\nns " + soaLine},
	{"alias loop", "loop1.example.test A", "NOERROR aa\nan loop1.example.test. 3600 CNAME loop2.example.test.\n" +
		"an loop2.example.test. 3600 CNAME loop3.example.test.\nan loop3.example.test. 3600 CNAME loop1.example.test."},
	{"alias for itself, by a wildcard", "x.wildloop.example.test A", "NOERROR aa\nan x.wildloop.example.test. 3600 CNAME x.wildloop.example.test."},

	{"DNAME", "x.tree.example.test A", "NOERROR aa\nan tree.example.test. 3600 DNAME wild.example.test.\n" +
		"an x.tree.example.test. 3600 CNAME x.wild.example.test.\nan x.wild.example.test. 3600 A 192.0.2.8"},
	{"DNAME: its owner is not renamed", "tree.example.test A", "NOERROR aa\nan tree.example.test. 3600 A 192.0.2.14"},
	{"DNAME asked for itself", "tree.example.test DNAME", "NOERROR aa\nan tree.example.test. 3600 DNAME wild.example.test."},
	{"DNAME: the CNAME has its TTL", "a.tree-ttl.example.test A", "NOERROR aa\nan tree-ttl.example.test. 60 DNAME deep.ent.example.test.\n" +
		"an a.tree-ttl.example.test. 60 CNAME a.deep.ent.example.test.\nan a.deep.ent.example.test. 3600 A 192.0.2.7"},
	{"DNAME at an apex, into another zone", "only4.dname.test A", "NOERROR aa\nan dname.test. 1200 DNAME example.test.\n" +
		"an only4.dname.test. 1200 CNAME only4.example.test.\nan only4.example.test. 3600 A 192.0.2.4"},
	{"DNAME out of the server's zones", "x.tree-out.example.test A",
		"NOERROR aa\nan tree-out.example.test. 3600 DNAME elsewhere.invalid.\nan x.tree-out.example.test. 3600 CNAME x.elsewhere.invalid."},
	{"DNAME after DNAME", "x.tree-two.example.test TXT", "NOERROR aa\nan tree-two.example.test. 3600 DNAME tree.example.test.\n" +
		"an x.tree-two.example.test. 3600 CNAME x.tree.example.test.\nan tree.example.test. 3600 DNAME wild.example.test.\n" +
		"an x.tree.example.test. 3600 CNAME x.wild.example.test.\nan x.wild.example.test. 3600 TXT \"wildcard\""},
	{"DNAME to nothing", "x.tree-nx.example.test A", "NXDOMAIN aa\nan tree-nx.example.test. 3600 DNAME gone.example.test.\n" +
		"an x.tree-nx.example.test. 3600 CNAME x.gone.example.test.\nns " + soaLine},

	{"additional data of MX", "mx.example.test MX", "NOERROR aa\n" +
		"an mx.example.test. 3600 MX 10 mail.example.test.\nan mx.example.test. 3600 MX 10 only6.example.test.\n" +
		"an mx.example.test. 3600 MX 20 nowhere.example.test.\nan mx.example.test. 3600 MX 30 alias.example.test.\n" +
		"an mx.example.test. 3600 MX 40 host.sub.example.test.\nan mx.example.test. 3600 MX 50 x.wild.example.test.\n" +
		"an mx.example.test. 3600 MX 60 www.child.example.test.\n" + mailLines +
		"ad only6.example.test. 3600 AAAA 2001:db8::6\nad host.sub.example.test. 3600 A 192.0.2.55\nad x.wild.example.test. 3600 A 192.0.2.8"},
	{"additional data of SRV", "_sip._tcp.example.test SRV", "NOERROR aa\n" +
		"an _sip._tcp.example.test. 3600 SRV 10 60 5060 www.example.test.\nan _sip._tcp.example.test. 3600 SRV 10 20 5061 mail.example.test.\n" +
		"an _sip._tcp.example.test. 3600 SRV 20 0 5060 nowhere.example.test.\n" + mailLines +
		"ad www.example.test. 3600 A 192.0.2.80\nad www.example.test. 3600 A 192.0.2.81\nad www.example.test. 3600 AAAA 2001:db8::80"},
	{"additional data of NS", "example.test NS", "NOERROR aa\nan example.test. 3600 NS ns1.example.test.\n" +
		"an example.test. 3600 NS ns2.example.test.\nan example.test. 3600 NS ns.elsewhere.invalid.\n" +
		"ad ns1.example.test. 3600 A 127.0.0.1\nad ns1.example.test. 3600 AAAA ::1\nad ns2.example.test. 300 A 127.0.0.2"},

	{"REFUSED: no zone of this server", "www.elsewhere.invalid A", "REFUSED"},
	{"REFUSED: above the zones", "test A", "REFUSED"},
	{"REFUSED: the root", ". NS", "REFUSED"},
}

// TestSemantics puts each question with dig, kdig and drill, without EDNS, and over TCP with dig.
func TestSemantics(t *testing.T) {
	addr := servePeerZones(t)
	for _, tt := range semantics {
		t.Run(tt.name, func(t *testing.T) {
			want := expectation(tt.want)
			for _, tool := range []string{"dig +noedns", "kdig", "drill", "dig +tcp +nocookie"} {
				t.Run(tool, func(t *testing.T) {
					got := ask(t, addr, tool+" "+tt.question)
					want.mustEqual(t, got)
				})
			}
		})
	}
}
