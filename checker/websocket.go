package checker

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/coder/websocket"

	"github.com/livens/livens/zones"
)

// websocketProber does what a chat user does: it opens a WebSocket, may send a message and may wait for one.
type websocketProber struct {
	t      Target
	tls    *tlsSettings // nil without TLS
	header http.Header
	offer  []string // subprotocols
}

func newWebSocket(t Target, agent string) prober {
	if _, err := url.ParseRequestURI(t.Check.Path); err != nil {
		return badPath(t.Check)
	}
	p := websocketProber{t: t, header: http.Header{"User-Agent": {agent}}}
	for name, value := range t.Check.Headers {
		if strings.EqualFold(name, "Sec-WebSocket-Protocol") {
			p.offer = strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' })
			continue
		}
		p.header.Set(name, value)
	}
	if t.Check.TLS {
		p.tls = newTLSSettings(t)
	}
	return p
}

func (p websocketProber) probe(ctx context.Context) Result {
	conn, r := dialStream(ctx, p.t, p.tls)
	if conn == nil {
		return r
	}
	defer conn.Close()
	ws, r := p.open(ctx, conn)
	if ws == nil {
		return r
	}
	defer ws.CloseNow()
	return p.talk(ctx, ws, conn)
}

// open makes the handshake of RFC 6455, section 4, over a connection that is there already, TLS and all.
func (p websocketProber) open(ctx context.Context, conn net.Conn) (*websocket.Conn, Result) {
	given := func(context.Context, string, string) (net.Conn, error) { return conn, nil }
	client := &http.Client{
		Transport:     &http.Transport{DialContext: given, MaxResponseHeaderBytes: maxHeader},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	host := hostHeader(p.t)
	ws, resp, err := websocket.Dial(ctx, "ws://"+host+p.t.Check.Path, &websocket.DialOptions{
		HTTPClient: client, HTTPHeader: p.header.Clone(), Host: host, Subprotocols: p.offer,
	})
	switch {
	case err == nil:
		ws.SetReadLimit(int64(bodyLimit(p.t.Check)))
		return ws, Result{}
	case resp != nil && resp.StatusCode != http.StatusSwitchingProtocols:
		return nil, failure("HTTP %d, wanted 101 (a WebSocket)", resp.StatusCode)
	case resp != nil:
		// What the library quotes is new in each handshake; the reason is to stay the same.
		said, _, _ := strings.Cut(innermost(err), ` "`)
		return nil, failure("WebSocket handshake: %s", said)
	case timedOut(err):
		return nil, replyFailure(err, p.t.Check)
	case strings.Contains(err.Error(), "malformed"), strings.Contains(err.Error(), "headers exceeded"):
		return nil, failure("not a WebSocket reply: %s", innermost(err))
	}
	return nil, replyFailure(err, p.t.Check)
}

// goodbye is a close frame with status 1000 and an all-zero mask. It is written without waiting for the server's, so
// that the server sees a clean end and the probe does not depend on how it ends.
var goodbye = string([]byte{0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8})

func (p websocketProber) talk(ctx context.Context, ws *websocket.Conn, conn net.Conn) Result {
	c := p.t.Check
	if c.Send != "" {
		if err := ws.Write(ctx, websocket.MessageText, []byte(c.Send)); err != nil {
			return closeFailure(err, c)
		}
	}
	if c.ExpectReply == "" {
		io.WriteString(conn, goodbye) // the result is known
		return success("WebSocket opened")
	}
	for read := 0; read < bodyLimit(c); {
		_, message, err := ws.Read(ctx)
		if err != nil {
			return closeFailure(err, c)
		}
		if strings.Contains(string(message), c.ExpectReply) {
			io.WriteString(conn, goodbye)
			return success("got the expected message")
		}
		read += len(message) + 1
	}
	return failure("no message with %q in the first %d bytes", printable(c.ExpectReply, 60), bodyLimit(c))
}

// closeFailure judges a WebSocket that ended before the wanted message.
func closeFailure(err error, c *zones.Check) Result {
	if status := websocket.CloseStatus(err); status >= 0 {
		return failure("WebSocket closed by the server with status %d", status)
	}
	return replyFailure(err, c)
}

// innermost is the text of the error at the bottom of a chain.
func innermost(err error) string {
	for {
		inner, ok := err.(interface{ Unwrap() error })
		if !ok || inner.Unwrap() == nil {
			return plain(err)
		}
		err = inner.Unwrap()
	}
}
