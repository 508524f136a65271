package main

import (
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/livens/livens/internal/peertest"
	"github.com/livens/livens/zones"
	"github.com/miekg/dns"
)

// child is how a nameserver of the zone behaves, at an address that the test maps to a real socket.
type child struct {
	serial  uint32
	refuse  bool // REFUSED
	lame    bool // no AA
	plain   bool // no EDNS
	udpOnly bool
	tcpOnly bool
}

// start serves the child on loopback, and returns where.
func (c child) start(t *testing.T) netip.AddrPort {
	t.Helper()
	where := netip.AddrPortFrom(peertest.Loopback, peertest.FreePort(t))
	handler := dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		r := new(dns.Msg).SetReply(q)
		r.Authoritative = !c.lame
		if c.refuse {
			r.Rcode = dns.RcodeRefused
		} else {
			soa, _ := dns.NewRR(q.Question[0].Name + " 300 SOA ns1 host 0 1 1 1 1")
			soa.(*dns.SOA).Serial = c.serial
			r.Answer = append(r.Answer, soa)
		}
		if !c.plain {
			r.SetEdns0(1232, false)
		}
		_ = w.WriteMsg(r)
	})
	for _, network := range []string{"udp", "tcp"} {
		if network == "udp" && c.tcpOnly || network == "tcp" && c.udpOnly {
			continue
		}
		ready := make(chan struct{})
		server := &dns.Server{Addr: where.String(), Net: network, Handler: handler, NotifyStartedFunc: func() { close(ready) }}
		failed := make(chan error, 1)
		go func() { failed <- server.ListenAndServe() }()
		select {
		case <-ready:
		case err := <-failed:
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = server.Shutdown() })
	}
	return where
}

const soundChild = `chat.example.test. SOA ns1 host 7 1 1 1 1
chat.example.test. NS ns1.chat.example.test.
chat.example.test. NS ns2.other.test.
ns1.chat.example.test. A 192.0.2.1`

const soundParent = `chat NS ns1.chat
chat NS ns2.other.test.
ns1.chat A 192.0.2.1`

func TestDelegation(t *testing.T) {
	for name, c := range map[string]struct {
		zone, parent string // default: sound
		children     map[string]child
		want         []string // parts of the findings, in order; none: all is well
	}{
		"sound": {},
		"case does not matter": {
			parent: strings.ToUpper(soundParent),
		},
		"not delegated": {
			parent: "x A 192.0.2.9",
			want:   []string{"error: the parent example.test does not delegate chat.example.test"},
		},
		"glue is missing": {
			parent: "chat NS ns1.chat\nchat NS ns2.other.test.",
			want:   []string{"error: the parent gives no address (glue) for ns1.chat.example.test"},
		},
		"glue differs": {
			parent:   soundParent + "\nns1.chat A 192.0.2.77",
			children: map[string]child{"192.0.2.77": {refuse: true}},
			want: []string{
				"error: the parent sends resolvers for ns1.chat.example.test to 192.0.2.77, which is not its address in the zone",
				"error: ns1.chat.example.test (192.0.2.77) does not serve the zone: it answers REFUSED over UDP and TCP",
			},
		},
		"glue lacks an address": {
			zone:     soundChild + "\nns1.chat.example.test. A 192.0.2.3",
			children: map[string]child{"192.0.2.3": {serial: 7}},
			want:     []string{"warning: the parent does not give 192.0.2.3 for ns1.chat.example.test"},
		},
		"a nameserver only the zone names": {
			parent: "chat NS ns1.chat\nns1.chat A 192.0.2.1",
			want:   []string{"warning: the zone names ns2.other.test as its nameserver, its parent example.test does not"},
		},
		"a nameserver only the parent names": {
			parent: soundParent + "\nchat NS ns2.example.test.",
			want:   []string{"warning: the parent example.test sends resolvers to ns2.example.test, which the zone does not name"},
		},
		"nothing listens": {
			children: map[string]child{"192.0.2.2": {udpOnly: true, tcpOnly: true}},
			want:     []string{"error: ns2.other.test (192.0.2.2) does not answer over UDP and TCP: connection refused"},
		},
		"no TCP": {
			children: map[string]child{"192.0.2.2": {serial: 7, udpOnly: true}},
			want:     []string{"error: ns2.other.test (192.0.2.2) does not answer over TCP: connection refused"},
		},
		"no UDP": {
			children: map[string]child{"192.0.2.2": {serial: 7, tcpOnly: true}},
			want:     []string{"error: ns2.other.test (192.0.2.2) does not answer over UDP: connection refused"},
		},
		"lame": {
			children: map[string]child{"192.0.2.2": {serial: 7, lame: true}},
			want:     []string{"error: ns2.other.test (192.0.2.2) answers over UDP and TCP without authority for the zone"},
		},
		"no EDNS": {
			children: map[string]child{"192.0.2.2": {serial: 7, plain: true}},
			want:     []string{"warning: ns2.other.test (192.0.2.2) answers without EDNS"},
		},
		"serials differ": {
			children: map[string]child{"192.0.2.2": {serial: 8}},
			want:     []string{"warning: the nameservers' serials differ: 7 at ns1.chat.example.test; 8 at ns2.other.test"},
		},
		"a nameserver without address": {
			zone:   soundChild + "\nchat.example.test. NS ghost.example.test.",
			parent: soundParent + "\nchat NS ghost",
			want:   []string{"error: the nameserver ghost.example.test has no address"},
		},
		"a nameserver that is an alias": {
			zone:   soundChild + "\nchat.example.test. NS alias.example.test.",
			parent: soundParent + "\nchat NS alias",
			want:   []string{"error: the nameserver alias.example.test is an alias"},
		},
		"one nameserver": {
			zone:   "chat.example.test. SOA ns1 host 7 1 1 1 1\nchat.example.test. NS ns1.chat.example.test.\nns1.chat.example.test. A 192.0.2.1",
			parent: "chat NS ns1.chat\nns1.chat A 192.0.2.1",
			want:   []string{"warning: the zone has one nameserver"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newTestDelegation(t, c.parent, c.children)
			found := d.check(t.Context(), &zones.Set{Zones: []*zones.Zone{zoneOf(t, c.zone)}})[0]
			if found.Parent != "example.test." {
				t.Errorf("parent %q", found.Parent)
			}
			var got []string
			for _, f := range found.Findings {
				got = append(got, string(f.Severity)+": "+f.Text)
				if f.Hint == "" {
					t.Errorf("%s: no hint", f.Text)
				}
			}
			if len(got) != len(c.want) {
				t.Fatalf("findings %q, want %q", got, c.want)
			}
			for i, want := range c.want {
				if !strings.Contains(got[i], want) {
					t.Errorf("finding %q, want %q", got[i], want)
				}
			}
		})
	}
}

func zoneOf(t *testing.T, text string) *zones.Zone {
	t.Helper()
	if text == "" {
		text = soundChild
	}
	z := &zones.Zone{Name: "chat.example.test."}
	for line := range strings.Lines(text) {
		rr, err := dns.NewRR(line)
		if err != nil {
			t.Fatal(err)
		}
		packed, err := zones.Pack(rr)
		if err != nil {
			t.Fatal(err)
		}
		z.Records = append(z.Records, packed)
	}
	return z
}

// newTestDelegation serves the parent by knotd, which also stands in for the resolver, and the zone's nameservers at
// 192.0.2.1 and .2 and where children says.
func newTestDelegation(t *testing.T, parent string, children map[string]child) *delegation {
	t.Helper()
	if parent == "" {
		parent = soundParent
	}
	knot := peertest.Knot(t, zoneFile(t, "example.test.", "ns A 192.0.2.100\nns2 A 192.0.2.2\nalias CNAME ns2\n"+parent),
		zoneFile(t, "other.test.", "ns A 192.0.2.100\nns2 A 192.0.2.2"))
	where := map[netip.Addr]netip.AddrPort{netip.MustParseAddr("192.0.2.100"): knot.Addr}
	behave := map[string]child{"192.0.2.1": {serial: 7}, "192.0.2.2": {serial: 7}}
	for address, c := range children {
		behave[address] = c
	}
	for address, c := range behave {
		where[netip.MustParseAddr(address)] = c.start(t)
	}
	return &delegation{
		resolver: knot.Addr, patience: patience,
		server: func(a netip.Addr) netip.AddrPort { return where[a] },
	}
}

func zoneFile(t *testing.T, name, records string) peertest.Zone {
	t.Helper()
	path := filepath.Join(t.TempDir(), "db")
	text := "$ORIGIN " + name + "\n$TTL 300\n@ SOA ns host 1 3600 600 86400 60\n@ NS ns\n" + records + "\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return peertest.Zone{Name: name, File: path}
}

func TestDelegationOfASilentResolver(t *testing.T) {
	silent, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	d, err := newDelegation(silent.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	d.patience = 50 * time.Millisecond
	d.server = func(netip.Addr) netip.AddrPort { return netip.MustParseAddrPort(silent.LocalAddr().String()) }
	found := d.check(t.Context(), &zones.Set{Zones: []*zones.Zone{zoneOf(t, "")}})[0]
	if len(found.Findings) == 0 || !strings.Contains(found.Findings[0].Text, "no reply within 50ms") {
		t.Errorf("%+v", found.Findings)
	}
}

func TestNoRouteSaysNothingOfTheOtherSide(t *testing.T) {
	for _, errno := range []error{syscall.ENETUNREACH, syscall.EADDRNOTAVAIL, syscall.EAFNOSUPPORT} {
		err := new(delegation).plainly(&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", errno)})
		if f := judge(nil, err); f == nil || f.severity != aside {
			t.Errorf("%v: %+v", errno, f)
		}
	}
}

func TestResolverAddress(t *testing.T) {
	for in, want := range map[string]string{"192.0.2.1": "192.0.2.1:53", "192.0.2.1:54": "192.0.2.1:54", "2001:db8::1": "[2001:db8::1]:53", "[2001:db8::1]:54": "[2001:db8::1]:54"} {
		d, err := newDelegation(in)
		if err != nil || d.resolver.String() != want {
			t.Errorf("%s: %v, %v", in, d, err)
		}
	}
	if _, err := newDelegation("dns.example"); err == nil {
		t.Error("a name is taken for an address")
	}
}
