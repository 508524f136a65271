package zones

import (
	"net/netip"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/livens/livens/internal/suggest"
)

// need is a file outside the zones folder that a check cannot do without. It is looked for at every load, because it
// may come and go without an edit.
type need struct {
	path       string
	executable bool
	problem    Problem // to be completed with what is wrong
}

// readChecks reads [pool.NAME.check] or [[pool.NAME.check]], and [pool.NAME.sync].
func (b *builder) readChecks(s *section, p *Pool) {
	if !s.has("check") {
		s.problem(Problem{Line: s.at.at(), Key: s.join("check"), Message: "is required",
			Hint: "add a [" + s.join("check") + "] table, or follow another pool"})
	}
	for _, e := range s.entries("check") {
		p.Checks = append(p.Checks, b.readCheck(e))
	}
	raw, ok := s.values["sync"].(map[string]any)
	if !ok {
		return
	}
	p.Sync = b.readCheck(entry{path: s.join("sync"), raw: inherit(raw, p.Checks), at: s.at.key("sync")})
}

// inherit completes a sync check's table with port, host, tls, ca_file and insecure of the first check of the same type, where the sync
// check gives none of its own: usually it is another path of the same server.
func inherit(raw map[string]any, checks []*Check) map[string]any {
	i := slices.IndexFunc(checks, func(c *Check) bool { return raw["type"] == string(c.Kind) })
	if i < 0 {
		return raw
	}
	out := map[string]any{}
	if c := checks[i]; slices.Contains(kindsPort(), c.Kind) && c.Port != 0 {
		out["port"] = int64(c.Port)
		if c.Host != "" {
			out["host"] = c.Host
		}
		if c.Kind == WebSocket {
			out["tls"] = c.TLS
		}
		_, hasRoots := raw["ca_file"]
		_, hasInsecure := raw["insecure"]
		trust := !hasRoots && !hasInsecure && raw["tls"] != false
		if trust && c.Insecure {
			out["insecure"] = true
		}
		if trust && c.CAFile != "" {
			out["ca_file"] = c.CAFile
		}
	}
	for name, value := range raw {
		out[name] = value
	}
	return out
}

// readCheck reads one check. What has no meaning for its type stays zero.
func (b *builder) readCheck(e entry) *Check {
	kind := Kind("")
	if word, ok := e.raw["type"].(string); ok && slices.Contains(kindWords(), word) {
		kind = Kind(word)
	}
	s := newSection(&b.report, b.shown(b.file), e.path, checkKeys(), e.raw, e.at, kind)
	c := &Check{Kind: kind}
	if kind == "" {
		return c
	}
	p := probe{s, c}
	p.readTimes()
	switch kind {
	case HTTP, HTTPS:
		p.readHTTP()
	case TCP, WebSocket:
		p.readTalk()
	case DNS:
		p.readDNS()
	case Exec:
		p.readCommand(b)
	case File:
		p.readFile(b)
	case Static:
		p.require("state")
		c.Up = get[string](s, "state") == "up"
	}
	p.readPort()
	p.readWeb()
	p.readTLS(b)
	return c
}

// probe is a check being read.
type probe struct {
	*section
	check *Check
}

// require reports a key that a check's type cannot do without.
func (p probe) require(name string) {
	if !p.has(name) {
		k := find(p.keys, name)
		p.errorf("type", "for example "+name+" = "+k.example, "a check of type %q needs the key %s", p.check.Kind, name)
	}
}

// is says whether the check is of one of the kinds.
func (p probe) is(kinds []Kind) bool { return slices.Contains(kinds, p.check.Kind) }

func (p probe) readTimes() {
	c := p.check
	c.Interval, c.FastInterval = get[time.Duration](p.section, "interval"), get[time.Duration](p.section, "fast_interval")
	c.Timeout = get[time.Duration](p.section, "timeout")
	c.Fall, c.Rise = int(get[int64](p.section, "fall")), int(get[int64](p.section, "rise"))
	if c.FastInterval > c.Interval {
		if p.sound("fast_interval") {
			p.errorf("fast_interval", "", "%s is above interval, %s", shortDuration(c.FastInterval), shortDuration(c.Interval))
		}
		c.FastInterval = c.Interval
	}
	if c.Fall == 1 {
		p.warnf("fall", "fall = 2 sits out a single lost packet", "1: one failed probe switches everybody")
	}
}

func (p probe) readPort() {
	c := p.check
	if !p.is(kindsPort()) {
		return
	}
	c.Port = uint16(get[int64](p.section, "port"))
	if c.Port != 0 || p.has("port") {
		return
	}
	switch c.Kind {
	case HTTP:
		c.Port = 80
	case HTTPS, TLS:
		c.Port = 443
	case DNS:
		c.Port = 53
	case WebSocket:
		c.Port = 80
		if get[bool](p.section, "tls") {
			c.Port = 443
		}
	default:
		p.require("port")
	}
}

// readWeb reads what http, https and websocket share, and the host that TLS shares with them.
func (p probe) readWeb() {
	c := p.check
	if p.is(kindsHost()) {
		c.Host = get[string](p.section, "host")
		if c.Host != "" && !isHost(c.Host) {
			p.errorf("host", "a host name without port", "%q is no host name", clip(c.Host))
		}
		p.placeholders("host", c.Host)
	}
	if !p.is(kindsWeb()) {
		return
	}
	c.Path = get[string](p.section, "path")
	if !strings.HasPrefix(c.Path, "/") || strings.ContainsFunc(c.Path, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		p.errorf("path", `starts with "/" and holds no spaces`, "%q is no path", clip(c.Path))
	}
	p.placeholders("path", c.Path)
	if c.Headers = get[map[string]string](p.section, "headers"); len(c.Headers) == 0 {
		c.Headers = nil
	}
	for _, value := range c.Headers {
		p.placeholders("headers", value)
	}
}

func (p probe) readHTTP() {
	c := p.check
	c.Method = get[string](p.section, "method")
	if !isToken(c.Method) {
		p.errorf("method", "GET, HEAD, POST", "%q is no method", clip(c.Method))
	}
	if c.Expect = get[[]StatusRange](p.section, "expect_status"); c.Expect == nil {
		c.Expect = []StatusRange{{200, 299}}
	}
	c.BodyContains, c.BodyRegexp = get[string](p.section, "body_contains"), get[string](p.section, "body_regexp")
	if _, err := regexp.Compile(c.BodyRegexp); err != nil {
		p.errorf("body_regexp", "the syntax is RE2's", "%s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	c.KeepAlive = get[time.Duration](p.section, "keep_alive")
	c.BodyLimit = int(get[int64](p.section, "body_limit"))
	if p.has("body_limit") && c.BodyContains == "" && c.BodyRegexp == "" {
		p.warnf("body_limit", "", "has no effect without body_contains or body_regexp")
	}
	if c.Method == "HEAD" && (c.BodyContains != "" || c.BodyRegexp != "") {
		p.errorf("method", "use GET", "a reply to HEAD has no body to look into")
	}
	if len(c.BodyContains) > c.BodyLimit {
		p.errorf("body_contains", "raise body_limit", "is longer than body_limit, %d bytes", c.BodyLimit)
	}
}

func (p probe) readTalk() {
	c := p.check
	c.Send, c.ExpectReply = get[string](p.section, "send"), get[string](p.section, "expect")
	c.BodyLimit = int(get[int64](p.section, "body_limit"))
	p.placeholders("send", c.Send)
	if p.has("body_limit") && c.ExpectReply == "" {
		p.warnf("body_limit", "", "has no effect without expect")
	}
	if len(c.ExpectReply) > c.BodyLimit {
		p.errorf("expect", "raise body_limit", "is longer than body_limit, %d bytes", c.BodyLimit)
	}
}

// readTLS reads the keys of certificates where the check speaks TLS.
func (p probe) readTLS(b *builder) {
	c := p.check
	if !p.is(kindsTLS()) {
		return
	}
	c.TLS = c.Kind != WebSocket || get[bool](p.section, "tls")
	if !c.TLS {
		for _, name := range []string{"ca_file", "insecure"} {
			if p.has(name) {
				p.errorf(name, "set tls = true", "has no meaning without tls")
			}
		}
		return
	}
	c.Insecure = get[bool](p.section, "insecure")
	if c.CAFile = b.outside(get[string](p.section, "ca_file")); c.CAFile != "" {
		b.needs = append(b.needs, need{path: c.CAFile, problem: Problem{File: p.file, Line: p.place("ca_file"), Key: p.join("ca_file")}})
	}
	if c.Insecure && c.CAFile != "" {
		p.errorf("ca_file", "remove one of them", "has no meaning with insecure")
	}
	if c.Host == "" && !c.Insecure {
		p.warnf("host", "", "is not given: the certificate must be valid for the address itself")
	}
}

func (p probe) readDNS() {
	p.require("query")
	c := p.check
	if written := get[string](p.section, "query"); written != "" {
		name, err := absolute(dns.Fqdn(written), ".")
		if err != nil {
			p.errorf("query", "", "%q %v", clip(written), err)
		}
		c.Query = name
	}
	word := strings.ToUpper(get[string](p.section, "qtype"))
	t, known := dns.StringToType[word]
	if !known || isMeta(t) && t != dns.TypeANY {
		p.errorf("qtype", `for example qtype = "AAAA"`, "%q is no type to ask for", clip(word))
	}
	c.QType = t
}

func (p probe) readCommand(b *builder) {
	p.require("command")
	p.check.Command = b.readCommand(p.section, "command")
}

// readCommand reads a command with placeholders. Its program must be there.
func (b *builder) readCommand(s *section, name string) []string {
	command := s.command(name)
	if len(command) == 0 {
		return nil
	}
	if program := command[0]; filepath.IsAbs(program) && !strings.Contains(program, "{") {
		b.needs = append(b.needs, need{path: program, executable: true, problem: Problem{File: s.file, Line: s.place(name), Key: s.join(name)}})
	}
	for _, word := range command {
		s.placeholders(name, word)
	}
	return command
}

// command reads a program and its arguments. The program is an absolute path or a name to be found in PATH.
func (s *section) command(name string) []string {
	command := get[[]string](s, name)
	if len(command) == 0 {
		return nil
	}
	switch program := command[0]; {
	case program == "" || slices.ContainsFunc(command, func(word string) bool { return strings.ContainsRune(word, 0) }):
		s.errorf(name, "", "holds an empty program or a NUL")
	case strings.Contains(program, "/") && !filepath.IsAbs(program):
		s.errorf(name, "give its whole path", "%q is relative to nothing", clip(program))
	}
	return command
}

func (p probe) readFile(b *builder) {
	p.require("file")
	p.check.File = b.outside(get[string](p.section, "file"))
	if strings.ContainsRune(p.check.File, 0) {
		p.errorf("file", "", "holds a NUL")
	}
	p.placeholders("file", p.check.File)
}

// outside returns the absolute path of a file that need not be inside the zones folder.
func (b *builder) outside(written string) string {
	if written == "" || filepath.IsAbs(written) {
		return written
	}
	return filepath.Join(b.base, written)
}

// placeholders warns of words in braces that look like a misspelt placeholder.
func (s *section) placeholders(name, value string) {
	for rest := value; ; {
		_, after, found := strings.Cut(rest, "{")
		word, tail, closed := strings.Cut(after, "}")
		if !found || !closed {
			return
		}
		known := []string{"pool", "deployment", "address"}
		if hint := suggest.Nearest(word, known); hint != "" && !slices.Contains(known, word) && isIdentifier(word) {
			s.warnf(name, hint, "{%s} is sent as it is", word)
		}
		rest = tail
	}
}

// isHost says whether a host, its placeholders filled in, is a host name or an address.
func isHost(host string) bool {
	host = strings.NewReplacer("{pool}", "x", "{deployment}", "x", "{address}", "x").Replace(host)
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return true
	}
	return isPlain(host) && !strings.ContainsAny(host, "*/") && isName(host)
}

func isName(host string) bool {
	_, err := canonical(dns.Fqdn(host))
	return err == nil && host != "."
}
