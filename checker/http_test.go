package checker

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/livens/livens/zones"
)

func TestHTTPAgainstRealServer(t *testing.T) {
	var seen *http.Request
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = r
		switch r.URL.Path {
		case "/moved":
			http.Redirect(w, r, "/", http.StatusFound)
		case "/broken":
			w.WriteHeader(http.StatusServiceUnavailable)
		case "/hints":
			w.WriteHeader(http.StatusEarlyHints)
			io.WriteString(w, "final")
		case "/big":
			io.WriteString(w, strings.Repeat("x", 70000)+"needle")
		default:
			io.WriteString(w, "all chat servers are well\n")
		}
	}))
	defer srv.Close()
	port := portOf(srv.Listener.Addr())
	http404 := []zones.StatusRange{{From: 204, To: 204}, {From: 300, To: 399}}
	for _, tc := range []struct {
		name  string
		check zones.Check
		want  Result
	}{
		{"ok", zones.Check{}, success("HTTP 200")},
		{"HEAD", zones.Check{Method: "HEAD"}, success("HTTP 200")},
		{"503", zones.Check{Path: "/broken"}, failure("HTTP 503, wanted 200–299")},
		{"redirects are not followed", zones.Check{Path: "/moved"}, failure("HTTP 302, wanted 200–299")},
		{"status set", zones.Check{Path: "/moved", Expect: http404}, success("HTTP 302")},
		{"status not in the set", zones.Check{Expect: http404}, failure("HTTP 200, wanted 204, 300–399")},
		{"informational replies are passed over", zones.Check{Path: "/hints", BodyContains: "final"}, success("HTTP 200")},
		{"body contains", zones.Check{BodyContains: "are well"}, success("HTTP 200")},
		{"body lacks", zones.Check{BodyContains: "a.e"}, failure(`body does not contain "a.e"`)},
		{"body matches", zones.Check{BodyRegexp: `^all .* well\n$`}, success("HTTP 200")},
		{"body does not match", zones.Check{BodyRegexp: `^chat`}, failure(`body does not match "^chat"`)},
		{"contains and matches", zones.Check{BodyContains: "well", BodyRegexp: "^all"}, success("HTTP 200")},
		{"contains and does not match", zones.Check{BodyContains: "well", BodyRegexp: "^all$"}, failure(`body does not match "^all$"`)},
		{"body limit", zones.Check{Path: "/big", BodyContains: "needle"},
			failure(`body does not contain "needle" in its first 65536 bytes`)},
		{"wider body limit", zones.Check{Path: "/big", BodyContains: "needle", BodyLimit: 80000}, success("HTTP 200")},
		{"bad path", zones.Check{Path: "/%zz"}, unclear(`path "/%%zz": not a path of a URL`)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.check.Kind = zones.HTTP
			wantResult(t, ask(t, port, tc.check), tc.want)
		})
	}
	t.Run("request", func(t *testing.T) {
		ask(t, port, zones.Check{Kind: zones.HTTP, Method: "POST", Path: "/a?b={deployment}", Host: "chat.example.com",
			Headers: map[string]string{"X-Pool": "{pool} at {address}"}})
		got := fmt.Sprint(seen.Method, " ", seen.RequestURI, " ", seen.Host, " ", seen.UserAgent(), " ", seen.Header.Get("X-Pool"))
		if want := "POST /a?b=primary chat.example.com livens/1.2 (+ns1) chat at 127.0.0.1"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		ask(t, port, zones.Check{Kind: zones.HTTP})
		if want := fmt.Sprintf("127.0.0.1:%d", port); seen.Host != want {
			t.Errorf("without host: Host is %s, want %s", seen.Host, want)
		}
	})
}

func TestHTTPAgainstBadServers(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\n"
	for _, tc := range []struct {
		name   string
		server func(net.Conn)
		check  zones.Check
		want   Result
	}{
		{"silent after accepting", hold, zones.Check{Timeout: haste}, failure("no reply in 150ms")},
		{"closed", says("", nil), zones.Check{}, failure("closed before a reply")},
		{"reset", says("", reset), zones.Check{}, failure("reset by peer")},
		{"closed in the headers", says(ok+"A: b\r\n", nil), zones.Check{}, failure("closed in the middle of the reply's headers")},
		{"stalls in the headers", says(ok+"A: b\r\n", hold), zones.Check{Timeout: haste}, failure("no reply in 150ms")},
		{"garbage", says("SSH-2.0-x\r\n\x1b[31m\r\n", nil), zones.Check{}, failure(`not an HTTP reply: malformed HTTP response "SSH-2.0-x"`)},
		{"endless headers", says(ok, floods("A: b\r\n")), zones.Check{}, failure("reply's headers are over 65536 bytes")},
		{"one endless line", says(ok, floods("A")), zones.Check{}, failure("reply's headers are over 65536 bytes")},
		{"endless 1xx", says("", floods("HTTP/1.1 103 Early Hints\r\n\r\n")), zones.Check{}, failure("too many informational replies")},
		{"endless body not looked at", says(ok+"\r\n", floods("x")), zones.Check{}, success("HTTP 200")},
		{"endless body", says(ok+"\r\n", floods("x")), zones.Check{BodyContains: "y", BodyLimit: 1 << 20},
			failure(`body does not contain "y" in its first 1048576 bytes`)},
		{"endless chunks of one byte", says(ok+"Transfer-Encoding: chunked\r\n\r\n", floods("1\r\nx\r\n")), zones.Check{BodyContains: "y"},
			failure(`body does not contain "y" in its first 65536 bytes`)},
		{"chunk extensions without end", says(ok+"Transfer-Encoding: chunked\r\n\r\n1;", floods("x")), zones.Check{BodyContains: "y"},
			failure(`body breaks off (header line too long) and does not contain "y"`)},
		{"match in a body that does not end", says(ok+"\r\nwell", hold), zones.Check{BodyContains: "well"}, success("HTTP 200")},
		{"body in two pieces", says(ok+"\r\nall is we", func(c net.Conn) { time.Sleep(10 * time.Millisecond); io.WriteString(c, "ll") }),
			zones.Check{BodyContains: "is well"}, success("HTTP 200")},
		{"regexp matches in a body that does not end", says(ok+"\r\nall is well\n", hold), zones.Check{BodyRegexp: "w[a-f]ll"}, success("HTTP 200")},
		{"a pause is not the end", says(ok+"\r\nall", func(c net.Conn) { time.Sleep(10 * time.Millisecond); io.WriteString(c, " ill") }),
			zones.Check{BodyRegexp: "^all$"}, failure(`body does not match "^all$"`)},
		{"body stalls", says(ok+"Content-Length: 9\r\n\r\nwe", hold), zones.Check{BodyContains: "well", Timeout: haste},
			failure(`body is incomplete after 150ms and does not contain "well"`)},
		{"body breaks off", says(ok+"Content-Length: 9\r\n\r\nwe", nil), zones.Check{BodyContains: "well"},
			failure(`body breaks off (unexpected EOF) and does not contain "well"`)},
		{"speaks TLS", over(&certless, hold), zones.Check{}, failure("not an HTTP reply: %s", "")},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.check.Kind = zones.HTTP
			got := answerOf(t, tc.server, tc.check)
			if tc.name == "speaks TLS" {
				if got.Outcome != Failure || got.Silent {
					t.Errorf("got %+v", got)
				}
				return
			}
			wantResult(t, got, tc.want)
		})
	}
}

func TestConnectFailures(t *testing.T) {
	for _, kind := range []zones.Kind{zones.HTTP, zones.HTTPS, zones.TCP, zones.TLS, zones.WebSocket} {
		t.Run(string(kind), func(t *testing.T) {
			wantResult(t, ask(t, closedPort(t), zones.Check{Kind: kind}), failure("connect: refused"))
			wantResult(t, ask(t, blackHole(t), zones.Check{Kind: kind, Timeout: haste}), silence("connect: no answer in 150ms"))
		})
	}
}

func TestUnreachableFromHereIsUnclear(t *testing.T) {
	for _, kind := range []zones.Kind{zones.HTTP, zones.DNS, zones.ICMP} {
		// A link-local address cannot be reached without naming an interface.
		check := zones.Check{Kind: kind, Port: 9, Path: "/", Timeout: patience, Query: "example.com."}
		r := Probe(t.Context(), Options{}, NewTarget("p", "d", netip.MustParseAddr("fe80::1"), &check))
		if r.Outcome != Unclear || r.Reason == "" {
			t.Errorf("%s: got %+v", kind, r)
		}
	}
}

func TestHTTPSCertificates(t *testing.T) {
	ca := newAuthority(t)
	const h = time.Hour
	reply := says("HTTP/1.1 200 OK\r\n\r\n", nil)
	valid := raw(t, over(ca.config(t, -h, h, "chat.example.com", "127.0.0.1"), reply))
	expired := raw(t, over(ca.config(t, -9*h, -2*h-time.Minute, "chat.example.com"), reply))
	future := raw(t, over(ca.config(t, 3*h+time.Minute, 9*h, "chat.example.com"), reply))
	other := raw(t, over(ca.config(t, -h, h, "a.example", "b.example", "c.example", "d.example"), reply))
	nameless := raw(t, over(ca.config(t, -h, h), reply))
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	pipe := filepath.Join(filepath.Dir(empty), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	const host = "chat.example.com"
	for _, tc := range []struct {
		name  string
		port  uint16
		check zones.Check
		want  Result
	}{
		{"valid", valid, zones.Check{Host: host, CAFile: ca.file}, success("HTTP 200")},
		{"host with port", valid, zones.Check{Host: host + ":8443", CAFile: ca.file}, success("HTTP 200")},
		{"for the address", valid, zones.Check{CAFile: ca.file}, success("HTTP 200")},
		{"expired", expired, zones.Check{Host: host, CAFile: ca.file}, failure("certificate expired 2 h ago")},
		{"not yet valid", future, zones.Check{Host: host, CAFile: ca.file}, failure("certificate is not valid for another 3 h")},
		{"another host", other, zones.Check{Host: host, CAFile: ca.file},
			failure("certificate is for a.example, b.example, c.example and 1 more, not chat.example.com")},
		{"no host", nameless, zones.Check{Host: host, CAFile: ca.file}, failure("certificate is for no host, not chat.example.com")},
		{"unknown authority", valid, zones.Check{Host: host}, failure("certificate is from an unknown authority: CN=Test Authority")},
		{"insecure", expired, zones.Check{Insecure: true}, success("HTTP 200")},
		{"no CA file", valid, zones.Check{CAFile: "/nonexistent"},
			unclear("cannot probe from here: CA file: stat /nonexistent: no such file or directory")},
		{"empty CA file", valid, zones.Check{CAFile: empty}, unclear("cannot probe from here: CA file: no certificate in %s", empty)},
		{"a pipe as CA file", valid, zones.Check{CAFile: pipe}, unclear("cannot probe from here: CA file: not a regular file")},
		{"no TLS", raw(t, floods("hello")), zones.Check{}, failure("TLS handshake: the server does not speak TLS")},
		{"silent", 0, zones.Check{Timeout: haste}, failure("TLS handshake: no answer in 150ms")},
		{"closed", raw(t, func(net.Conn) {}), zones.Check{}, failure("TLS handshake: closed by the server")},
		{"reset", raw(t, func(c net.Conn) { c.Read(make([]byte, 1)); reset(c) }), zones.Check{}, failure("TLS handshake: reset by peer")},
		{"refused handshake", raw(t, over(&certless, hold)), zones.Check{Host: "nowhere"},
			failure("TLS handshake: the server says internal error")},
	} {
		for _, kind := range []zones.Kind{zones.HTTPS, zones.TLS, zones.WebSocket} {
			t.Run(string(kind)+"/"+tc.name, func(t *testing.T) {
				tc.check.Kind, tc.check.TLS = kind, true
				want := tc.want
				if want.Outcome == Success && kind == zones.TLS {
					want.Reason = "TLS handshake done"
				} else if want.Outcome == Success && kind == zones.WebSocket {
					want = failure("HTTP 200, wanted 101 (a WebSocket)")
				}
				if tc.check.Timeout > 0 {
					wantResult(t, askBriefly(t, hold, tc.check), want)
					return
				}
				got := ask(t, tc.port, tc.check)
				if strings.Contains(tc.name, "closed") && got.Reason == "TLS handshake: reset by peer" {
					return // the close met the unread handshake
				}
				wantResult(t, got, want)
			})
		}
	}
}

func TestCAFileIsReadAgainWhenItChanges(t *testing.T) {
	old, ca := newAuthority(t), newAuthority(t)
	port := raw(t, over(ca.config(t, -time.Hour, time.Hour, "chat.example.com"), says("HTTP/1.1 200 OK\r\n\r\n", nil)))
	check := zones.Check{Kind: zones.HTTPS, Port: port, Path: "/", Host: "chat.example.com", CAFile: old.file, Timeout: patience}
	p := newProber(NewTarget("chat", "primary", loopback, &check), "livens", nil)
	if r := guarded(t.Context(), p, nil); r.Outcome != Failure {
		t.Errorf("got %+v", r)
	}
	text, err := os.ReadFile(ca.file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(old.file, append([]byte("new\n"), text...), 0o600); err != nil {
		t.Fatal(err)
	}
	wantResult(t, guarded(t.Context(), p, nil), success("HTTP 200"))
}
