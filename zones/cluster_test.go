package zones

import (
	"net/netip"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

const exampleCluster = `name   = "ns1"
site   = "fra"
listen = []

[cluster]
listen        = "0.0.0.0:7946"
advertise     = "192.0.2.53:7946"
peers         = ["NS2.example.com.:7946", "[2001:DB8::53]:7947", "[::ffff:198.51.100.53]:7946", "203.0.113.53:7946"]
key_file      = "cluster.key"
minority_hold = "1s"
tie_hold      = "10m"

[[hook]]
name        = "chat-ops"
url         = "https://user:password@hooks.example.com/livens"
secret_file = "ops.secret"
events      = ["switch", "divergence"]
timeout     = "100ms"

[[hook]]
name    = "pager"
command = ["/usr/local/bin/page", "{literally}"]
`

func TestClusterReadsEveryKey(t *testing.T) {
	c, problems := loadConfigText(t, exampleCluster)
	wantLines(t, lines(problems), "")
	dir := filepath.Dir(c.File)
	cluster := &ClusterConfig{
		Listen: netip.MustParseAddrPort("0.0.0.0:7946"), Advertise: netip.MustParseAddrPort("192.0.2.53:7946"),
		Peers:   []string{"ns2.example.com:7946", "[2001:db8::53]:7947", "198.51.100.53:7946", "203.0.113.53:7946"},
		KeyFile: filepath.Join(dir, "cluster.key"), MinorityHold: time.Second, TieHold: 10 * time.Minute,
	}
	hooks := []HookConfig{
		{Name: "chat-ops", URL: "https://user:password@hooks.example.com/livens", SecretFile: filepath.Join(dir, "ops.secret"),
			Events: []string{"switch", "divergence"}, Timeout: 100 * time.Millisecond},
		{Name: "pager", Command: []string{"/usr/local/bin/page", "{literally}"}, Timeout: 10 * time.Second},
	}
	if !reflect.DeepEqual(c.Cluster, cluster) {
		t.Errorf("got  %+v\nwant %+v", c.Cluster, cluster)
	}
	if !reflect.DeepEqual(c.Hooks, hooks) {
		t.Errorf("got  %+v\nwant %+v", c.Hooks, hooks)
	}
	if c.Site != "fra" || c.Listen == nil || len(c.Listen) > 0 {
		t.Errorf("site %q, listen %v", c.Site, c.Listen)
	}
}

func TestClusterDefaults(t *testing.T) {
	c, problems := loadConfigText(t, "[cluster]\nlisten = \"[2001:db8::1]:7946\"\npeers = [\"a:1\", \"a:2\"]\nkey_file = \"/k\"\n")
	wantLines(t, lines(problems), "")
	want := &ClusterConfig{
		Listen: netip.MustParseAddrPort("[2001:db8::1]:7946"), Advertise: netip.MustParseAddrPort("[2001:db8::1]:7946"),
		Peers: []string{"a:1", "a:2"}, KeyFile: "/k", MinorityHold: 10 * time.Second, TieHold: 10 * time.Second,
	}
	if !reflect.DeepEqual(c.Cluster, want) || len(c.Listen) != 2 || c.Hooks != nil {
		t.Errorf("got %+v, listen %v, hooks %v", c.Cluster, c.Listen, c.Hooks)
	}
}

// clusterText is a cluster whose lines begin at 2, of an observer called ns1.
func clusterText(listen, more string, peers ...string) string {
	return "name = \"ns1\"\n[cluster]\nkey_file = \"k\"\nlisten = \"" + listen + "\"\npeers = [\"" + strings.Join(peers, "\", \"") + "\"]\n" + more
}

func TestClusterProblems(t *testing.T) {
	const hostHint = ` (a name or an address and a port, for example "ns2.example.com:7946" or "[2001:db8::53]:7946")`
	const portHint = ` (a port is 1–65535; 7946 is usual)`
	const here = "192.0.2.1:7946"
	for _, test := range []struct{ name, text, want string }{
		{"nothing given", "[cluster]\n", `
			livens.toml:1: cluster.key_file: is required (for example key_file = "cluster.key")
			livens.toml:1: cluster.listen: is required (for example listen = "192.0.2.53:7946")
			livens.toml:1: cluster.peers: is required (for example peers = ["ns2.example.com:7946", "[2001:db8::53]:7946"])`},
		{"misspelt", clusterText(here, "minorityhold = \"1s\"\n", "a:1", "b:1"), `
			livens.toml:6: cluster.minorityhold: unknown key (did you mean "minority_hold"?)`},
		{"a witness alone", "\nlisten = []\n", `
			livens.toml:2: listen: is empty: nobody is answered (a witness needs a [cluster] section; leave the key out for the default)`},
		{"a witness whose cluster is no table", "listen = []\ncluster = true\n", `
			livens.toml:2: cluster: wants a table, got the boolean true (write [cluster])`},
		{"everywhere is no address", clusterText("0.0.0.0:7946", "", "a:1", "b:1"), `
			livens.toml:4: cluster.listen: the others cannot reach this nameserver at 0.0.0.0 (say where they reach it, for example advertise = "192.0.2.53:7946")`},
		{"everywhere in IPv6 is no address", clusterText("[::]:7946", "", "a:1", "b:1"), `
			livens.toml:4: cluster.listen: the others cannot reach this nameserver at :: (say where they reach it, for example advertise = "192.0.2.53:7946")`},
		{"no port to reach", clusterText("192.0.2.1:0", "advertise = \"192.0.2.1:0\"\n", "a:1", "b:1"), `
			livens.toml:4: cluster.listen: has port 0: the others must know it (7946 is usual)
			livens.toml:6: cluster.advertise: the others cannot reach this nameserver at 192.0.2.1:0 (for example advertise = "192.0.2.53:7946")`},
		{"advertising everywhere", clusterText(here, "advertise = \"[::]:7946\"\n", "a:1", "b:1"), `
			livens.toml:6: cluster.advertise: the others cannot reach this nameserver at [::]:7946 (for example advertise = "192.0.2.53:7946")`},
		{"off", clusterText("off", "", "a:1", "b:1"), `
			livens.toml:4: cluster.listen: "off" is no address and port (an address and a port, for example "127.0.0.1:5300" or "[::1]:5300")`},
		{"times", clusterText(here, "minority_hold = \"999ms\"\ntie_hold = \"11m\"\n", "a:1", "b:1"), `
			livens.toml:6: cluster.minority_hold: 999ms is out of range, want 1s–10m
			livens.toml:7: cluster.tie_hold: 11m is out of range, want 1s–10m`},
		{"peers that are none", clusterText(here, "", "2001:db8::53", "ns2", "192.0.2.2", "ns2:0", "ns2:65536", "2001:db8::5:bad", ":7946", "[ns2]:1", "[192.0.2.2]:1", "0.0.0.0:1", "ns_2/x:1", "[fe80::1", "{pool}:1", "[fe80::1%eth0]:1"), `
			livens.toml:5: cluster.peers.1: "2001:db8::53" has no port (for example "[2001:db8::53]:7946")
			livens.toml:5: cluster.peers.10: "0.0.0.0:1" is not the address of one host` + hostHint + `
			livens.toml:5: cluster.peers.11: "ns_2/x:1" names no host` + hostHint + `
			livens.toml:5: cluster.peers.12: "[fe80::1" names no host` + hostHint + `
			livens.toml:5: cluster.peers.13: "{pool}:1" names no host` + hostHint + `
			livens.toml:5: cluster.peers.14: "[fe80::1%eth0]:1" is not the address of one host` + hostHint + `
			livens.toml:5: cluster.peers.2: "ns2" has no port (for example "ns2:7946")
			livens.toml:5: cluster.peers.3: "192.0.2.2" has no port (for example "192.0.2.2:7946")
			livens.toml:5: cluster.peers.4: "ns2:0" has no port` + portHint + `
			livens.toml:5: cluster.peers.5: "ns2:65536" has no port` + portHint + `
			livens.toml:5: cluster.peers.6: "2001:db8::5:bad" has no port (for example "[2001:db8::5:bad]:7946")
			livens.toml:5: cluster.peers.7: ":7946" names no host` + hostHint + `
			livens.toml:5: cluster.peers.8: "[ns2]:1" names no host` + hostHint + `
			livens.toml:5: cluster.peers.9: "[192.0.2.2]:1" wants brackets around an IPv6 address, and only there` + hostHint},
		{"peers twice", clusterText(here, "", "NS2.:7946", "ns2:7946", "[2001:db8::5]:1", "[2001:db8:0::5]:1", "ns2:7947", "x:1"), `
			livens.toml:5: cluster.peers.2: ns2:7946 is given twice
			livens.toml:5: cluster.peers.4: [2001:db8::5]:1 is given twice`},
		{"oneself", clusterText(here, "advertise = \"198.51.100.1:7947\"\n", "192.0.2.1:7946", "198.51.100.1:7947", "NS1:7947", "198.51.100.1:7946"), `
			livens.toml:5: cluster.peers.1: 192.0.2.1:7946 is this nameserver itself (name only the others; remove it)
			livens.toml:5: cluster.peers.2: 198.51.100.1:7947 is this nameserver itself (name only the others; remove it)
			livens.toml:5: cluster.peers.3: ns1:7947 is this nameserver itself (name only the others; remove it)`},
		{"two observers", clusterText(here, "", "ns2:1"), `
			livens.toml:5: warning: cluster.peers: two observers: when they disagree, nobody decides (add a witness: one more livens, with listen = [], at a third place)`},
		{"four observers", clusterText(here, "", "ns2:1", "ns3:1", "ns4:1"), `
			livens.toml:5: warning: cluster.peers: 4 observers: a tie is possible, and no more of them may fail than of 3 (add a witness: one more livens, with listen = [], at a third place)`},
		{"too many", clusterText(here, "", strings.Split(strings.Repeat("x:1,", 31)+"x:1", ",")...), `
			livens.toml:5: cluster.peers: has 32 elements, want at most 31`},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, problems := loadConfigText(t, test.text)
			wantLines(t, lines(problems), test.want)
			checkConfig(t, c)
		})
	}
}

func TestHookProblems(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"nothing given", "\n[[hook]]\n", `
			livens.toml:2: hook.1: tells nobody (give url or command)
			livens.toml:2: hook.1.name: is required (for example name = "pager")`},
		{"a table", "[hook]\nname = \"x\"\n", `
			livens.toml:1: hook: wants an array of tables, got a table (write [[hook]])`},
		{"misspelt", "[[hook]]\nname = \"x\"\ncommand = [\"x\"]\nevent = [\"switch\"]\n", `
			livens.toml:4: hook.x.event: unknown key (did you mean "events"?)`},
		{"names", "[[hook]]\nname = \"x\"\ncommand = [\"x\"]\n[[hook]]\nname = \"x\"\ncommand = [\"x\"]\n[[hook]]\nname = \"x y\"\ncommand = [\"x\"]\n", `
			livens.toml:5: hook.x.name: a hook "x" was given before (names are unique)
			livens.toml:8: hook.x y.name: "x y" is no hook name (1–63 letters, digits, - and _)`},
		{"two ways", "[[hook]]\nname = \"x\"\nurl = \"https://a.example/\"\ncommand = [\"x\"]\nsecret_file = \"s\"\n", `
			livens.toml:4: hook.x.command: has no meaning beside url (remove one of them, or write two hooks)`},
		{"what is not posted is not signed", "[[hook]]\nname = \"x\"\ncommand = [\"x\"]\nsecret_file = \"s\"\n", `
			livens.toml:4: hook.x.secret_file: has no meaning without url: only what is posted is signed (remove it)`},
		{"events", "[[hook]]\nname = \"x\"\ncommand = [\"x\"]\nevents = [\n\"swich\",\n\"start\",\n\"zzzzzzzzz\",\n1]\n[[hook]]\nname = \"y\"\ncommand = [\"x\"]\nevents = [\"start\", \"start\"]\n[[hook]]\nname = \"z\"\ncommand = [\"x\"]\nevents = []\n", `
			livens.toml:5: hook.x.events.1: unknown value "swich" (did you mean "switch"?)
			livens.toml:7: hook.x.events.3: unknown value "zzzzzzzzz" (one of switch, verdict, override, start, divergence)
			livens.toml:8: hook.x.events.4: wants a string, got the integer 1 (put it in quotes)
			livens.toml:12: hook.y.events.2: "start" is given twice
			livens.toml:16: hook.z.events: is empty (for example events = ["switch", "divergence"])`},
		{"commands", "[[hook]]\nname = \"x\"\ncommand = [\"bin/x\"]\n[[hook]]\nname = \"y\"\ncommand = [\"\"]\n[[hook]]\nname = \"z\"\ncommand = []\ntimeout = \"99ms\"\n", `
			livens.toml:3: hook.x.command: "bin/x" is relative to nothing (give its whole path)
			livens.toml:6: hook.y.command: holds an empty program or a NUL
			livens.toml:9: hook.z.command: is empty (for example command = ["/usr/local/bin/page-somebody", "--urgent"])
			livens.toml:10: hook.z.timeout: 99ms is out of range, want 100ms–10m`},
		{"URLs", "[[hook]]\nname = \"x\"\nurl = \"ftp://a.example/\"\n[[hook]]\nname = \"y\"\nurl = \"https:///path\"\n[[hook]]\nname = \"z\"\nurl = \"https://u:hunter2@a%zz/\"\n", `
			livens.toml:3: hook.x.url: is no http or https URL (for example url = "https://hooks.example.com/livens")
			livens.toml:6: hook.y.url: is no http or https URL (for example url = "https://hooks.example.com/livens")
			livens.toml:9: hook.z.url: is no http or https URL (for example url = "https://hooks.example.com/livens")`},
		{"in clear and unsigned", "[[hook]]\nname = \"x\"\nurl = \"http://10.0.0.1:80/\"\n[[hook]]\nname = \"y\"\nurl = \"https://a.example/\"\n[[hook]]\nname = \"z\"\nurl = \"http://a.example/\"\nsecret_file = \"s\"\n", `
			livens.toml:1: warning: hook.x.secret_file: is not given: the receiver cannot tell who posts (make one with: openssl rand -base64 32)
			livens.toml:3: warning: hook.x.url: events cross the network in clear (use https)
			livens.toml:4: warning: hook.y.secret_file: is not given: the receiver cannot tell who posts (make one with: openssl rand -base64 32)
			livens.toml:9: warning: hook.z.url: events cross the network in clear (use https)`},
		{"on this host", "[[hook]]\nname = \"x\"\nurl = \"http://127.0.0.1:80/\"\n[[hook]]\nname = \"y\"\nurl = \"http://[::1]/\"\n[[hook]]\nname = \"z\"\nurl = \"http://localhost/\"\n", ``},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, problems := loadConfigText(t, test.text)
			wantLines(t, lines(problems), test.want)
		})
	}
}

// TestSiteIsMissed: in a cluster, where deployments have sites, a nameserver without one is told.
func TestSiteIsMissed(t *testing.T) {
	const want = `livens.toml: warning: site: is not given, while deployments have one: what is seen from inside a data center counts as if it were seen from outside (where this nameserver is, for example site = "fra")`
	with := strings.Replace(goodPool, "name = \"b\"\n", "name = \"b\"\nsite = \"fra\"\n", 1)
	for _, test := range []struct {
		name, site, pool string
		cluster          *ClusterConfig
		want             string
	}{
		{"missed", "", with, &ClusterConfig{}, want},
		{"given", "ams", with, &ClusterConfig{}, ""},
		{"alone", "", with, nil, ""},
		{"no deployment has one", "", goodPool, &ClusterConfig{}, ""},
	} {
		c := folderOf{"z.toml": zoneHead + test.pool, "db": ""}.config(t)
		c.File, c.Site, c.Cluster = filepath.Join(filepath.Dir(c.Zones), "livens.toml"), test.site, test.cluster
		_, problems := Validate(c)
		wantLines(t, lines(problems), test.want)
	}
}
