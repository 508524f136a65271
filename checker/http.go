package checker

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/livens/livens/zones"
)

// maxHeader bounds what is read of a reply's headers, in bytes.
const maxHeader = 64 << 10

// httpProber sends one HTTP/1.1 request on a connection of its own.
//
// A new connection each time is what a new visitor's browser makes: it meets a firewall, a full accept queue, a dead
// listener and a changed certificate, all of which a kept-alive connection would hide for as long as it lives, which is
// KeepAlive. Request and reply go straight over the connection rather than through http.Transport, so that each step has
// its own reason.
type httpProber struct {
	t        Target
	tls      *tlsSettings // nil for http
	wire     []byte       // the request as it is sent
	head     bool         // it asks for no body
	kept     kept
	contains string
	matches  *regexp.Regexp // nil: no matter
}

func newHTTP(t Target, agent string) prober {
	c := t.Check
	p := &httpProber{t: t, head: c.Method == http.MethodHead, contains: c.BodyContains, kept: kept{life: c.KeepAlive}}
	p.kept.reply = p.reply
	u, err := url.ParseRequestURI(c.Path)
	if err != nil {
		return badPath(c)
	}
	u.Scheme, u.Host = "http", hostHeader(t)
	request := &http.Request{Method: c.Method, URL: u, Host: u.Host, Header: http.Header{"User-Agent": {agent}}, Close: c.KeepAlive == 0}
	if c.Kind == zones.HTTPS {
		p.tls = newTLSSettings(t)
	}
	for name, value := range c.Headers {
		request.Header.Set(name, value)
	}
	var wire bytes.Buffer
	if err := request.Write(&wire); err != nil {
		return broken{fmt.Sprintf("request: %v", err)}
	}
	p.wire = bytes.Clone(wire.Bytes())
	if c.BodyRegexp != "" {
		re, err := regexp.Compile(c.BodyRegexp)
		if err != nil {
			return broken{fmt.Sprintf("body_regexp: %v", err)}
		}
		p.matches = re
	}
	return p
}

func (p *httpProber) end()               { p.kept.end() }
func (p *httpProber) tellLoss(to func()) { p.kept.lost = to }
func (p *httpProber) watches() bool      { return p.kept.watches() }
func (p *httpProber) opens() bool        { return p.kept.opens() }

func badPath(c *zones.Check) prober {
	return broken{fmt.Sprintf("path %q: not a path of a URL", c.Path)}
}

// hostHeader is the Host that the request names: the check's, or the address and, unless it is the usual one, port.
func hostHeader(t Target) string {
	if t.Check.Host != "" {
		return t.Check.Host
	}
	usual := uint16(80)
	if t.Check.TLS || t.Check.Kind == zones.HTTPS {
		usual = 443
	}
	if t.Check.Port != usual {
		return net.JoinHostPort(t.Address.String(), fmt.Sprint(t.Check.Port))
	}
	if t.Address.Is6() {
		return "[" + t.Address.String() + "]"
	}
	return t.Address.String()
}

func (p *httpProber) probe(ctx context.Context) Result {
	if p.kept.life > 0 {
		deadline, _ := ctx.Deadline()
		if l := p.kept.take(time.Now(), deadline); l != nil {
			if r, heard := p.exchange(l); heard || r.Silent || ctx.Err() != nil {
				return r
			}
			// The server has closed it meanwhile, as it may: that says nothing.
		}
	}
	return p.anew(ctx)
}

// anew probes over a new connection.
func (p *httpProber) anew(ctx context.Context) Result {
	conn, r := dialStream(ctx, p.t, p.tls)
	if conn == nil {
		return r
	}
	r, _ = p.exchange(conn)
	return r
}

// exchange sends the request and judges the reply; then the connection is kept or closed. heard says that something of a reply came.
func (p *httpProber) exchange(conn net.Conn) (r Result, heard bool) {
	if _, err := conn.Write(p.wire); err != nil {
		conn.Close()
		return p.unheard(err, conn), false
	}
	return p.hear(conn)
}

// hear judges the reply to a request that has been sent.
func (p *httpProber) hear(conn net.Conn) (r Result, heard bool) {
	again := false
	defer func() {
		if !again || !p.kept.put(conn) {
			conn.Close()
		}
	}()
	wire := &io.LimitedReader{R: conn, N: maxHeader}
	reader := readers.Get().(*bufio.Reader)
	defer readers.Put(reader)
	reader.Reset(wire)
	if _, err := reader.Peek(1); err != nil {
		return p.unheard(err, conn), false
	}
	r, again = p.judge(reader, wire)
	return r, true
}

// judge reads a reply that has begun to come. again says that the connection may serve another probe.
func (p *httpProber) judge(reader *bufio.Reader, wire *io.LimitedReader) (r Result, again bool) {
	if status, body, ok := plainReply(reader, p.head); ok {
		r = p.content(status, bytes.NewReader(body))
		return r, r.Outcome == Success && p.kept.life > 0
	}
	resp, err := readResponse(reader, p.head)
	if err != nil {
		return p.noReply(err, wire), false
	}
	defer resp.Body.Close()
	// The body is bounded below; what frames it may take a few times as much.
	wire.N = 8*int64(bodyLimit(p.t.Check)) + maxHeader
	if r = p.content(resp.StatusCode, resp.Body); r.Outcome != Success {
		return r, false
	}
	return r, p.kept.life > 0 && !resp.Close && ended(resp.Body) && reader.Buffered() == 0
}

// content judges a reply's status and body.
func (p *httpProber) content(status int, body io.Reader) Result {
	if !wanted(p.t.Check.Expect, status) {
		return failure("HTTP %d, wanted %s", status, ranges(p.t.Check.Expect))
	}
	if r := p.read(body); r.Outcome != Success {
		return r
	}
	return Result{Outcome: Success, Reason: said(status)}
}

// said is the reason that a status is: nearly always the same.
func said(status int) string {
	if status == http.StatusOK {
		return "HTTP 200"
	}
	return "HTTP " + strconv.Itoa(status)
}

// readers are the buffers of replies.
var readers = sync.Pool{New: func() any { return bufio.NewReader(nil) }}

// unheard judges a connection on which nothing of a reply came. That a new one was accepted was something heard; one that was kept
// proves nothing.
func (p *httpProber) unheard(err error, conn net.Conn) Result {
	if _, known := conn.(*keptConn); known && timedOut(err) {
		return silence("no reply in %s", p.t.Check.Timeout)
	}
	return replyFailure(err, p.t.Check)
}

// toGet and toHead stand for all requests: it is by their method that the end of a reply is known.
var toGet, toHead = &http.Request{Method: http.MethodGet}, &http.Request{Method: http.MethodHead}

// readResponse reads the final reply, past a few informational ones (RFC 9110, section 15.2).
func readResponse(r *bufio.Reader, head bool) (*http.Response, error) {
	req := toGet
	if head {
		req = toHead
	}
	for range 5 {
		resp, err := http.ReadResponse(r, req)
		if err != nil || resp.StatusCode >= 200 || resp.StatusCode == http.StatusSwitchingProtocols {
			return resp, err
		}
	}
	return nil, errors.New("too many informational replies")
}

func (p *httpProber) noReply(err error, wire *io.LimitedReader) Result {
	switch {
	case wire.N <= 0:
		return failure("reply's headers are over %d bytes", maxHeader)
	case errors.Is(err, io.ErrUnexpectedEOF) && wire.N < maxHeader:
		return failure("closed in the middle of the reply's headers")
	case strings.HasPrefix(err.Error(), "malformed"):
		return failure("not an HTTP reply: %s", plain(err))
	}
	return replyFailure(err, p.t.Check)
}

// read looks for what the body must hold as it comes: once all is found the probe ends, also where the body does not.
func (p *httpProber) read(body io.Reader) Result {
	if p.contains == "" && p.matches == nil {
		return success("")
	}
	s := scan{contains: p.contains, matches: p.matches}
	limit := bodyLimit(p.t.Check)
	err := s.run(io.LimitReader(body, int64(limit)))
	missing := ""
	switch {
	case s.contains != "":
		missing = fmt.Sprintf("does not contain %q", s.contains)
	case s.matches != nil:
		missing = fmt.Sprintf("does not match %q", s.matches)
	}
	switch {
	case missing == "":
		return success("")
	case timedOut(err):
		return failure("body is incomplete after %s and %s", p.t.Check.Timeout, missing)
	case err != nil:
		return failure("body breaks off (%s) and %s", plain(err), missing)
	case len(s.seen) >= limit:
		return failure("body %s in its first %d bytes", missing, limit)
	}
	return failure("body %s", missing)
}

// scan looks for a text and for a match of an expression; what is found is cleared.
type scan struct {
	contains string
	matches  *regexp.Regexp
	seen     []byte
}

// run reads until both are found or the reader ends; its end is no error.
func (s *scan) run(r io.Reader) error {
	tried := 0
	buf := make([]byte, 4096)
	for s.contains != "" || s.matches != nil {
		n, err := r.Read(buf)
		from := max(0, len(s.seen)-len(s.contains))
		s.seen = append(s.seen, buf[:n]...)
		if bytes.Contains(s.seen[from:], []byte(s.contains)) {
			s.contains = ""
		}
		// An expression is tried anew each time that the text has grown by an eighth, so that a body that drips in
		// does not cost the square of its length.
		if len(s.seen)-tried > tried/8 || err == io.EOF {
			tried = len(s.seen)
			s.try(err == io.EOF)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// try clears matches if it matches. Before the end of the text is known a match must end before what is there does,
// lest "$" take a pause for the end.
func (s *scan) try(whole bool) {
	if s.matches == nil {
		return
	}
	if at := s.matches.FindIndex(s.seen); at != nil && (whole || at[1] < len(s.seen)) {
		s.matches = nil
	}
}

func wanted(expect []zones.StatusRange, status int) bool {
	for _, r := range expect {
		if r.From <= status && status <= r.To {
			return true
		}
	}
	return len(expect) == 0 && 200 <= status && status <= 299
}

// ranges are the expected statuses in words: "200–299, 404".
func ranges(expect []zones.StatusRange) string {
	if len(expect) == 0 {
		return "200–299"
	}
	var words []string
	for _, r := range expect {
		if r.From == r.To {
			words = append(words, fmt.Sprint(r.From))
		} else {
			words = append(words, fmt.Sprintf("%d–%d", r.From, r.To))
		}
	}
	return strings.Join(words, ", ")
}
