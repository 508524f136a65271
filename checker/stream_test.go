package checker

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/livens/livens/zones"
)

// echo repeats each line.
func echo(conn net.Conn) {
	r := bufio.NewReader(conn)
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		io.WriteString(conn, "you said "+line)
	}
}

func TestTCP(t *testing.T) {
	for _, tc := range []struct {
		name   string
		server func(net.Conn)
		check  zones.Check
		want   Result
	}{
		{"connects", hold, zones.Check{}, success("connected")},
		{"expect", floods("220 mail ready\r\n"), zones.Check{ExpectReply: "220 "}, success("got the expected reply")},
		{"send and expect", echo, zones.Check{Send: "hello {pool}\n", ExpectReply: "said hello chat"}, success("got the expected reply")},
		{"in two pieces", func(c net.Conn) { io.WriteString(c, "rea"); time.Sleep(time.Millisecond); io.WriteString(c, "dy") },
			zones.Check{ExpectReply: "ready"}, success("got the expected reply")},
		{"another reply", func(c net.Conn) { io.WriteString(c, "554 no\r\n") }, zones.Check{ExpectReply: "220 "},
			failure(`reply is "554 no", wanted "220"`)},
		{"no reply", hold, zones.Check{ExpectReply: "220", Timeout: haste}, failure("no reply in 150ms")},
		{"closed", func(net.Conn) {}, zones.Check{ExpectReply: "220"}, failure("closed before a reply")},
		{"reset", func(c net.Conn) { c.Read(make([]byte, 1)); reset(c) }, zones.Check{Send: "hello", ExpectReply: "220"}, failure("reset by peer")},
		{"endless other reply", floods("garbage "), zones.Check{ExpectReply: "220", BodyLimit: 100000},
			failure(`reply does not contain "220" in its first 100000 bytes`)},
		{"does not read", func(c net.Conn) { time.Sleep(2 * haste) }, zones.Check{Send: string(make([]byte, 1<<20)), Timeout: haste},
			failure("no reply in 150ms")},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.check.Kind = zones.TCP
			wantResult(t, answerOf(t, tc.server, tc.check), tc.want)
		})
	}
}

// chat is a WebSocket server: it greets, then answers "ping" with "pong", and reports how each connection ended.
func chat(ended chan<- websocket.StatusCode) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"chat.v2"}})
		if err != nil {
			return
		}
		defer ws.CloseNow()
		if r.URL.Path == "/full" {
			ws.Close(websocket.StatusTryAgainLater, "full")
			return
		}
		ctx := context.Background()
		ws.Write(ctx, websocket.MessageText, []byte("welcome "+r.Header.Get("X-Who")+" by "+ws.Subprotocol()))
		for {
			_, message, err := ws.Read(ctx)
			if err != nil {
				ended <- websocket.CloseStatus(err)
				return
			}
			if string(message) == "ping" {
				ws.Write(ctx, websocket.MessageText, []byte("pong"))
			}
		}
	}
}

// serveOne serves HTTP on one connection until it is closed.
func serveOne(conn net.Conn, handler http.Handler) {
	only, closed := make(chan net.Conn, 1), make(chan struct{})
	only <- watched{conn, sync.OnceFunc(func() { close(closed) })}
	(&http.Server{Handler: handler}).Serve(single{only, closed})
}

// single is a listener with one connection: it ends with it.
type single struct {
	only   chan net.Conn
	closed chan struct{}
}

func (s single) Accept() (net.Conn, error) {
	select {
	case conn := <-s.only:
		return conn, nil
	case <-s.closed:
		return nil, net.ErrClosed
	}
}

func (s single) Close() error   { return nil }
func (s single) Addr() net.Addr { return &net.TCPAddr{} }

// watched tells of its end.
type watched struct {
	net.Conn
	told func()
}

func (w watched) Close() error {
	defer w.told()
	return w.Conn.Close()
}

func TestWebSocketAgainstRealServer(t *testing.T) {
	ca := newAuthority(t)
	ended := make(chan websocket.StatusCode, 1)
	plain := httptest.NewServer(chat(ended))
	defer plain.Close()
	secure := httptest.NewUnstartedServer(chat(ended))
	secure.TLS = ca.config(t, -time.Hour, time.Hour, "chat.example.com")
	secure.StartTLS()
	defer secure.Close()
	headers := map[string]string{"X-Who": "{deployment}", "Sec-WebSocket-Protocol": "chat.v1, chat.v2"}
	for _, tc := range []struct {
		name  string
		check zones.Check
		want  Result
		ended websocket.StatusCode
	}{
		{"opens", zones.Check{}, success("WebSocket opened"), websocket.StatusNormalClosure},
		{"greeting", zones.Check{ExpectReply: "welcome"}, success("got the expected message"), websocket.StatusNormalClosure},
		{"send and expect", zones.Check{Send: "ping", ExpectReply: "pong"}, success("got the expected message"), websocket.StatusNormalClosure},
		{"headers and subprotocol", zones.Check{Headers: headers, ExpectReply: "primary by chat.v2"}, success("got the expected message"),
			websocket.StatusNormalClosure},
	} {
		for scheme, srv := range map[string]*httptest.Server{"ws": plain, "wss": secure} {
			t.Run(scheme+"/"+tc.name, func(t *testing.T) {
				tc.check.Kind = zones.WebSocket
				if tc.check.TLS = scheme == "wss"; tc.check.TLS {
					tc.check.Host, tc.check.CAFile = "chat.example.com", ca.file
				}
				wantResult(t, ask(t, portOf(srv.Listener.Addr()), tc.check), tc.want)
				if status := <-ended; status != tc.ended {
					t.Errorf("the server sees the end as %d, want %d", status, tc.ended)
				}
			})
		}
	}
	for scheme, config := range map[string]*tls.Config{"ws": nil, "wss": secure.TLS} {
		t.Run(scheme+"/no such message", func(t *testing.T) {
			check := zones.Check{Kind: zones.WebSocket, TLS: config != nil, Host: "chat.example.com", CAFile: ca.file,
				Send: "pong", ExpectReply: "ping", Timeout: haste}
			serve := func(conn net.Conn) {
				if config != nil {
					conn = tls.Server(conn, config)
				}
				serveOne(conn, chat(ended))
			}
			wantResult(t, askBriefly(t, serve, check), failure("no reply in 150ms"))
			if status := <-ended; status != -1 {
				t.Errorf("the server sees the end as %d", status)
			}
		})
	}
	t.Run("closed by the server", func(t *testing.T) {
		check := zones.Check{Kind: zones.WebSocket, Path: "/full", ExpectReply: "welcome"}
		wantResult(t, ask(t, portOf(plain.Listener.Addr()), check), failure("WebSocket closed by the server with status 1013"))
	})
}

func TestWebSocketAgainstBadServers(t *testing.T) {
	const switching = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	accepts := func(then func(net.Conn)) func(net.Conn) {
		return func(conn net.Conn) {
			req, err := http.ReadRequest(bufio.NewReader(conn))
			if err != nil {
				return
			}
			io.WriteString(conn, switching+"Sec-WebSocket-Accept: "+acceptKey(req.Header.Get("Sec-WebSocket-Key"))+"\r\n\r\n")
			then(conn)
		}
	}
	for _, tc := range []struct {
		name   string
		server func(net.Conn)
		check  zones.Check
		want   string
	}{
		{"plain HTTP", says("HTTP/1.1 200 OK\r\n\r\n", nil), zones.Check{}, "HTTP 200, wanted 101 (a WebSocket)"},
		{"redirect", says("HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n", nil), zones.Check{}, "HTTP 302, wanted 101 (a WebSocket)"},
		{"wrong accept", says(switching+"Sec-WebSocket-Accept: x\r\n\r\n", hold), zones.Check{Timeout: 2 * haste},
			`WebSocket handshake: WebSocket protocol violation: invalid Sec-WebSocket-Accept`},
		{"silent", hold, zones.Check{Timeout: haste}, "no reply in 150ms"},
		{"closed", says("", nil), zones.Check{}, "closed before a reply"},
		{"reset", says("", reset), zones.Check{}, "reset by peer"},
		{"garbage", says("garbage\r\n\r\n", nil), zones.Check{}, `not a WebSocket reply: malformed HTTP response "garbage"`},
		{"endless headers", says("HTTP/1.1 101 x\r\n", floods("A: b\r\n")), zones.Check{}, "not a WebSocket reply"},
		{"garbage after the handshake", accepts(floods("\xff\xff\xff\xff")), zones.Check{ExpectReply: "x"}, ""},
		{"endless messages", accepts(floods("\x81\x01y")), zones.Check{ExpectReply: "x", BodyLimit: 1000}, `no message with "x" in the first 1000 bytes`},
		{"message over the limit", accepts(floods("\x81\x7e\xff\xffy")), zones.Check{ExpectReply: "x", BodyLimit: 1000}, ""},
		{"gone after the handshake", accepts(func(net.Conn) {}), zones.Check{ExpectReply: "x"}, "closed before a reply"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.check.Kind = zones.WebSocket
			r := answerOf(t, tc.server, tc.check)
			if r.Outcome != Failure || r.Silent || r.Reason == "" || len(r.Reason) < len(tc.want) || r.Reason[:len(tc.want)] != tc.want {
				t.Errorf("got %+v, want %q", r, tc.want)
			}
		})
	}
}
