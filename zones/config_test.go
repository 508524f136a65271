package zones

import (
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

const exampleConfig = `name    = "ns1.example"
listen  = ["192.0.2.53:53", "[2001:db8::53]:53"]
zones   = "z"
state   = "s"
strict  = true

[http]
listen = "[::1]:9000"

[dns]
nsid            = "id"
version         = ""
cookie_file     = "cookies"
debug_names     = true
udp_size        = 1400
tcp_idle        = "30s"
tcp_connections = 40
tcp_per_client  = 20

[log]
format = "json"
level  = "warn"

[checker]
max_probes = 7
max_exec   = 8
`

func loadConfigText(t *testing.T, text string) (*Config, Problems) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "livens.toml")
	write(t, path, text)
	return LoadConfig(path)
}

func TestConfigReadsEveryKey(t *testing.T) {
	c, problems := loadConfigText(t, exampleConfig)
	wantLines(t, lines(problems), "")
	dir := filepath.Dir(c.File)
	want := &Config{
		File: filepath.Join(dir, "livens.toml"), Name: "ns1.example",
		Listen: []netip.AddrPort{netip.MustParseAddrPort("192.0.2.53:53"), netip.MustParseAddrPort("[2001:db8::53]:53")},
		Zones:  filepath.Join(dir, "z"), State: filepath.Join(dir, "s"), Strict: true,
		HTTP: HTTPConfig{netip.MustParseAddrPort("[::1]:9000")},
		DNS: DNSConfig{NSID: "id", CookieFile: filepath.Join(dir, "cookies"), DebugNames: true, UDPSize: 1400, TCPIdle: 30 * time.Second,
			TCPLimit: 40, TCPPerClient: 20},
		Log: LogConfig{"json", "warn"}, Checker: CheckerConfig{7, 8},
	}
	c.source = nil
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got  %+v\nwant %+v", c, want)
	}
}

func TestConfigDefaults(t *testing.T) {
	c, problems := loadConfigText(t, "name = \"ns1\"\n")
	wantLines(t, lines(problems), "")
	dir := filepath.Dir(c.File)
	want := &Config{
		File: filepath.Join(dir, "livens.toml"), Name: "ns1",
		Listen: []netip.AddrPort{netip.MustParseAddrPort("0.0.0.0:53"), netip.MustParseAddrPort("[::]:53")},
		Zones:  filepath.Join(dir, "zones"), State: "/var/lib/livens",
		HTTP: HTTPConfig{netip.MustParseAddrPort("127.0.0.1:9353")},
		DNS:  DNSConfig{NSID: "ns1", Version: "livens", UDPSize: 1232, TCPIdle: 10 * time.Second, TCPLimit: 1000, TCPPerClient: 50},
		Log:  LogConfig{"text", "info"}, Checker: CheckerConfig{1000, 16},
	}
	c.source = nil
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got  %+v\nwant %+v", c, want)
	}
	if c, _ = loadConfigText(t, ""); c.Name == "" || c.DNS.NSID != c.Name {
		t.Errorf("without a name: %q, %q", c.Name, c.DNS.NSID)
	}
	if c, _ = loadConfigText(t, "[http]\nlisten = \"off\"\n[dns]\nnsid = \"\"\ntcp_connections = 3\n"); c.HTTP.Listen.IsValid() || c.DNS.NSID != "" || c.DNS.TCPPerClient != 3 {
		t.Errorf("off: %+v", c)
	}
}

func TestConfigProblems(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"unknown keys and sections", "zone = \"zones\"\n[dns]\ntcp_idel = \"1s\"\n[moderator]\nkye = \"k\"\n", `
			livens.toml:1: zone: unknown key (did you mean "zones"?)
			livens.toml:3: dns.tcp_idel: unknown key (did you mean "tcp_idle"?)
			livens.toml:4: moderator.listen: is required (for example listen = ["0.0.0.0:443", "[::]:443"])
			livens.toml:5: moderator.kye: unknown key (did you mean "key"?)`},
		{"addresses", "listen = [\n\":53\",\n\"192.0.2.1\",\n\"192.0.2.1:0\",\n\"ns1:53\",\n53]\n[http]\nlisten = \":80\"\n", `
			livens.toml:2: listen.1: ":53" names no address (write "0.0.0.0:53" and "[::]:53")
			livens.toml:3: listen.2: "192.0.2.1" has no port (an address and a port, for example "127.0.0.1:5300" or "[::1]:5300")
			livens.toml:5: listen.4: "ns1:53" is no address and port (an address and a port, for example "127.0.0.1:5300" or "[::1]:5300")
			livens.toml:6: listen.5: wants a string, got the integer 53 (an address and a port, for example "127.0.0.1:5300" or "[::1]:5300")
			livens.toml:8: http.listen: ":80" names no address (write "0.0.0.0:80" and "[::]:80")`},
		{"an address twice", "listen = [\"[::]:53\", \"[::0]:53\"]\n", `
			livens.toml:1: listen.2: [::]:53 is given twice`},
		{"an IPv4 address in IPv6 form", "listen = [\"127.0.0.1:53\", \"[::ffff:127.0.0.1]:53\"]\n", `
			livens.toml:1: listen.2: 127.0.0.1:53 is given twice`},
		{"bounds", "name = \"\"\n[dns]\nudp_size = 511\ntcp_idle = \"11m\"\ntcp_connections = 10\ntcp_per_client = 11\n[log]\nlevel = \"trace\"\n[checker]\nmax_exec = 0\n", `
			livens.toml:1: name: is empty (leave the key out for the default)
			livens.toml:3: dns.udp_size: 511 is out of range, want 512–4096
			livens.toml:4: dns.tcp_idle: 11m is out of range, want 1s–10m
			livens.toml:6: dns.tcp_per_client: 11 is above tcp_connections, 10
			livens.toml:8: log.level: unknown value "trace" (one of debug, info, warn, error)
			livens.toml:10: checker.max_exec: 0 is out of range, want 1–1000`},
		{"a table that is none", "dns = true\nhttp = [1]\n", `
			livens.toml:1: dns: wants a table, got the boolean true (write [dns])
			livens.toml:2: http: wants a table, got a list (write [http])`},
		{"a key twice", "name = \"a\"\n\nname = \"b\"\n", `
			livens.toml:3: name: TOML syntax: Key 'name' has already been defined. (nothing after a syntax error is read)`},
		{"bytes that are no text", "name = \"a\"\n# \xff\n", `
			livens.toml:2: is not UTF-8 (save it as UTF-8)`},
		{"nesting", "x = [[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]\n", `
			livens.toml:1: arrays and tables are nested too deeply`},
		{"a name for no host", "name = \"ns 1\"\n", `
			livens.toml:1: name: "ns 1" holds characters that cannot be in a host name (letters, digits, - and .)`},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, problems := loadConfigText(t, test.text)
			wantLines(t, lines(problems), test.want)
			checkConfig(t, c)
		})
	}
}

func TestConfigThatIsNotThere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "livens.toml")
	c, problems := LoadConfig(path)
	wantLines(t, lines(problems), path+": there is no such file (--config names another file)")
	if c.State != "/var/lib/livens" {
		t.Errorf("state %q", c.State)
	}
}

func TestLastGoodConfig(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "livens.toml")
	write(t, path, "name = \"ns1\"\nzones = \"z\"\nstate = \"s\"\n")
	good, problems := LoadConfig(path)
	wantLines(t, lines(problems), "")
	// What is kept is what was read, not what an editor has written since.
	write(t, path, "name = \"ns2\"\nstate = \"s\" # a comment\nzones = [\n[dns]\n")
	if err := KeepConfig(good); err != nil {
		t.Fatal(err)
	}
	broken, problems := LoadConfig(path)
	if len(problems.Errors()) != 1 || broken.State != filepath.Join(dir, "s") || broken.Name != "ns2" {
		t.Fatalf("of a broken file: %+v %v", broken, problems)
	}
	last, problems := LastGoodConfig(broken)
	wantLines(t, lines(problems), "")
	if last.Name != "ns1" || last.Zones != filepath.Join(dir, "z") || last.File != path || last.State != good.State {
		t.Errorf("last good: %+v", last)
	}
	before, err := os.Stat(filepath.Join(dir, "s", "livens.toml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := KeepConfig(last); err != nil {
		t.Fatal(err)
	}
	if after, _ := os.Stat(filepath.Join(dir, "s", "livens.toml")); !os.SameFile(before, after) {
		t.Error("an unchanged copy was written again")
	}
}

func TestLastGoodConfigThatWasNeverKept(t *testing.T) {
	broken, _ := loadConfigText(t, "state = \"s\"\nbroken")
	last, problems := LastGoodConfig(broken)
	if last != nil || len(problems.Errors()) != 1 || !strings.Contains(problems[0].Message, "no last good copy") {
		t.Errorf("%v %v", last, problems)
	}
}
