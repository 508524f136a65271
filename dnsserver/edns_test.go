package dnsserver

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// withOption adds an EDNS option of raw content.
func withOption(m *dns.Msg, code uint16, data string) *dns.Msg {
	raw, err := hex.DecodeString(data)
	if err != nil {
		panic(err)
	}
	opt := m.IsEdns0()
	opt.Option = append(opt.Option, &dns.EDNS0_LOCAL{Code: code, Data: raw})
	return m
}

func option(m *dns.Msg, code uint16) dns.EDNS0 {
	if opt := m.IsEdns0(); opt != nil {
		for _, o := range opt.Option {
			if o.Option() == code {
				return o
			}
		}
	}
	return nil
}

// TestEDNS: RFC 6891.
func TestEDNS(t *testing.T) {
	c := client{compiled(t, publication(t, plainZone)), false}
	ask := func() *dns.Msg { return question("www.example.test. A") }

	plain := ask()
	plain.Extra = nil
	if reply := c.exchange(t, plain); reply.IsEdns0() != nil || len(reply.Answer) != 1 {
		t.Errorf("OPT in reply to none: %v", reply)
	}

	m := ask()
	m.IsEdns0().SetDo()
	m.IsEdns0().SetZ(0x7fff)
	reply := c.exchange(t, m)
	if opt := reply.IsEdns0(); opt == nil || !opt.Do() || opt.Z() != 0 || opt.UDPSize() != 1232 || opt.Version() != 0 || len(opt.Option) != 0 {
		t.Errorf("OPT: %v", opt)
	}

	m = ask()
	m.IsEdns0().SetVersion(1)
	withOption(m, dns.EDNS0COOKIE, "00") // another version may put something else there
	reply = c.exchange(t, m)
	if reply.Rcode != dns.RcodeBadVers || reply.IsEdns0().Version() != 0 || len(reply.Answer) != 0 || reply.Authoritative {
		t.Errorf("version 1: %v", reply)
	}

	if reply = c.exchange(t, withOption(ask(), 65001, "abcd")); len(reply.Answer) != 1 || len(reply.IsEdns0().Option) != 0 {
		t.Errorf("unknown option: %v", reply)
	}

	m = ask()
	m.Extra = append(m.Extra, dns.Copy(m.Extra[0]))
	if reply = c.exchange(t, m); reply.Rcode != dns.RcodeFormatError || len(reply.Question) != 1 {
		t.Errorf("two OPT records: %v", reply)
	}
	for _, sec := range []string{"answer", "authority"} {
		m = ask()
		if sec == "answer" {
			m.Answer, m.Extra = m.Extra, nil
		} else {
			m.Ns, m.Extra = m.Extra, nil
		}
		if reply = c.exchange(t, m); reply.Rcode != dns.RcodeFormatError {
			t.Errorf("OPT in %s: %v", sec, reply)
		}
	}
	m = ask()
	other, _ := dns.NewRR("x.example.test. A 192.0.2.1")
	m.Extra = []dns.RR{other, m.Extra[0], other}
	if reply = c.exchange(t, m); len(reply.Answer) != 1 || reply.IsEdns0() == nil {
		t.Errorf("OPT between other records: %v", reply)
	}
	m = ask()
	m.Extra[0].Header().Name = "x."
	query, _ := m.Pack()
	var owned dns.Msg
	if owned.Unpack(c.raw(t, query)); owned.Rcode != dns.RcodeFormatError {
		t.Errorf("OPT not owned by the root: %v", &owned)
	}
	query, _ = withOption(ask(), 65001, "abcd").Pack()
	query[len(query)-3] = 9 // the option's length
	if owned.Unpack(c.raw(t, query)); owned.Rcode != dns.RcodeFormatError {
		t.Errorf("option longer than OPT: %v", &owned)
	}
}

// TestNSID: RFC 5001.
func TestNSID(t *testing.T) {
	s := compiled(t, publication(t, plainZone))
	got, ok := option(client{s, false}.exchange(t, withOption(question("www.example.test. A"), dns.EDNS0NSID, "")), dns.EDNS0NSID).(*dns.EDNS0_NSID)
	if !ok || got.Nsid != hex.EncodeToString([]byte("ns1")) {
		t.Errorf("NSID %v", got)
	}
	silent := *s.settings
	silent.config.NSID = ""
	if reply := (client{s.withSettings(&silent), false}).exchange(t, withOption(question("www.example.test. A"), dns.EDNS0NSID, "")); len(reply.IsEdns0().Option) != 0 {
		t.Errorf("NSID of a server without: %v", reply)
	}
	long := testConfig()
	long.NSID = strings.Repeat("x", maxNSID+1)
	if _, err := New(Options{Config: long}); err == nil {
		t.Error("a NSID that does not fit is taken")
	}
}

// TestClientSubnet: RFC 7871 sections 6 and 7.2.1: echoed with scope 0, or FORMERR.
func TestClientSubnet(t *testing.T) {
	c := client{compiled(t, publication(t, plainZone)), false}
	for _, tc := range []struct{ name, data, want string }{
		{"IPv4 /24", "00011800c00002", "00011800c00002"},
		{"IPv4 /32", "00012000c0000201", "00012000c0000201"},
		{"IPv4 /0", "00010000", "00010000"},
		{"IPv4 /23, last octet even", "00011700c00002", "00011700c00002"},
		{"IPv6 /56", "0002380020010db8000100", "0002380020010db8000100"},
		{"family 0", "00000000", "00000000"},
		{"scope set", "00011818c00002", ""},
		{"bits beyond the prefix", "00011700c00003", ""},
		{"address too short", "00011800c000", ""},
		{"address too long", "00011800c0000200", ""},
		{"prefix beyond IPv4", "00012100c000020100", ""},
		{"prefix beyond IPv6", "0002810020010db800000000000000000000000000", ""},
		{"unknown family", "00030800c0", ""},
		{"family 0 with prefix", "00000800c0", ""},
		{"too short", "000118", ""},
		{"empty", "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			query, err := withOption(question("www.example.test. A"), dns.EDNS0SUBNET, tc.data).Pack()
			if err != nil {
				t.Fatal(err)
			}
			response := c.raw(t, query)
			rcode := int(response[3] & 15)
			if tc.want == "" {
				if rcode != dns.RcodeFormatError {
					t.Errorf("rcode %d", rcode)
				}
				return
			}
			got := hex.EncodeToString(response[len(response)-len(tc.want)/2:])
			if rcode != 0 || got != tc.want {
				t.Errorf("rcode %d, echo %s, want %s", rcode, got, tc.want)
			}
		})
	}
}

// TestKeepalive: RFC 7828: over TCP when asked for, never over UDP.
func TestKeepalive(t *testing.T) {
	s := compiled(t, publication(t, plainZone))
	ask := func() *dns.Msg { return withOption(question("www.example.test. A"), dns.EDNS0TCPKEEPALIVE, "") }
	got, ok := option(client{s, true}.exchange(t, ask()), dns.EDNS0TCPKEEPALIVE).(*dns.EDNS0_TCP_KEEPALIVE)
	if !ok || got.Timeout != 100 {
		t.Errorf("over TCP: %v", got)
	}
	if o := option(client{s, false}.exchange(t, ask()), dns.EDNS0TCPKEEPALIVE); o != nil {
		t.Errorf("over UDP: %v", o)
	}
	if o := option(client{s, true}.exchange(t, question("www.example.test. A")), dns.EDNS0TCPKEEPALIVE); o != nil {
		t.Errorf("not asked for: %v", o)
	}
}

// TestExtendedErrors: RFC 8914.
func TestExtendedErrors(t *testing.T) {
	s := compiled(t, publication(t, plainZone))
	for ask, want := range map[string]uint16{
		"www.elsewhere.test. A": dns.ExtendedErrorCodeNotAuthoritative,
		"example.test. AXFR":    dns.ExtendedErrorCodeNotSupported,
		"www.example.test. A":   0,
		"nx.example.test. A":    0,
	} {
		if got := ede((client{s, false}).ask(t, ask)); got != want {
			t.Errorf("%s: %d, want %d", ask, got, want)
		}
	}
	early := client{&snapshot{settings: s.settings}, false}
	if reply := early.ask(t, "www.example.test. A"); reply.Rcode != dns.RcodeServerFailure || ede(reply) != dns.ExtendedErrorCodeNotReady {
		t.Errorf("before the first publication: %v", reply)
	}
}
