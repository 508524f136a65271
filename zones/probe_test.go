package zones

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// checkFile is a zone with one pool whose check is given; the check's table begins at line 9, its keys at line 10.
func checkFile(keys string) string {
	head := strings.Replace(zoneHead, "zonefile = \"db\"\n", "records = []\n", 1)
	return head + strings.Replace(goodPool, "type = \"tcp\"\nport = 80\n", keys, 1)
}

func TestChecksHaveTheirTypesFieldsAndNoOthers(t *testing.T) {
	times := Check{Interval: time.Second, FastInterval: 200 * time.Millisecond, Timeout: 500 * time.Millisecond, Fall: 4, Rise: 3}
	with := func(edit func(*Check)) *Check {
		c := times
		edit(&c)
		return &c
	}
	ok := []StatusRange{{200, 299}}
	for _, test := range []struct {
		keys string
		want *Check
	}{
		{`type = "http"`, with(func(c *Check) {
			c.Kind, c.Port, c.Method, c.Path, c.Expect, c.BodyLimit = HTTP, 80, "GET", "/", ok, 65536
		})},
		{"type = \"https\"\nhost = \"h.test\"\npath = \"/x?y\"\nmethod = \"HEAD\"\nport = 8443\nheaders = { x-a = \"1\" }\nexpect_status = [204, \"300-399\"]\ninsecure = true", with(func(c *Check) {
			c.Kind, c.Port, c.Method, c.Path, c.Host, c.BodyLimit, c.TLS, c.Insecure = HTTPS, 8443, "HEAD", "/x?y", "h.test", 65536, true, true
			c.Headers, c.Expect = map[string]string{"X-A": "1"}, []StatusRange{{204, 204}, {300, 399}}
		})},
		{"type = \"http\"\nbody_contains = \"a\"\nbody_regexp = \"^a\"\nbody_limit = 1", with(func(c *Check) {
			c.Kind, c.Port, c.Method, c.Path, c.Expect, c.BodyLimit, c.BodyContains, c.BodyRegexp = HTTP, 80, "GET", "/", ok, 1, "a", "^a"
		})},
		{"type = \"tcp\"\nport = 25\nsend = \"a\\r\\n\"\nexpect = \"b\"", with(func(c *Check) { c.Kind, c.Port, c.Send, c.ExpectReply, c.BodyLimit = TCP, 25, "a\r\n", "b", 65536 })},
		{"type = \"tls\"\nhost = \"{deployment}.h.test\"", with(func(c *Check) { c.Kind, c.Port, c.Host, c.TLS = TLS, 443, "{deployment}.h.test", true })},
		{`type = "websocket"`, with(func(c *Check) { c.Kind, c.Port, c.Path, c.BodyLimit = WebSocket, 80, "/", 65536 })},
		{"type = \"websocket\"\ntls = true\nhost = \"h.test\"\nexpect = \"x\"", with(func(c *Check) {
			c.Kind, c.Port, c.Path, c.BodyLimit, c.TLS, c.Host, c.ExpectReply = WebSocket, 443, "/", 65536, true, "h.test", "x"
		})},
		{"type = \"dns\"\nquery = \"Chat.Test\"\nqtype = \"aaaa\"", with(func(c *Check) { c.Kind, c.Port, c.Query, c.QType = DNS, 53, "chat.test.", dns.TypeAAAA })},
		{"type = \"dns\"\nquery = \".\"", with(func(c *Check) { c.Kind, c.Port, c.Query, c.QType = DNS, 53, ".", dns.TypeA })},
		{`type = "icmp"`, with(func(c *Check) { c.Kind = ICMP })},
		{"type = \"exec\"\ncommand = [\"true\", \"{address}\"]", with(func(c *Check) { c.Kind, c.Command = Exec, []string{"true", "{address}"} })},
		{"type = \"file\"\nfile = \"/run/{deployment}\"", with(func(c *Check) { c.Kind, c.File = File, "/run/{deployment}" })},
		{"type = \"static\"\nstate = \"up\"", with(func(c *Check) { c.Kind, c.Up = Static, true })},
		{"type = \"static\"\nstate = \"down\"", with(func(c *Check) { c.Kind = Static })},
		{"type = \"icmp\"\ninterval = \"100ms\"\ntimeout = \"1m\"\nfall = 100\nrise = 1", with(func(c *Check) {
			c.Kind, c.Interval, c.FastInterval, c.Timeout, c.Fall, c.Rise = ICMP, 100*time.Millisecond, 100*time.Millisecond, time.Minute, 100, 1
		})},
	} {
		set, problems := folderOf{"chat.toml": checkFile(test.keys + "\n")}.validate(t)
		wantLines(t, problems, "")
		if len(set.Pools) == 1 && !reflect.DeepEqual(set.Pools[0].Checks[0], test.want) {
			t.Errorf("%s:\n got %+v\nwant %+v", test.keys, set.Pools[0].Checks[0], test.want)
		}
	}
}

func TestRelativePathsOfChecksStartAtTheZonesFolder(t *testing.T) {
	files := folderOf{"chat.toml": checkFile("type = \"tls\"\nhost = \"h\"\nca_file = \"../ca.pem\"\n"), "ca.pem": "", "f.toml": strings.ReplaceAll(strings.ReplaceAll(checkFile("type = \"file\"\nfile = \"x\"\n"), "pool.chat", "pool.f"), "chat.test", "f.test")}
	c := files.config(t)
	dir := filepath.Dir(c.File)
	write(t, filepath.Join(dir, "ca.pem"), "")
	set, problems := NewLoader().Load(c)
	wantLines(t, lines(problems), "")
	if got := set.Pool("chat").Checks[0].CAFile; got != filepath.Join(dir, "ca.pem") {
		t.Errorf("ca_file %q", got)
	}
	if got := set.Pool("f").Checks[0].File; got != filepath.Join(dir, "zones", "x") {
		t.Errorf("file %q", got)
	}
	// So it is for a last good version, which lies elsewhere.
	write(t, filepath.Join(c.Zones, "chat.toml"), "")
	set, _ = NewLoader().Load(c)
	if got := set.Pool("chat").Checks[0].CAFile; got != filepath.Join(dir, "ca.pem") {
		t.Errorf("ca_file of the last good version %q", got)
	}
}

func TestCheckProblems(t *testing.T) {
	for _, test := range []struct{ name, keys, want string }{
		{"no type", "port = 80\n", `
			zones/chat.toml:9: pool.chat.check.type: is required (for example type = "https")`},
		{"an unknown type", "type = \"htps\"\n", `
			zones/chat.toml:10: pool.chat.check.type: unknown value "htps" (did you mean "https"?)`},
		{"keys of other types", "type = \"icmp\"\nport = 1\npath = \"/\"\nstate = \"up\"\n", `
			zones/chat.toml:11: pool.chat.check.port: has no meaning for a check of type "icmp" (it belongs to http, https, tcp, tls, websocket, dns)
			zones/chat.toml:12: pool.chat.check.path: has no meaning for a check of type "icmp" (it belongs to http, https, websocket)
			zones/chat.toml:13: pool.chat.check.state: has no meaning for a check of type "icmp" (it belongs to static)`},
		{"static has no times", "type = \"static\"\nstate = \"up\"\nfall = 2\n", `
			zones/chat.toml:12: pool.chat.check.fall: has no meaning for a check of type "static" (it belongs to http, https, tcp, tls, websocket, dns, icmp, exec, file)`},
		{"keys that a type cannot do without", "type = \"tcp\"\n[[pool.chat.x]]\n", `
			zones/chat.toml:10: pool.chat.check.type: a check of type "tcp" needs the key port (for example port = 8443)
			zones/chat.toml:11: pool.chat.x: unknown key (known here: answers, policy, ttl, ttl_min, failback, failback_delay, all_down, max_failbacks, follow, check, sync, client, deployment)`},
		{"dns without query", "type = \"dns\"\nqtype = \"AXFR\"\n", `
			zones/chat.toml:10: pool.chat.check.type: a check of type "dns" needs the key query (for example query = "chat.example.com")
			zones/chat.toml:11: pool.chat.check.qtype: "AXFR" is no type to ask for (for example qtype = "AAAA")`},
		{"http values", "type = \"http\"\npath = \"x y\"\nmethod = \"GET /\"\nhost = \"a:80\"\nbody_regexp = \"(\"\nexpect_status = [99, \"300-200\", \"a\", true]\n", `
			zones/chat.toml:11: pool.chat.check.path: "x y" is no path (starts with "/" and holds no spaces)
			zones/chat.toml:12: pool.chat.check.method: "GET /" is no method (GET, HEAD, POST)
			zones/chat.toml:13: pool.chat.check.host: "a:80" is no host name (a host name without port)
			zones/chat.toml:14: pool.chat.check.body_regexp: missing closing ): ` + "`(`" + ` (the syntax is RE2's)
			zones/chat.toml:15: pool.chat.check.expect_status.1: 99 is no HTTP status, want 100–599 (a code such as 204, or a range such as "200-299")
			zones/chat.toml:15: pool.chat.check.expect_status.2: "300-200" is no range of HTTP statuses (a code such as 204, or a range such as "200-299")
			zones/chat.toml:15: pool.chat.check.expect_status.3: "a" is no range of HTTP statuses (a code such as 204, or a range such as "200-299")
			zones/chat.toml:15: pool.chat.check.expect_status.4: wants a status, got the boolean true (a code such as 204, or a range such as "200-299")`},
		{"headers", "type = \"http\"\n[pool.chat.check.headers]\nhost = \"x\"\n\"a b\" = \"x\"\nc = 5\nd = \"a\\nb\"\n", `
			zones/chat.toml:12: pool.chat.check.headers.host: is given by the key host
			zones/chat.toml:13: pool.chat.check.headers.a b: is no header name
			zones/chat.toml:14: pool.chat.check.headers.c: wants a string, got the integer 5
			zones/chat.toml:15: pool.chat.check.headers.d: holds characters that no header may`},
		{"a body of HEAD", "type = \"http\"\nmethod = \"HEAD\"\nbody_contains = \"x\"\n", `
			zones/chat.toml:11: pool.chat.check.method: a reply to HEAD has no body to look into (use GET)`},
		{"more wanted than read", "type = \"http\"\nbody_limit = 2\nbody_contains = \"abc\"\n", `
			zones/chat.toml:12: pool.chat.check.body_contains: is longer than body_limit, 2 bytes (raise body_limit)`},
		{"a limit without a use", "type = \"tcp\"\nport = 1\nbody_limit = 2\n", `
			zones/chat.toml:12: warning: pool.chat.check.body_limit: has no effect without expect`},
		{"certificates without TLS", "type = \"websocket\"\ninsecure = true\n", `
			zones/chat.toml:11: pool.chat.check.insecure: has no meaning without tls (set tls = true)`},
		{"TLS without host", "type = \"https\"\n", `
			zones/chat.toml:9: warning: pool.chat.check.host: is not given: the certificate must be valid for the address itself`},
		{"a command without path", "type = \"exec\"\ncommand = [\"bin/x\"]\n", `
			zones/chat.toml:11: pool.chat.check.command: "bin/x" is relative to nothing (give its whole path)`},
		{"a misspelt placeholder, and JSON", "type = \"tcp\"\nport = 1\nsend = '{\"a\": {}} {adress} {pool} {x}'\n", `
			zones/chat.toml:12: warning: pool.chat.check.send: {adress} is sent as it is (did you mean "address"?)`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, got := folderOf{"chat.toml": checkFile(test.keys)}.validate(t)
			wantLines(t, got, test.want)
		})
	}
}

func TestSeveralChecksAndASyncThatInherits(t *testing.T) {
	text := strings.Replace(checkFile(""), "[pool.chat.check]\n", `[[pool.chat.check]]
type = "icmp"
[[pool.chat.check]]
type = "websocket"
port = 8443
tls = true
host = "h.test"
insecure = true
[pool.chat.sync]
type = "websocket"
path = "/syncz"
`, 1)
	set, problems := folderOf{"chat.toml": text}.validate(t)
	wantLines(t, problems, "")
	p := set.Pools[0]
	if len(p.Checks) != 2 || p.Checks[0].Kind != ICMP || p.Failback != Gated {
		t.Fatalf("%+v", p)
	}
	if s := p.Sync; s.Port != 8443 || !s.TLS || s.Host != "h.test" || s.Path != "/syncz" || !s.Insecure {
		t.Errorf("sync %+v", s)
	}
	set, problems = folderOf{"chat.toml": strings.Replace(text, "path = \"/syncz\"", "tls = false\nport = 1\nhost = \"x\"", 1)}.validate(t)
	wantLines(t, problems, "")
	if s := set.Pools[0].Sync; s.Port != 1 || s.TLS || s.Host != "x" || s.Insecure {
		t.Errorf("sync %+v", s)
	}
}
