package dnsserver_test

import (
	"strings"
	"testing"
)

// protocols are what only one or two of the tools can ask, and pieces of what they must and must not print.
var protocols = []struct {
	name, command string
	has, hasNot   []string
}{
	{"EDNS: version 1 is BADVERS", "dig +edns=1 +noednsnegotiation +nocookie example.test SOA",
		[]string{"status: BADVERS", "flags: qr rd;", "ANSWER: 0, AUTHORITY: 0, ADDITIONAL: 1", "EDNS: version: 0, flags:; udp: 1232"}, nil},
	{"EDNS: version 1 is BADVERS, and dig then asks with version 0", "dig +edns=1 example.test SOA",
		[]string{"status: NOERROR", "BADVERS, retrying with EDNS version 0.", "ANSWER: 1"}, nil},
	{"EDNS: version 255 is BADVERS", "kdig +edns=255 example.test SOA",
		[]string{"status: BADVERS", "Version: 0;", "ANSWER: 0;"}, nil},
	{"EDNS: unknown options are ignored and not repeated", "dig +nocookie +ednsopt=65001:0102ff example.test SOA",
		[]string{"status: NOERROR", "ANSWER: 1", "EDNS: version: 0"}, []string{"OPT=65001"}},
	{"EDNS: unknown flags are ignored and not repeated", "dig +nocookie +ednsflags=0x7fff example.test SOA",
		[]string{"status: NOERROR", "EDNS: version: 0, flags:; udp: 1232"}, []string{"MBZ"}},
	{"EDNS: DO is repeated", "dig +nocookie +dnssec example.test SOA", []string{"flags: do; udp: 1232"}, nil},
	{"EDNS: DO is repeated, as drill sees it", "drill -D example.test SOA", []string{"EDNS: version 0; flags: do ; udp: 1232"}, nil},
	{"EDNS: none in the query, none in the reply", "kdig example.test SOA", []string{"ADDITIONAL: 0"}, []string{"EDNS"}},
	{"EDNS: in REFUSED too", "dig +nocookie elsewhere.invalid", []string{"status: REFUSED", "EDNS: version: 0"}, []string{"flags: qr aa"}},
	{"EDNS: 512 octets at least", "dig +ignore +nocookie +bufsize=100 fits512.example.test",
		[]string{"flags: qr aa rd;", "ANSWER: 27"}, nil},

	{"NSID", "dig +nsid +nocookie example.test SOA", []string{`NSID: 6e 73 31 ("ns1")`}, nil},
	{"NSID, as kdig sees it", "kdig +nsid example.test SOA", []string{`NSID: 6E7331 "ns1"`}, nil},
	{"NSID only when asked for", "dig +nocookie example.test SOA", nil, []string{"NSID"}},

	{"EDE: not authoritative", "dig elsewhere.invalid", []string{"status: REFUSED", "EDE: 20 (Not Authoritative)"}, nil},
	{"EDE: not supported", "dig +opcode=STATUS example.test", []string{"status: NOTIMP", "EDE: 21 (Not Supported)"}, nil},
	{"EDE: none with an answer", "dig example.test SOA", nil, []string{"EDE"}},
	{"EDE: none without EDNS", "dig +noedns elsewhere.invalid", []string{"status: REFUSED"}, []string{"EDE"}},

	{"cookie: a server cookie for a client cookie", "dig +cookie=0123456789abcdef example.test SOA",
		[]string{"status: NOERROR", "COOKIE: 0123456789abcdef01000000", "(good)"}, nil},
	{"cookie: a bad server cookie is replaced", "dig +cookie=0123456789abcdef0100000000000000aaaaaaaaaaaaaaaa example.test SOA",
		[]string{"status: NOERROR", "COOKIE: 0123456789abcdef01000000", "(good)"}, []string{"aaaaaaaaaaaaaaaa (good)"}},
	{"cookie: over TCP", "kdig +tcp +cookie=0123456789abcdef example.test SOA",
		[]string{"status: NOERROR", "COOKIE: 0123456789ABCDEF01000000"}, nil},
	{"cookie: none without being asked for", "kdig +edns example.test SOA", []string{"Version: 0"}, []string{"COOKIE"}},
	{"cookie: 2 octets are FORMERR", "dig +nocookie +ednsopt=10:0102 example.test SOA",
		[]string{"status: FORMERR", "ANSWER: 0"}, nil},
	{"cookie: 41 octets are FORMERR", "dig +nocookie +ednsopt=10:" + strings.Repeat("00", 41) + " example.test SOA",
		[]string{"status: FORMERR", "ANSWER: 0"}, nil},
	{"cookie without question", "dig +header-only +cookie", []string{"status: NOERROR", "QUERY: 0", "(good)"}, nil},
	{"cookie without question, a bad one", "dig +header-only +nobadcookie +cookie=0123456789abcdef0100000000000000aaaaaaaaaaaaaaaa",
		[]string{"status: BADCOOKIE", "QUERY: 0", "(good)"}, nil},

	{"ECS: echoed with scope 0", "dig +subnet=192.0.2.0/24 www.example.test",
		[]string{"status: NOERROR", "CLIENT-SUBNET: 192.0.2.0/24/0", "ANSWER: 2"}, nil},
	{"ECS: IPv6", "kdig +subnet=2001:db8::/56 www.example.test", []string{"status: NOERROR", "CLIENT-SUBNET: 2001:db8::/56/0"}, nil},
	{"ECS: prefix 0", "dig +subnet=0 www.example.test", []string{"status: NOERROR", "CLIENT-SUBNET: 0.0.0.0/0/0"}, nil},
	{"ECS: bits beyond the prefix are FORMERR", "dig +nocookie +ednsopt=8:00011800c0000201 www.example.test", []string{"status: FORMERR"}, nil},
	{"ECS: a scope in a query is FORMERR", "dig +nocookie +ednsopt=8:00011818c00002 www.example.test", []string{"status: FORMERR"}, nil},
	{"ECS: an unknown family is FORMERR", "dig +nocookie +ednsopt=8:00630000 www.example.test", []string{"status: FORMERR"}, nil},

	{"ANY: one RRset, by RFC 8482", "dig +nocookie www.example.test ANY +notcp",
		[]string{"status: NOERROR", "ANSWER: 2,", "www.example.test. 3600 IN A 192.0.2.80"}, []string{"AAAA"}},
	{"ANY: where there is none, NXDOMAIN", "kdig nowhere.example.test ANY", []string{"status: NXDOMAIN", "AUTHORITY: 1"}, nil},
	{"ANY: at an empty non-terminal, no data", "drill ent.example.test ANY", []string{"rcode: NOERROR", "ANSWER: 0, AUTHORITY: 1"}, nil},
	{"ANY: an alias is not followed", "dig +nocookie alias.example.test ANY",
		[]string{"alias.example.test. 3600 IN CNAME www.example.test.", "ANSWER: 1,"}, nil},

	{"CHAOS: version.bind", "dig CH TXT version.bind", []string{"status: NOERROR", "flags: qr aa rd;", `version.bind. 0 CH TXT "livens"`}, nil},
	{"CHAOS: version.server", "kdig CH TXT version.server", []string{`version.server. 0 CH TXT "livens"`}, nil},
	{"CHAOS: id.server", "drill CH TXT id.server", []string{`id.server. 0 CH TXT "ns1"`}, nil},
	{"CHAOS: hostname.bind", "dig CH TXT HostName.Bind", []string{`CH TXT "ns1"`}, nil},
	{"CHAOS: anything else is REFUSED", "dig CH TXT authors.bind", []string{"status: REFUSED", "ANSWER: 0"}, nil},
	{"CHAOS: our zones are not in it", "kdig CH A www.example.test", []string{"status: REFUSED"}, nil},
	{"class HS is REFUSED", "dig HS A www.example.test", []string{"status: REFUSED"}, nil},

	{"NOTIMP: STATUS", "dig +noedns +opcode=STATUS www.example.test", []string{"opcode: STATUS, status: NOTIMP", "ANSWER: 0"}, nil},
	{"NOTIMP: IQUERY", "dig +opcode=IQUERY www.example.test", []string{"opcode: IQUERY, status: NOTIMP"}, nil},
	{"NOTIMP: opcode 15", "dig +opcode=15 www.example.test", []string{"opcode: RESERVED15, status: NOTIMP"}, nil},
	{"NOTIMP: NOTIFY", "dig +opcode=NOTIFY example.test SOA", []string{"opcode: NOTIFY, status: NOTIMP"}, []string{"flags: qr aa"}},
	{"NOTIMP: NOTIFY, as kdig sends it", "kdig NOTIFY=2026112202 example.test", []string{"opcode: NOTIFY; status: NOTIMPL"}, nil},
	{"NOTIMP: UPDATE", "dig +opcode=UPDATE example.test SOA", []string{"opcode: UPDATE, status: NOTIMP"}, nil},

	{"AXFR is REFUSED", "kdig AXFR example.test", []string{"server replied with error 'REFUSED'"}, nil},
	{"AXFR is REFUSED, as dig sees it", "dig AXFR example.test", []string{"; Transfer failed."}, []string{"192.0.2"}},
	{"AXFR is REFUSED, as drill sees it", "drill AXFR example.test", []string{"AXFR failed.", "rcode: REFUSED"}, nil},
	{"AXFR over UDP is REFUSED", "kdig +notcp +noall +header AXFR example.test", []string{"REFUSED"}, nil},
	{"IXFR is REFUSED", "kdig IXFR=1 example.test", []string{"server replied with error 'REFUSED'"}, nil},
	{"IXFR over UDP is REFUSED", "kdig +notcp IXFR=1 example.test", []string{"server replied with error 'REFUSED'", "(UDP)"}, nil},

	{"FORMERR: no question", "dig +header-only +nocookie", []string{"status: FORMERR", "QUERY: 0"}, nil},
	{"FORMERR: no question, no EDNS", "dig +header-only +noedns", []string{"status: FORMERR", "QUERY: 0"}, nil},

	{"case: the question is repeated as it was asked", "dig +nocookie WwW.eXaMpLe.TeSt A",
		[]string{";WwW.eXaMpLe.TeSt. IN A", "WwW.eXaMpLe.TeSt. 3600 IN A 192.0.2.80"}, nil},
	{"case: names keep the case of the zone file", "dig +nocookie +norec updown.example.test CNAME",
		[]string{"CNAME MixedCase.example.test."}, nil},

	{"flags: RA is never set, RD is repeated", "dig +nocookie +rec www.example.test", []string{"flags: qr aa rd;"}, nil},
	{"flags: no RD, none in the reply", "dig +nocookie +norec www.example.test", []string{"flags: qr aa;"}, nil},
	{"flags: AD, CD and Z are not repeated", "dig +nocookie +norec +adflag +cdflag +zflag www.example.test",
		[]string{"flags: qr aa;"}, []string{"MBZ"}},

	{"compression", "dig +noedns www.example.test A", []string{"ANSWER: 2,", "MSG SIZE rcvd: 66"}, nil},
	{"compression: names in the data of MX", "dig +noedns child.example.test MX", []string{"ANSWER: 2,", "ADDITIONAL: 1", "MSG SIZE rcvd: 94"}, nil},
	{"compression: none in the data of SRV", "dig +noedns _sip._tcp.example.test SRV", []string{"ANSWER: 3,", "ADDITIONAL: 5", "MSG SIZE rcvd: 266"}, nil},

	{"truncation: without EDNS at 512", "dig +ignore +noedns fits1232.example.test", []string{"flags: qr aa tc rd;", "ANSWER: 0"}, nil},
	{"truncation: what fits 1232 is whole with EDNS", "dig +ignore +nocookie fits1232.example.test", []string{"flags: qr aa rd;", "ANSWER: 60"}, nil},
	{"truncation: never more than 1232 over UDP", "dig +ignore +nocookie +bufsize=4096 large.example.test", []string{"flags: qr aa tc rd;"}, nil},
	{"truncation: dig retries over TCP", "dig large.example.test",
		[]string{"Truncated, retrying in TCP mode.", "flags: qr aa rd;", "ANSWER: 120", "(TCP)"}, nil},
	{"truncation: kdig retries over TCP", "kdig huge.example.test TXT",
		[]string{"retrying over TCP", "Flags: qr aa rd;", "ANSWER: 60", "(TCP)"}, nil},
	{"truncation: drill is told, and asks over TCP", "drill large.example.test", []string{"flags: qr aa tc rd", "truncated"}, nil},
	{"truncation: drill over TCP", "drill -t large.example.test", []string{"flags: qr aa rd ;", "ANSWER: 120"}, nil},
	{"truncation: optional data is left out without TC", "dig +ignore +noedns manymx.example.test MX",
		[]string{"flags: qr aa rd;", "ANSWER: 12,"}, []string{" tc"}},
	{"truncation: glue is not optional", "dig +ignore +nocookie x.manyns.example.test", []string{"flags: qr tc rd;", "AUTHORITY: 40"}, nil},

	{"TCP: kdig keeps the connection for several queries",
		"kdig +tcp +keepopen www.example.test AAAA mail.example.test AAAA only4.example.test A nowhere.example.test A",
		[]string{"2001:db8::80", "2001:db8::25", "192.0.2.4", "status: NXDOMAIN"}, []string{"failed", "WARNING"}},

	{"YAML: dig's structured form", "dig +yaml +nocookie only4.example.test A",
		[]string{"status: NOERROR", "flags: qr aa rd", "- 'only4.example.test. 3600 IN A 192.0.2.4'"}, nil},
	{"SVCB: parameters and additional data", "kdig svc2.example.test SVCB",
		[]string{"svc2.example.test. 3600 IN SVCB 1 www.example.test. mandatory=alpn,port alpn=h3 port=8443",
			"svc2.example.test. 3600 IN SVCB 3 . key667=\"hello\"", "svc2.example.test. 3600 IN A 192.0.2.90",
			"www.example.test. 3600 IN A 192.0.2.80", "mail.example.test. 3600 IN AAAA 2001:db8::25"}, nil},
	{"SVCB: an alias form brings what it points to", "kdig svc.example.test SVCB",
		[]string{"svc.example.test. 3600 IN SVCB 0 svc2.example.test.", "svc2.example.test. 3600 IN SVCB 2 mail.example.test."}, nil},
	{"HTTPS", "dig +nocookie https-alias.example.test HTTPS",
		[]string{"https-alias.example.test. 3600 IN HTTPS 0 https.example.test.", "https.example.test. 3600 IN HTTPS 2 www.example.test."}, nil},
	{"DNAME: too long a name is YXDOMAIN",
		"dig +nocookie " + strings.Repeat("p", 49) + ".tree-long.example.test",
		[]string{"status: YXDOMAIN", "flags: qr aa rd;", "IN DNAME bbb"}, []string{"CNAME"}},
	{"DNAME: the longest name that fits",
		"dig +nocookie " + strings.Repeat("p", 48) + ".tree-long.example.test", []string{"status: NXDOMAIN", "IN CNAME ppp"}, nil},
}

// TestProtocol asks what the semantics do not cover: the message around the answer.
func TestProtocol(t *testing.T) {
	addr := servePeerZones(t)
	for _, tt := range protocols {
		t.Run(tt.name, func(t *testing.T) {
			got := ask(t, addr, tt.command)
			got.has(t, tt.has...)
			got.hasNot(t, tt.hasNot...)
		})
	}
}
