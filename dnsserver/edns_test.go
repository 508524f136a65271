package dnsserver

import (
	"encoding/hex"
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
