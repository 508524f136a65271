package dnsserver_test

import (
	"net/netip"
	"os"
	"testing"

	"github.com/livens/livens/internal/peertest"
	"github.com/miekg/dns"
)

const (
	cookieSecret = "e5e973e5a6b2a43f48e7dc849e37bfcf"
	oldSecret    = "445536bcd2513298075a5d379663c962"
)

// cookieReply asks with a cookie and returns the reply's rcode and cookie. Without a name there is no question, which
// is how a client tests whether its server cookie is good (RFC 7873 section 5.4).
func cookieReply(t *testing.T, addr netip.AddrPort, name, given string) (rcode int, got string) {
	t.Helper()
	query := new(dns.Msg)
	query.Id = dns.Id()
	if name != "" {
		query.SetQuestion(name, dns.TypeSOA)
	}
	query.SetEdns0(1232, false)
	query.IsEdns0().Option = []dns.EDNS0{&dns.EDNS0_COOKIE{Code: dns.EDNS0COOKIE, Cookie: given}}
	client := dns.Client{Timeout: exchangeLimit}
	reply, _, err := client.Exchange(query, addr.String())
	if err != nil {
		t.Fatal(err)
	}
	return reply.Rcode, cookie(reply)
}

// TestCookiesAreInteroperable carries server cookies between livens and Knot: nameservers of one zone, of different
// make, with one secret (RFC 9018 section 5).
func TestCookiesAreInteroperable(t *testing.T) {
	zone := peertest.Zone{Name: "chat.test.", File: "testdata/conformance/chat.test.zone"}
	text, err := os.ReadFile(zone.File)
	if err != nil {
		t.Fatal(err)
	}
	livens := serve(t, "cookie_file = \"cookies\"\n", map[string]string{
		"../cookies": cookieSecret + "\n" + oldSecret + "\n",
		"db.chat":    string(text),
		"chat.toml":  "[zone]\nname = \"chat.test\"\nzonefile = \"db.chat\"\n",
	})
	knot := peertest.KnotWithCookies(t, cookieSecret, zone)
	retired := peertest.KnotWithCookies(t, oldSecret, zone)
	stranger := peertest.KnotWithCookies(t, "00112233445566778899aabbccddeeff", zone)

	const client = "2464c4abcf10c957"
	_, ours := cookieReply(t, livens.addr, "chat.test.", client)
	_, theirs := cookieReply(t, knot.Addr, "chat.test.", client)
	_, rotated := cookieReply(t, retired.Addr, "chat.test.", client)
	_, strange := cookieReply(t, stranger.Addr, "chat.test.", client)
	for _, tt := range []struct {
		name, question string
		server         netip.AddrPort
		cookie         string
		want           int
	}{
		{"livens' at Knot", "chat.test.", knot.Addr, ours, dns.RcodeSuccess},
		{"livens' at Knot, with another secret", "chat.test.", stranger.Addr, ours, dns.RcodeBadCookie},
		{"livens' of another client at Knot", "chat.test.", knot.Addr, "ffffffffffffffff" + ours[16:], dns.RcodeBadCookie},
		{"Knot's at livens", "", livens.addr, theirs, dns.RcodeSuccess},
		{"Knot's at livens, by the secret that is going out of use", "", livens.addr, rotated, dns.RcodeSuccess},
		{"Knot's at livens, by another secret", "", livens.addr, strange, dns.RcodeBadCookie},
		{"Knot's of another client at livens", "", livens.addr, "ffffffffffffffff" + theirs[16:], dns.RcodeBadCookie},
		{"livens' own at livens", "", livens.addr, ours, dns.RcodeSuccess},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rcode, answered := cookieReply(t, tt.server, tt.question, tt.cookie)
			if rcode != tt.want {
				t.Errorf("rcode %s, want %s", dns.RcodeToString[rcode], dns.RcodeToString[tt.want])
			}
			if len(answered) != 48 {
				t.Errorf("cookie %q", answered)
			}
		})
	}
}
