package zones

import (
	"bytes"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/BurntSushi/toml"
	"github.com/miekg/dns"
)

// secret is the content of a file outside the zones folder: neither records nor problems may ever show it.
const secret = "hunter2"

// fuzzFolder is a zones folder with a neighbour that must not be read. Its bounds are small.
type fuzzFolder struct {
	root *os.Root
	dir  string
}

func newFuzzFolder(f *testing.F) *fuzzFolder {
	dir := f.TempDir()
	write(f, filepath.Join(dir, "secret"), secret+" A 192.0.2.66\n")
	write(f, filepath.Join(dir, "zones", "inner"), "x A 192.0.2.1\n$INCLUDE inner2 sub\n")
	write(f, filepath.Join(dir, "zones", "inner2"), "$ORIGIN y\n@ 5 A 192.0.2.1\n A 192.0.2.2\n")
	if err := os.Symlink("../secret", filepath.Join(dir, "zones", "link")); err != nil {
		f.Fatal(err)
	}
	root, err := os.OpenRoot(filepath.Join(dir, "zones"))
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { root.Close() })
	return &fuzzFolder{root, dir}
}

// read reads one zone and checks everything that is promised of it.
func (f *fuzzFolder) read(t *testing.T, name string, content []byte) *version {
	if err := os.WriteFile(filepath.Join(f.dir, "zones", name), content, 0o600); err != nil {
		t.Fatal(err)
	}
	set := settings{base: filepath.Join(f.dir, "zones"), label: "zones", limit: 2000}
	v := readVersion(&folder{root: f.root, budget: 1 << 20}, set, "zone.toml")
	if (v.zone == nil) != (len(v.problems.Errors()) > 0) {
		t.Fatalf("zone %v, problems %v", v.zone, v.problems)
	}
	for _, p := range v.problems {
		if strings.Contains(p.String(), secret) {
			t.Fatalf("read outside the folder: %s", p)
		}
		if p.Line < 0 || p.File == "" || p.Message == "" || len(p.String()) > 20000 || strings.Contains(p.String(), "\n") {
			t.Fatalf("problem %q", p)
		}
	}
	if v.zone != nil {
		checkZone(t, v.zone)
	}
	return v
}

func checkZone(t *testing.T, z *Zone) {
	if z.Name == "" || z.Name != lower(z.Name) || !dns.IsFqdn(z.Name) {
		t.Fatalf("zone name %q", z.Name)
	}
	soas := 0
	for i, packed := range z.Records {
		rr := packed.RR()
		h := rr.Header()
		if h.Class != dns.ClassINET || isMeta(h.Rrtype) || !dns.IsSubDomain(z.Name, h.Name) || h.Ttl > 1<<31-1 {
			t.Fatalf("record %v", rr)
		}
		if strings.Contains(rr.String(), "192.0.2.66") {
			t.Fatalf("read outside the folder: %v", rr)
		}
		buf := make([]byte, 1<<17)
		if _, err := dns.PackRR(rr, buf, 0, nil, false); err != nil {
			t.Fatalf("%v does not pack: %v", rr, err)
		}
		if h.Rrtype == dns.TypeSOA {
			soas++
		}
		if i > 0 && naiveOrder(z.Records[i-1], packed) >= 0 {
			t.Fatalf("not in canonical order:\n%v\n%v", z.Records[i-1].RR(), rr)
		}
	}
	if soas != 1 || z.Records[0].Type() != dns.TypeSOA {
		t.Fatalf("%d SOA records, first %v", soas, z.Records[0].RR())
	}
	taken := map[string]bool{}
	for _, p := range z.Pools {
		checkPool(t, z, p)
		for _, name := range p.Answers {
			if taken[name] {
				t.Fatalf("two pools at %s", name)
			}
			taken[name] = true
		}
	}
}

// naiveOrder compares two records as RFC 4034 section 6 says, label by label.
func naiveOrder(a, b Packed) int {
	labels := func(rr dns.RR) [][]byte {
		var wire [256]byte
		end, _ := dns.PackDomainName(rr.Header().Name, wire[:], 0, nil, false)
		var out [][]byte
		for i := 0; i < end && wire[i] != 0; i += int(wire[i]) + 1 {
			out = append(out, bytes.Clone(wire[i+1:i+1+int(wire[i])]))
		}
		slices.Reverse(out)
		return out
	}
	if c := slices.CompareFunc(labels(a.RR()), labels(b.RR()), func(x, y []byte) int { return bytes.Compare(asciiLower(x), asciiLower(y)) }); c != 0 {
		return c
	}
	if c := typeRank(a) - typeRank(b); c != 0 {
		return c
	}
	return bytes.Compare(canonicalData(a), canonicalData(b))
}

func asciiLower(b []byte) []byte {
	b = bytes.Clone(b)
	lowerBytes(b)
	return b
}

func checkPool(t *testing.T, z *Zone, p *Pool) {
	bad := p.Name == "" || p.Zone != z.Name || len(p.Answers) == 0 || len(p.Deployments) == 0 ||
		p.TTL < 1 || p.TTL > 86400 || p.TTLMin < 1 || p.TTLMin > p.TTL ||
		p.FailbackDelay < 0 || p.FailbackDelay > 24*time.Hour || p.MaxFailbacks < 1 ||
		(p.Policy != Failover && p.Policy != AllLive) || (p.Follow == "") != (len(p.Checks) > 0) ||
		(p.Sync != nil) != (p.Failback == Gated) ||
		!slices.Contains([]AllDown{LastGood, Primary, All}, p.AllDown) || !slices.Contains([]Failback{Auto, Delay, Manual, Gated}, p.Failback)
	if bad {
		t.Fatalf("pool %+v", p)
	}
	for _, name := range p.Answers {
		if name != lower(name) || !within(name, z.Name) {
			t.Fatalf("answer %q", name)
		}
	}
	for i, d := range p.Deployments {
		if p.Deployment(d.Name) != d || d.Name == "" || len(d.Addresses) == 0 || len(d.Probe) != 0 && len(d.Probe) != len(d.Addresses) {
			t.Fatalf("deployment %d: %+v", i, d)
		}
		for j, addr := range d.Addresses {
			if !addr.IsValid() || addr.Is4In6() || addr.Zone() != "" || slices.Contains(d.Addresses[:j], addr) {
				t.Fatalf("address %v", addr)
			}
			if len(d.Start) > 0 && (!d.Cold || d.Start[0] == "") || d.Cold && p.Follow != "" || len(p.Hash) != 64 {
				t.Fatalf("deployment %+v of pool %s", d, p.Hash)
			}
			if probe := d.ProbeAddress(j); !probe.IsValid() {
				t.Fatalf("probe address %v", probe)
			}
		}
	}
	checkClient(t, p)
	for _, c := range append(slices.Clone(p.Checks), p.Sync) {
		if c != nil {
			checkCheck(t, c)
		}
	}
}

// checkClient holds what a page is told to what a browser can use, also what was filled in.
func checkClient(t *testing.T, p *Pool) {
	set := &Set{Pools: []*Pool{p}}
	c, deployments, err := set.ClientOf(p, &ModeratorConfig{Listen: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:80")}})
	if err != nil {
		return
	}
	for scheme, urls := range map[string][]string{"ws": append(slices.Concat(deployments...), c.URL), "http": slices.Concat(c.Moderators, c.Scripts)} {
		for _, one := range urls {
			u, err := url.Parse(one)
			if err != nil || strings.TrimSuffix(u.Scheme, "s") != scheme || u.Hostname() == "" || u.User != nil || u.Fragment != "" {
				t.Fatalf("URL %q: %v", one, err)
			}
		}
	}
	if len(deployments) != len(p.Deployments) || len(c.Scripts) == 0 {
		t.Fatalf("client %+v, %v", c, deployments)
	}
}

func checkCheck(t *testing.T, c *Check) {
	bad := !slices.Contains(kindWords(), string(c.Kind)) || c.Interval < 100*time.Millisecond || c.Interval > time.Hour ||
		c.FastInterval < 10*time.Millisecond || c.FastInterval > c.Interval || c.Timeout < 10*time.Millisecond || c.Timeout > time.Minute ||
		c.Fall < 1 || c.Fall > 100 || c.Rise < 1 || c.Rise > 100
	switch c.Kind {
	case HTTP, HTTPS:
		bad = bad || c.Port == 0 || c.Method == "" || !strings.HasPrefix(c.Path, "/") || len(c.Expect) == 0 || c.BodyLimit < 1 || c.BodyLimit > 1<<20 || c.TLS != (c.Kind == HTTPS)
		for _, r := range c.Expect {
			bad = bad || r.From < 100 || r.To > 599 || r.From > r.To
		}
		_, err := regexp.Compile(c.BodyRegexp)
		bad = bad || err != nil
	case TCP, WebSocket:
		bad = bad || c.Port == 0 || c.BodyLimit < 1 || c.BodyLimit > 1<<20
	case TLS:
		bad = bad || c.Port == 0 || !c.TLS
	case DNS:
		bad = bad || c.Port == 0 || c.QType == 0 || c.Query == "" || c.Query != lower(c.Query)
	case Exec:
		bad = bad || len(c.Command) == 0 || c.Command[0] == ""
	case File:
		bad = bad || !filepath.IsAbs(c.File)
	}
	if bad || c.CAFile != "" && !filepath.IsAbs(c.CAFile) {
		t.Fatalf("check %+v", c)
	}
}

// checkLocator wants a line for everything that the library finds in a document.
func checkLocator(t *testing.T, data []byte) {
	root, excess, _ := locate(string(data))
	if excess != "" || len(data) > 1<<16 {
		return
	}
	raw := map[string]any{}
	if _, err := toml.Decode(string(data), &raw); err == nil {
		mirrors(t, raw, root, "")
	}
}

func FuzzZoneTOML(f *testing.F) {
	f.Add([]byte(zoneHead + goodPool))
	f.Add([]byte(simpleZone("a") + followText("f", "f", "a") + poolText("z", "*.z")))
	f.Add([]byte("[zone]\nname = \"x\"\nzonefile = \"link\"\nrecords = ['''@ SOA a b 1 2 3 4 5''', \"$INCLUDE link\", \"@ NS ns.\"]\n[[pool.x.check]]\ntype = \"https\"\n\"h\\u0065aders\" = {a = 'b'}\n[[pool.x.check]]\ntype='dns'\nquery='a'\n"))
	f.Add([]byte("[zone]\nname = \"x\"\nzonefile = \"../secret\"\nns=['a.']\ncontact='a@b'\n"))
	f.Add([]byte("a.b.c = [[1, {x = 2}], '''\n''', 1979-05-27 07:32:00]\n"))
	f.Add([]byte("a = " + strings.Repeat("[", 100)))
	f.Add([]byte("[zone]\nname='.'\nns=['a.']\ncontact='a@b'\nrecords=['a CNAME a.', '* A 1.2.3.4', 'a.b DNAME .']\n[pool.x]\nanswers=['@','*','a.\\\\.b']\nfollow='y'\ndeployment=[{name='a',addresses=['::1','1.2.3.4']}]\n"))
	folder := newFuzzFolder(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		checkLocator(t, data)
		folder.read(t, "zone.toml", data)
	})
}

func FuzzZoneFile(f *testing.F) {
	f.Add([]byte("$TTL 300\n@ SOA ns h 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n*.x TXT ( \"a;b\" ; c\n b )\n$INCLUDE inner sub\n A 192.0.2.9\n"))
	f.Add([]byte("$GENERATE 0-2147483647 a$ A 192.0.2.1\n$GENERATE 1-20/3 a${-1,3,x} A 10.0.0.$\n$GENERATE 1-1 $$INCLUDE link\n"))
	f.Add([]byte("$INCLUDE link\n$INCLUDE ../secret\n$INCLUDE zone.db\n$INCLUDE inner\n$INCLUDE inner\n"))
	f.Add([]byte("a\\.b.\\000 TYPE65000 \\# 3 010203\nd DNAME e\nx.d A 192.0.2.1\ns NS ns.s\nns.s A 192.0.2.1\nt.s TXT a\nA\n b MX\n"))
	f.Add([]byte("h HTTPS 1 . alpn=h2 ipv4hint=192.0.2.1\nm MX 1 h\nm 5 MX 2 h\nr RRSIG A 13 3 300 20300101000000 20200101000000 1 chat.test. AAAA\n"))
	folder := newFuzzFolder(f)
	toml := strings.Replace(zoneHead, `"db"`, `"zone.db"`, 1) + goodPool
	if err := os.WriteFile(filepath.Join(folder.dir, "zones", "zone.toml"), []byte(toml), 0o600); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v := folder.read(t, "zone.db", data)
		if v.zone != nil && !unchanged(folder.root, v.sources) {
			t.Fatal("files that nobody touched have changed")
		}
	})
}

func FuzzConfig(f *testing.F) {
	f.Add([]byte(exampleConfig))
	f.Add([]byte("listen = [\":53\", \"1.2.3.4\"]\nname = 5\n[http]\nlisten = \"off\"\n[dns]\ntcp_idle = 5\n[cluster]\n"))
	f.Add([]byte("state = \"s\"\nlisten = [\n"))
	f.Add([]byte(exampleCluster))
	f.Add([]byte("listen = []\ncluster = 5\nhook = {name = 'a'}\n"))
	f.Add([]byte("[cluster]\nlisten = '[::]:0'\npeers = ['a', '[::1]:1', '::1:1', '[fe80::1%eth0]:2', 'X.:3', 'x:3', ':4', '[x]:5']\n[[hook]]\nurl = 'http://%zz'\nevents = []\n[[hook]]\ncommand = ['']\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		checkLocator(t, data)
		c, problems := parseConfig("/etc/livens/livens.toml", "livens.toml", data)
		for _, p := range problems {
			if p.File != "livens.toml" || p.Message == "" {
				t.Fatalf("problem %q", p)
			}
		}
		checkConfig(t, c)
		if len(problems.Errors()) == 0 {
			checkCluster(t, c)
			checkHooks(t, c.Hooks)
		}
	})
}

// checkCluster checks what holds of every cluster in a Config without errors.
func checkCluster(t *testing.T, c *Config) {
	cluster := c.Cluster
	if cluster == nil {
		return
	}
	self := cluster.Advertise
	bad := !cluster.Listen.IsValid() || cluster.Listen.Port() == 0 || !self.IsValid() || self.Port() == 0 || self.Addr().IsUnspecified() ||
		len(cluster.Peers) < 1 || len(cluster.Peers) > 31 || slices.Contains(cluster.Peers, self.String()) || !filepath.IsAbs(cluster.KeyFile) ||
		cluster.MinorityHold < time.Second || cluster.MinorityHold > 10*time.Minute || cluster.TieHold < time.Second || cluster.TieHold > 10*time.Minute
	for i, peer := range cluster.Peers {
		again, _, err := parsePeer(peer)
		host, _, cut := net.SplitHostPort(peer)
		bad = bad || err != nil || again != peer || cut != nil || host == "" || slices.Contains(cluster.Peers[:i], peer)
	}
	if bad {
		t.Fatalf("cluster %+v", cluster)
	}
}

// checkHooks checks what holds of every hook in a Config without errors.
func checkHooks(t *testing.T, hooks []HookConfig) {
	seen := map[string]bool{}
	for _, h := range hooks {
		bad := !isIdentifier(h.Name) || seen[h.Name] || (h.URL == "") == (len(h.Command) == 0) || h.SecretFile != "" && (h.URL == "" || !filepath.IsAbs(h.SecretFile)) ||
			h.Timeout < 100*time.Millisecond || h.Timeout > 10*time.Minute
		if h.URL != "" {
			u, err := url.Parse(h.URL)
			bad = bad || err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https"
		}
		for _, event := range h.Events {
			bad = bad || !slices.Contains(eventWords(), event)
		}
		if seen[h.Name] = true; bad {
			t.Fatalf("hook %+v", h)
		}
	}
}

// checkConfig checks what holds of every Config, with errors or without.
func checkConfig(t *testing.T, c *Config) {
	bad := c.Name == "" || len(c.Listen) == 0 && c.Cluster == nil || len(c.Site) > 63 || !filepath.IsAbs(c.Zones) || !filepath.IsAbs(c.State) ||
		c.DNS.UDPSize < 512 || c.DNS.UDPSize > 4096 || c.DNS.TCPIdle < time.Second || c.DNS.TCPIdle > 10*time.Minute ||
		c.DNS.TCPLimit < 1 || c.DNS.TCPLimit > 100000 || c.DNS.TCPPerClient < 1 || c.DNS.TCPPerClient > c.DNS.TCPLimit ||
		(c.DNS.CookieFile != "" && !filepath.IsAbs(c.DNS.CookieFile)) || len(c.DNS.NSID) > 255 ||
		!slices.Contains([]string{"text", "json"}, c.Log.Format) || !slices.Contains([]string{"debug", "info", "warn", "error"}, c.Log.Level) ||
		c.Checker.MaxProbes < 1 || c.Checker.MaxProbes > 100000 || c.Checker.MaxExec < 1 || c.Checker.MaxExec > 1000 ||
		slices.ContainsFunc(c.Listen, func(a netip.AddrPort) bool { return !a.IsValid() })
	if bad {
		t.Fatalf("config %+v", c)
	}
}
