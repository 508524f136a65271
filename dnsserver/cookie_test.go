package dnsserver

import (
	"encoding/hex"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func jarOf(t testing.TB, secrets ...string) *cookieJar {
	jar := &cookieJar{}
	for _, s := range secrets {
		jar.secrets = append(jar.secrets, [16]byte(unhex(t, s)))
	}
	return jar
}

const (
	secretA1 = "e5e973e5a6b2a43f48e7dc849e37bfcf"
	secretA4 = "445536bcd2513298075a5d379663c962"
	formerA4 = "dd3bdf9344b678b185a6f5cb60fca715"
)

// TestCookieVectors are those of RFC 9018 appendix A.
func TestCookieVectors(t *testing.T) {
	for _, tc := range []struct {
		name, client, query string
		secrets             []string
		now                 uint32
		valid               bool
		want                string
	}{
		{"A.1 a new cookie", "198.51.100.100", "2464c4abcf10c957", []string{secretA1}, 1559731985, false,
			"2464c4abcf10c957010000005cf79f111f8130c3eee29480"},
		{"A.2 renewed after 40 minutes", "198.51.100.100", "2464c4abcf10c957010000005cf79f111f8130c3eee29480",
			[]string{secretA1}, 1559734385, true, "2464c4abcf10c957010000005cf7a871d4a564a1442aca77"},
		{"A.3 reserved octets", "203.0.113.203", "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5",
			[]string{secretA1}, 1559728000, true, "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5"},
		{"A.3 too old", "203.0.113.203", "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5",
			[]string{secretA1}, 1559734700, false, "fc93fc62807ddb86010000005cf7a9acf73a7810aca2381e"},
		{"A.4 IPv6, the secret rolled over", "2001:db8:220:1:59de:d0f4:8769:82b8",
			"22681ab97d52c298010000005cf7c57926556bd0934c72f8", []string{secretA4, formerA4}, 1559741961, true,
			"22681ab97d52c298010000005cf7c609a6bb79d16625507a"},
		{"the former secret taken away", "2001:db8:220:1:59de:d0f4:8769:82b8",
			"22681ab97d52c298010000005cf7c57926556bd0934c72f8", []string{secretA4}, 1559741961, false,
			"22681ab97d52c298010000005cf7c609a6bb79d16625507a"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			client := netip.MustParseAddr(tc.client)
			var out [cookieSize]byte
			valid := jarOf(t, tc.secrets...).respond(&out, unhex(t, tc.query), client, tc.now)
			if got := hex.EncodeToString(out[:]); valid != tc.valid || got != tc.want {
				t.Errorf("%v %s, want %v %s", valid, got, tc.valid, tc.want)
			}
		})
	}
}

// TestCookieTimes: an hour back, five minutes ahead, new after half an hour, across the wrap of the 32-bit clock.
func TestCookieTimes(t *testing.T) {
	jar := jarOf(t, secretA1)
	client := netip.MustParseAddr("192.0.2.1")
	for _, made := range []uint32{1559731985, 0xffffff00} {
		var cookie, again [cookieSize]byte
		jar.respond(&cookie, []byte("clientck"), client, made)
		for _, tc := range []struct {
			age         int32
			valid, same bool
		}{{0, true, true}, {1800, true, true}, {1801, true, false}, {3600, true, false}, {3601, false, false}, {-300, true, true}, {-301, false, false}} {
			valid := jar.respond(&again, cookie[:], client, made+uint32(tc.age))
			if valid != tc.valid || (again == cookie) != tc.same {
				t.Errorf("made %d, age %d: valid %v, same %v", made, tc.age, valid, again == cookie)
			}
		}
	}
	other := netip.MustParseAddr("192.0.2.2")
	var cookie [cookieSize]byte
	jar.respond(&cookie, []byte("clientck"), client, 1559731985)
	if secret, _ := jar.verify(cookie[:], other, 1559731985); secret >= 0 {
		t.Error("another client's cookie is good")
	}
	cookie[8] = 2
	if secret, _ := jar.verify(cookie[:], client, 1559731985); secret >= 0 {
		t.Error("a cookie of another version is good")
	}
}

func withCookie(m *dns.Msg, cookie string) *dns.Msg {
	opt := m.IsEdns0()
	opt.Option = append(opt.Option, &dns.EDNS0_COOKIE{Code: dns.EDNS0COOKIE, Cookie: cookie})
	return m
}

func cookieOf(m *dns.Msg) string {
	if opt := m.IsEdns0(); opt != nil {
		for _, o := range opt.Option {
			if c, ok := o.(*dns.EDNS0_COOKIE); ok {
				return c.Cookie
			}
		}
	}
	return ""
}

// TestCookieExchange: RFC 7873 sections 5.2 to 5.4.
func TestCookieExchange(t *testing.T) {
	c := client{compiled(t, publication(t, plainZone)), false}
	first := c.exchange(t, withCookie(question("www.example.test. A"), "0102030405060708"))
	full := cookieOf(first)
	if len(full) != 2*cookieSize || full[:16] != "0102030405060708" || len(first.Answer) != 1 {
		t.Fatalf("cookie %q in\n%v", full, first)
	}
	if again := cookieOf(c.exchange(t, withCookie(question("www.example.test. A"), full))); again != full {
		t.Errorf("a fresh cookie is answered with %q", again)
	}
	wrong := full[:46] + "00"
	if reply := c.exchange(t, withCookie(question("www.example.test. A"), wrong)); len(reply.Answer) != 1 || cookieOf(reply) != full {
		t.Errorf("a wrong cookie costs nothing but gets a new one:\n%v", reply)
	}
	for _, size := range []int{0, 7, 9, 15, 41, 60} {
		if reply := c.exchange(t, withCookie(question("www.example.test. A"), strings.Repeat("aa", size))); reply.Rcode != dns.RcodeFormatError {
			t.Errorf("%d octets: %s", size, dns.RcodeToString[reply.Rcode])
		}
	}
	for cookie, want := range map[string]int{"": dns.RcodeFormatError, "0102030405060708": dns.RcodeSuccess, full: dns.RcodeSuccess, wrong: dns.RcodeBadCookie} {
		m := question("www.example.test. A")
		m.Question = nil
		if cookie != "" {
			withCookie(m, cookie)
		}
		reply := c.exchange(t, m)
		if reply.Rcode != want || len(reply.Question) != 0 || cookie != "" && cookieOf(reply) != full {
			t.Errorf("no question, cookie %q: %v", cookie, reply)
		}
	}
}

// TestReloadCookies rotates a secret while the server runs: the old one stays good as long as it is in the file.
func TestReloadCookies(t *testing.T) {
	file := filepath.Join(t.TempDir(), "cookies")
	os.WriteFile(file, []byte(secretA1+"\n"), 0o600)
	s := running(t, func(o *Options) { o.Config.CookieFile = file })
	s.Publish(publication(t, plainZone))
	if err := s.ReloadCookies(); err != nil {
		t.Fatal(err)
	}
	ask := func(cookie string) string {
		t.Helper()
		c := dns.Client{Timeout: 20 * time.Second}
		reply, _, err := c.Exchange(withCookie(question("www.example.test. A"), cookie), s.Addrs()[0].String())
		if err != nil || len(reply.Answer) != 1 {
			t.Fatal(err, reply)
		}
		return cookieOf(reply)
	}
	old := ask("0102030405060708")
	os.WriteFile(file, []byte(secretA4+"\n"+secretA1+"\n"), 0o600)
	if err := s.ReloadCookies(); err != nil {
		t.Fatal(err)
	}
	fresh := ask(old)
	client := netip.MustParseAddr("127.0.0.1")
	if secret, _ := jarOf(t, secretA4).verify(unhex(t, fresh), client, uint32(time.Now().Unix())); secret != 0 {
		t.Errorf("cookie %s is not made with the new secret", fresh)
	}
	os.WriteFile(file, []byte("oops\n"), 0o600)
	if err := s.ReloadCookies(); err == nil {
		t.Error("a broken file is no error")
	}
	if again := ask(fresh); again != fresh {
		t.Error("a broken file changed the secrets")
	}
}
