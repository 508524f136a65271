package zones

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// A folderOf is the files of a zones folder by name.
type folderOf map[string]string

// config writes the files into a new zones folder.
func (files folderOf) config(t testing.TB) *Config {
	t.Helper()
	dir := t.TempDir()
	c := &Config{File: filepath.Join(dir, "livens.toml"), Zones: filepath.Join(dir, "zones"), State: filepath.Join(dir, "state")}
	for name, content := range files {
		write(t, filepath.Join(c.Zones, name), content)
	}
	return c
}

// validate returns the Set and the problems as lines.
func (files folderOf) validate(t testing.TB) (*Set, []string) {
	t.Helper()
	set, problems := Validate(files.config(t))
	return set, lines(problems)
}

func lines(problems Problems) []string {
	out := []string{}
	for _, p := range problems {
		out = append(out, p.String())
	}
	return out
}

// wantLines compares problems with what is wanted, one a line.
func wantLines(t testing.TB, got []string, want string) {
	t.Helper()
	wanted := []string{}
	for line := range strings.Lines(want) {
		if line = strings.TrimSpace(line); line != "" {
			wanted = append(wanted, line)
		}
	}
	if !slices.Equal(got, wanted) {
		t.Errorf("problems:\n  %s\nwant:\n  %s", strings.Join(got, "\n  "), strings.Join(wanted, "\n  "))
	}
}

const (
	// zoneHead is six lines long.
	zoneHead = `[zone]
name = "chat.test"
ns = ["ns.elsewhere.test."]
contact = "hostmaster@example.com"
zonefile = "db"

`
	// goodPool is a pool without problems, from line 7 on.
	goodPool = `[pool.chat]
answers = ["@", "www"]
[pool.chat.check]
type = "tcp"
port = 80
[[pool.chat.deployment]]
name = "a"
addresses = ["192.0.2.10"]
[[pool.chat.deployment]]
name = "b"
addresses = ["192.0.2.20"]
`
)

// TestZoneData is what records, zone files and pools mean together.
func TestZoneData(t *testing.T) {
	for _, test := range []struct{ name, db, pools, want string }{
		{"nothing wrong", "mail A 192.0.2.1\n@ MX 10 mail\n", goodPool, ``},
		{"two SOA records", "@ SOA ns h 1 2 3 4 5\n@ SOA ns h 2 2 3 4 5\n", "", `
			zones/chat.toml:4: zone.contact: zones/db line 1 has an SOA record already (remove one of them)
			zones/db:2: another SOA record is at zones/db line 1 (a zone has exactly one (RFC 1035 section 5.2))`},
		{"SOA below the apex", "x SOA ns h 1 2 3 4 5\n", "", `
			zones/db:1: SOA at x.chat.test.: it belongs to the zone's own name, chat.test.`},
		{"apex NS without address", "@ NS ns1\n", "", `
			zones/db:1: nameserver ns1.chat.test. is in this zone and has no address (add its A or AAAA record)`},
		{"apex NS with its final dot forgotten", "@ NS ns1.chat.test\n", "", `
			zones/db:1: nameserver ns1.chat.test.chat.test. is in this zone and has no address (add a final dot if the name is complete)`},
		{"apex NS with its address at a wildcard", "@ NS ns1\n* AAAA ::1\n", "", ``},
		{"apex NS with its address from a pool", "@ NS www\n", goodPool, ``},
		{"apex NS below a delegation without glue", "@ NS ns1.sub\nsub NS ns.elsewhere.test.\n", "", `
			zones/db:1: warning: nameserver ns1.sub.chat.test. is below a delegation and has no glue (add its A or AAAA record as glue)`},
		{"apex NS below a delegation with glue", "@ NS ns1.sub\nsub NS ns.elsewhere.test.\nns1.sub A 192.0.2.1\n", "", ``},
		{"apex NS that is an alias", "@ NS ns1\nns1 CNAME mail\nmail A 192.0.2.1\n", "", `
			zones/db:1: nameserver ns1.chat.test. is a CNAME (a nameserver's name must not be an alias (RFC 2181 section 10.3))`},
		{"delegation without glue", "sub NS ns.sub\n", "", `
			zones/db:1: warning: sub.chat.test.: nameserver ns.sub.chat.test. has no address in this zone (add its A or AAAA record)`},
		{"CNAME beside other data", "x CNAME www.example.com.\nx TXT \"a\"\n", "", `
			zones/db:2: x.chat.test. has a TXT record beside the CNAME at zones/db:1 (a name with a CNAME can have no other data (RFC 2181 section 10.1))`},
		{"CNAME at the apex", "@ CNAME www.example.com.\n", "", `
			zones/chat.toml:1: chat.test. has an SOA record beside the CNAME at zones/db:1 (a name with a CNAME can have no other data (RFC 2181 section 10.1))`},
		{"CNAME with its signature", "x CNAME www.example.com.\nx NSEC y CNAME NSEC\n", "", `
			zones/db:2: warning: DNSSEC records are served as plain data: livens adds no signature to an answer`},
		{"two CNAMEs", "x CNAME www.example.com.\nX CNAME mail.example.com.\n", "", `
			zones/db:2: x.chat.test. has another CNAME record, at zones/db:1 (an alias has one target)`},
		{"CNAME of itself", "x CNAME X\n", "", `
			zones/db:1: x.chat.test. is an alias of itself`},
		{"CNAME to nothing", "x CNAME y\n", "", `
			zones/db:1: warning: x.chat.test. is an alias of y.chat.test., which does not exist`},
		{"CNAME to a pool", "x CNAME www\n", goodPool, ``},
		{"two DNAMEs", "x DNAME a.example.\nx DNAME b.example.\n", "", `
			zones/db:2: x.chat.test. has another DNAME record, at zones/db:1 (an alias has one target)`},
		{"data below a DNAME", "x DNAME a.example.\nx A 192.0.2.1\na.b.x A 192.0.2.1\n", "", `
			zones/db:3: a.b.x.chat.test. is below the DNAME of x.chat.test. at zones/db:1 (no data can be below a DNAME (RFC 6672 section 2.4))`},
		{"a name that only looks as if below a DNAME", "x DNAME a.example.\nyx A 192.0.2.1\na\\.x A 192.0.2.1\n", "", ``},
		{"DNAME at a delegation", "x DNAME a.example.\nx NS ns.example.\n", "", `
			zones/db:1: x.chat.test. is delegated and has a DNAME (RFC 6672 section 2.3)`},
		{"data below a delegation", "x NS ns.x\nns.x A 192.0.2.1\nns.x AAAA ::1\na.x TXT \"a\"\n", "", `
			zones/db:4: warning: a.x.chat.test. is below the delegation of x.chat.test. at zones/db:1: its TXT is never answered (move it to the delegated zone)`},
		{"data at a delegation", "x NS ns.example.\nx MX 1 mail.example.\nx DS 1 13 2 0000000000000000000000000000000000000000000000000000000000000000\n", "", `
			zones/db:2: warning: x.chat.test. is delegated at zones/db:1: its MX is never answered (move it to the delegated zone)`},
		{"DS without a delegation", "x DS 1 13 2 0000000000000000000000000000000000000000000000000000000000000000\n", "", `
			zones/db:1: warning: x.chat.test. has a DS record and no delegation (it belongs to a delegation, in the parent zone)`},
		{"wildcard delegation", "*.x NS ns.example.\n", "", `
			zones/db:1: warning: *.x.chat.test.: a wildcard delegation is discouraged (RFC 4592 section 4.2)`},
		{"wildcard DNAME", "*.x DNAME a.example.\n", "", `
			zones/db:1: warning: *.x.chat.test.: a wildcard DNAME is discouraged (RFC 4592 section 4.4)`},
		{"MX target that is an alias", "@ MX 1 x\nx CNAME mail.example.com.\n", "", `
			zones/db:1: warning: chat.test. MX: x.chat.test. is a CNAME (use the CNAME's target (RFC 2181 section 10.3))`},
		{"SRV target without address", "_x._tcp SRV 1 1 1 x\n", "", `
			zones/db:1: warning: _x._tcp.chat.test. SRV: x.chat.test. has no address in this zone`},
		{"outside the zone", "x.example.com. A 192.0.2.1\n$ORIGIN evilchat.test.\n@ A 192.0.2.1\nevil\\.chat.test. A 192.0.2.1\n", "", `
			zones/db:1: x.example.com. is outside the zone chat.test.
			zones/db:3: evilchat.test. is outside the zone chat.test.
			zones/db:4: evil\.chat.test. is outside the zone chat.test.`},
		{"TTLs that differ", "x 300 A 192.0.2.1\nX 200 A 192.0.2.2\n", "", `
			zones/db:2: X.chat.test. A has TTL 200 here and 300 at zones/db:1 (give all records of a name and type one TTL (RFC 2181 section 5.2))`},
		{"one record twice with two TTLs", "x 300 A 192.0.2.1\nx 200 A 192.0.2.1\n", "", `
			zones/db:2: x.chat.test. A has TTL 200 here and 300 at zones/db:1 (give all records of a name and type one TTL (RFC 2181 section 5.2))`},
		{"a record at a pool's name", "www A 192.0.2.1\nwww AAAA ::1\nwww TXT \"fine\"\n", goodPool, `
			zones/db:1: www.chat.test. has an A record, and pool "chat" answers there (remove the record, or the name from the pool's answers)
			zones/db:2: www.chat.test. has an AAAA record, and pool "chat" answers there (remove the record, or the name from the pool's answers)`},
		{"a CNAME at a pool's name", "www CNAME www.example.com.\n", goodPool, `
			zones/db:1: www.chat.test. has a CNAME record, and pool "chat" answers there (remove the record, or the name from the pool's answers)`},
		{"two pools at a name", "", goodPool + strings.ReplaceAll(strings.ReplaceAll(goodPool, "pool.chat", "pool.more"), `"@"`, `"more"`), `
			zones/chat.toml:19: pool.more.answers: www.chat.test. is answered by pool chat already`},
		{"a pool at a delegation", "www NS ns.example.\n", goodPool, `
			zones/chat.toml:8: pool.chat.answers: www.chat.test. is hidden by the delegation of www.chat.test. at zones/db:1 (the pool would never answer there)`},
		{"a pool below a delegation", "x NS ns.example.\n", strings.Replace(goodPool, `"www"`, `"a.b.x"`, 1), `
			zones/chat.toml:8: pool.chat.answers: a.b.x.chat.test. is hidden by the delegation of x.chat.test. at zones/db:1 (the pool would never answer there)`},
		{"a pool below a DNAME", "x DNAME a.example.\n", strings.Replace(goodPool, `"www"`, `"a.x"`, 1), `
			zones/chat.toml:8: pool.chat.answers: a.x.chat.test. is hidden by the DNAME of x.chat.test. at zones/db:1 (the pool would never answer there)`},
		{"a pool at a DNAME's owner", "www DNAME a.example.\n", goodPool, ``},
		{"a pool at a wildcard", "", strings.Replace(goodPool, `"www"`, `"*.eu"`, 1), ``},
		{"address hints at a pool's name", "@ HTTPS 1 . alpn=h2 ipv4hint=192.0.2.1\n_8443._https SVCB 1 www ipv6hint=2001:db8::1\nother HTTPS 1 . ipv4hint=192.0.2.1\n@ HTTPS 2 . alpn=h2\n", goodPool, `
			zones/db:1: address hints at chat.test., where a pool answers: they would hold clients at a dead deployment (remove ipv4hint and ipv6hint)
			zones/db:2: address hints at www.chat.test., where a pool answers: they would hold clients at a dead deployment (remove ipv4hint and ipv6hint)`},
		{"address hints below a wildcard pool", "_1._https.a.eu SVCB 1 b.eu ipv4hint=192.0.2.1\n", strings.Replace(goodPool, `"www"`, `"*.eu"`, 1), `
			zones/db:1: address hints at b.eu.chat.test., where a pool answers: they would hold clients at a dead deployment (remove ipv4hint and ipv6hint)`},
		{"address hints at an alias of a pool's name", "@ HTTPS 1 . alpn=h2\nx HTTPS 1 one ipv4hint=192.0.2.1\none CNAME two\ntwo CNAME under.d\nd DNAME e\nunder.e CNAME www\n" +
			"y HTTPS 1 loop ipv4hint=192.0.2.1\nloop CNAME pool\npool CNAME loop\nz HTTPS 1 nowhere.example. ipv4hint=192.0.2.1\n", goodPool, `
			zones/db:2: address hints at one.chat.test., an alias of www.chat.test., where a pool answers: they would hold clients at a dead deployment (remove ipv4hint and ipv6hint)`},
		{"international names", "bücher A 192.0.2.1\nx CNAME bücher\n@ MX 10 bücher.example.\nb\\252cher A 192.0.2.1\nt TXT \"bücher\"\nxn--bcher-kva A 192.0.2.1\n", "", `
			zones/db:1: warning: bücher.chat.test. holds octets beyond ASCII, which nobody will ask for (write international names as xn--…, and other octets as \DDD)
			zones/db:2: warning: bücher.chat.test. holds octets beyond ASCII, which nobody will ask for (write international names as xn--…, and other octets as \DDD)
			zones/db:3: warning: bücher.example. holds octets beyond ASCII, which nobody will ask for (write international names as xn--…, and other octets as \DDD)`},
		{"types that are no data", "a ANY x\nb OPT x\nc TYPE250 \\# 0\nd TYPE0 \\# 0\n", "", `
			zones/db:1: "x" is no TTL, class or type
			zones/db:2: OPT records do not have a presentation format: " "
			zones/db:3: TSIG is no type of data: it exists in queries and messages only
			zones/db:4: TYPE0 is reserved: no data is of that type (RFC 6895 section 3.1)`},
		{"a reserved type", "a TYPE65535 \\# 0\n", "", `
			zones/db:1: TYPE65535 is reserved: no data is of that type (RFC 6895 section 3.1)`},
		{"another class", "a CH TXT \"x\"\n", "", `
			zones/db:1: class CH: livens serves class IN`},
		{"a TTL with the highest bit set", "a 2147483648 A 192.0.2.1\n", "", `
			zones/db:1: TTL 2147483648 is above 2147483647 (RFC 2181 section 8)`},
		{"records without data", "a A\nb TXT\nc TYPE65000 \\# 0\nd NULL \\# 0\ne A (\n)\n$TTL 5\nf A\n\ng A 192.0.2.1\n", "", `
			zones/db:1: a record without data
			zones/db:2: a record without data
			zones/db:6: an A record with bad data: the line's end
			zones/db:8: a record without data`},
		{"the last record without data", "a MX", "", `
			zones/db:1: a record without data`},
		{"unknown types", "a TYPE65000 \\# 4 01020304\na TYPE1 \\# 4 C0000201\n", "", ``},
		{"all wrong lines of a file", "a A 1\n\nb ( A\n 192.0.2.1\n bad )\nc A 192.0.2.1\nd MX x\n", "", `
			zones/db:1: an A record with bad data: "1"
			zones/db:5: garbage after rdata: "bad"
			zones/db:7: an MX record with bad Pref: "x"`},
		{"no owner", " A 192.0.2.1\n", "", `
			zones/db:1: has no owner, and no record before it has one`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, got := folderOf{"chat.toml": zoneHead + test.pools, "db": test.db}.validate(t)
			wantLines(t, got, test.want)
		})
	}
}

// TestPoolKeys is what can be wrong with a pool by itself.
func TestPoolKeys(t *testing.T) {
	head := strings.Replace(zoneHead, "zonefile = \"db\"\n", "records = []\n", 1)
	edit := func(pairs ...string) string { return strings.NewReplacer(pairs...).Replace(goodPool) }
	for _, test := range []struct{ name, pools, want string }{
		{"unknown key with a near one", edit("port = 80", "port = 80\nintervall = \"1s\""), `
			zones/chat.toml:12: pool.chat.check.intervall: unknown key (did you mean "interval"?)`},
		{"unknown key inside an array of tables", edit("addresses = [\"192.0.2.20\"]", "addreses = [\"192.0.2.20\"]"), `
			zones/chat.toml:15: pool.chat.deployment.b.addresses: is required (for example addresses = ["203.0.113.10", "2001:db8:1::10"])
			zones/chat.toml:17: pool.chat.deployment.b.addreses: unknown key (did you mean "addresses"?)`},
		{"wrong types, all at once", edit(`answers = ["@", "www"]`, "answers = \"@\"\nttl = \"10\"\nfailback_delay = 60\npolicy = 3", "port = 80", "port = 80.5\ninterval = true"), `
			zones/chat.toml:8: pool.chat.answers: wants a string list, got a string (for example answers = ["@", "www", "*.eu"])
			zones/chat.toml:9: pool.chat.ttl: wants an integer, got a string (for example ttl = 30)
			zones/chat.toml:10: pool.chat.failback_delay: wants a duration, got the integer 60 (if you mean seconds: failback_delay = "60s")
			zones/chat.toml:11: pool.chat.policy: wants a string, got the integer 3 (for example policy = "all-live")
			zones/chat.toml:14: pool.chat.check.port: wants an integer, got the float 80.5 (for example port = 8443)
			zones/chat.toml:15: pool.chat.check.interval: wants a duration, got the boolean true (for example interval = "5s")`},
		{"values out of range", edit("[pool.chat.check]", "ttl = 86401\nttl_min = 0\nmax_failbacks = 0\nfailback = \"delay\"\nfailback_delay = \"25h\"\n[pool.chat.check]", "port = 80", "port = 65536\ninterval = \"99ms\"\ntimeout = \"61s\"\nfall = 101\nrise = 0"), `
			zones/chat.toml:9: pool.chat.ttl: 86401 is out of range, want 1–86400
			zones/chat.toml:10: pool.chat.ttl_min: 0 is out of range, want 1–86400
			zones/chat.toml:11: pool.chat.max_failbacks: 0 is out of range, want 1–1000
			zones/chat.toml:13: pool.chat.failback_delay: 25h is out of range, want 0s–24h
			zones/chat.toml:16: pool.chat.check.port: 65536 is out of range, want 1–65535
			zones/chat.toml:17: pool.chat.check.interval: 99ms is out of range, want 100ms–1h
			zones/chat.toml:18: pool.chat.check.timeout: 61s is out of range, want 10ms–1m
			zones/chat.toml:19: pool.chat.check.fall: 101 is out of range, want 1–100
			zones/chat.toml:20: pool.chat.check.rise: 0 is out of range, want 1–100`},
		{"durations without unit and with nonsense", edit("port = 80", "port = 80\ninterval = \"5\"\ntimeout = \"soon\""), `
			zones/chat.toml:12: pool.chat.check.interval: "5" is no duration (a number and a unit: 200ms, 1.5s, 1m30s, 2h)
			zones/chat.toml:13: pool.chat.check.timeout: "soon" is no duration (a number and a unit: 200ms, 1.5s, 1m30s, 2h)`},
		{"an unknown word", edit("[pool.chat.check]", "policy = \"fail-over\"\nall_down = \"none\"\n[pool.chat.check]"), `
			zones/chat.toml:9: pool.chat.policy: unknown value "fail-over" (did you mean "failover"?)
			zones/chat.toml:10: pool.chat.all_down: unknown value "none" (one of last-good, primary, all)`},
		{"ttl_min above ttl", edit("[pool.chat.check]", "ttl = 4\nttl_min = 5\n[pool.chat.check]"), `
			zones/chat.toml:10: pool.chat.ttl_min: 5 is above ttl, 4`},
		{"fast_interval above interval", edit("port = 80", "port = 80\nfast_interval = \"2s\""), `
			zones/chat.toml:12: pool.chat.check.fast_interval: 2s is above interval, 1s`},
		{"no answers, no deployments", "[pool.chat]\nanswers = []\n[pool.chat.check]\ntype = \"icmp\"\n", `
			zones/chat.toml:7: pool.chat.deployment: is required (add a [[pool.chat.deployment]] table)
			zones/chat.toml:8: pool.chat.answers: is empty (for example answers = ["@", "www", "*.eu"])`},
		{"answers outside the zone and twice", edit(`answers = ["@", "www"]`, "answers = [\n\"@\",\n\"chat.test.\",\n\"www.example.com.\",\n\"a..b\"]"), `
			zones/chat.toml:10: pool.chat.answers.2: "chat.test." is given twice
			zones/chat.toml:11: pool.chat.answers.3: www.example.com. is outside the zone chat.test.
			zones/chat.toml:12: pool.chat.answers.4: "a..b" is no domain name ("@" is the zone itself)`},
		{"an answer with its final dot forgotten", edit(`"www"`, `"www.chat.test"`), `
			zones/chat.toml:8: warning: pool.chat.answers: answers at www.chat.test.chat.test. (add a final dot if the name is complete)`},
		{"addresses that are none", edit(`"192.0.2.10"`, `"192.0.2.300", "192.0.2.1:80", "fe80::1%eth0", "::", "224.0.0.1", 5`), `
			zones/chat.toml:14: pool.chat.deployment.a.addresses.1: "192.0.2.300" is no address (an IPv4 or IPv6 address, for example "203.0.113.10" or "2001:db8::10")
			zones/chat.toml:14: pool.chat.deployment.a.addresses.2: "192.0.2.1:80" has a port (the port belongs to the check)
			zones/chat.toml:14: pool.chat.deployment.a.addresses.3: "fe80::1%eth0" has a zone (DNS cannot carry an interface name)
			zones/chat.toml:14: pool.chat.deployment.a.addresses.4: :: is not the address of one host (an IPv4 or IPv6 address, for example "203.0.113.10" or "2001:db8::10")
			zones/chat.toml:14: pool.chat.deployment.a.addresses.5: 224.0.0.1 is not the address of one host (an IPv4 or IPv6 address, for example "203.0.113.10" or "2001:db8::10")
			zones/chat.toml:14: pool.chat.deployment.a.addresses.6: wants a string, got the integer 5 (an IPv4 or IPv6 address, for example "203.0.113.10" or "2001:db8::10")`},
		{"an address twice, once mapped", edit(`"192.0.2.10"`, `"192.0.2.10", "::ffff:192.0.2.10"`), `
			zones/chat.toml:14: pool.chat.deployment.a.addresses.2: 192.0.2.10 is given twice`},
		{"deployments of one name", edit(`name = "b"`, `name = "a"`), `
			zones/chat.toml:16: pool.chat.deployment.a.name: a deployment "a" was given before (names are unique in a pool)`},
		{"probe addresses that do not match", edit(`addresses = ["192.0.2.20"]`, "addresses = [\"192.0.2.20\"]\nprobe_addresses = [\"10.0.0.1\", \"10.0.0.2\"]"), `
			zones/chat.toml:18: pool.chat.deployment.b.probe_addresses: 2 for 1 addresses (give one for each of addresses, in order)`},
		{"a pool name with a dot", edit("pool.chat", `pool."a.b"`), `
			zones/chat.toml:7: pool.a.b: is no pool name (1–63 letters, digits, - and _)`},
		{"a gate without sync", edit("[pool.chat.check]", "failback = \"gated\"\n[pool.chat.check]"), `
			zones/chat.toml:9: pool.chat.failback: gated by what? the pool has no sync check (add a [pool.chat.sync] check, or use delay)`},
		{"sync without a gate", edit("[pool.chat.check]", "failback = \"auto\"\nsync = { type = \"icmp\" }\n[pool.chat.check]"), `
			zones/chat.toml:10: pool.chat.sync: has no meaning with failback = "auto" (set failback = "gated", or remove it)`},
		{"no check", "[pool.chat]\nanswers = [\"@\"]\ndeployment = [{name = \"a\", addresses = [\"192.0.2.1\"]}, {name = \"b\", addresses = [\"192.0.2.2\"]}]\n", `
			zones/chat.toml:7: pool.chat.check: is required (add a [pool.chat.check] table, or follow another pool)`},
		{"warnings", edit("[pool.chat.check]", "ttl = 61\npolicy = \"all-live\"\nfailback_delay = \"1s\"\n[pool.chat.check]", "port = 80", "port = 80\nfall = 1", `"192.0.2.20"`, `"2001:db8::1"`), `
			zones/chat.toml:9: warning: pool.chat.ttl: 61 s: clients stay on a dead deployment for more than a minute (10 is usual; a switch reaches clients after the TTL)
			zones/chat.toml:10: warning: pool.chat.policy: all-live on a chat pool: visitor and operator may reach different deployments ("failover" sends everybody to one)
			zones/chat.toml:11: warning: pool.chat.failback_delay: has no effect with failback = "auto"
			zones/chat.toml:15: warning: pool.chat.check.fall: 1: one failed probe switches everybody (fall = 2 sits out a single lost packet)
			zones/chat.toml:19: warning: pool.chat.deployment.b: has only IPv6 addresses, a has only IPv4: after a switch some clients find none (give all deployments addresses of the same families)`},
		{"a pool with one deployment", strings.SplitAfter(goodPool, "\"192.0.2.10\"]\n")[0], `
			zones/chat.toml:12: warning: pool.chat.deployment: the only deployment: there is nothing to switch to (add the redundant one)`},
		{"two deployments with one address", edit(`"192.0.2.20"`, `"192.0.2.10"`), `
			zones/chat.toml:15: warning: pool.chat.deployment.b: 192.0.2.10 belongs to deployment a too`},
		{"a follower with rules of its own", goodPool + "[pool.more]\nanswers = [\"more\"]\nfollow = \"chat\"\nfailback = \"auto\"\ncheck = {type = \"icmp\"}\n[[pool.more.deployment]]\nname = \"a\"\naddresses = [\"192.0.2.1\"]\nprobe_addresses = [\"10.0.0.1\"]\n[[pool.more.deployment]]\nname = \"b\"\naddresses = [\"192.0.2.2\"]\n", `
			zones/chat.toml:21: pool.more.failback: has no meaning beside follow: pool "chat" decides (remove it, or remove follow)
			zones/chat.toml:22: pool.more.check: has no meaning beside follow: pool "chat" decides (remove it, or remove follow)
			zones/chat.toml:23: pool.more.deployment.a.probe_addresses: has no meaning beside follow: the pool has no checks`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, got := folderOf{"chat.toml": head + test.pools}.validate(t)
			wantLines(t, got, test.want)
		})
	}
}

func TestDefaultsThatFollowOtherKeys(t *testing.T) {
	set, problems := folderOf{"chat.toml": strings.Replace(zoneHead, "zonefile = \"db\"\n", "", 1) + strings.Replace(goodPool, "[pool.chat.check]", "ttl = 3\n[pool.chat.check]", 1)}.validate(t)
	wantLines(t, problems, "")
	if p := set.Pools[0]; p.TTL != 3 || p.TTLMin != 3 || p.Failback != Auto || p.MaxFailbacks != 4 || p.AllDown != LastGood || p.FailbackDelay != time.Minute || p.Policy != Failover {
		t.Errorf("%+v", p)
	}
}

func TestSOAFromZoneKeys(t *testing.T) {
	for _, test := range []struct{ keys, want string }{
		{`contact = "first.last@example.com"`, `ns1.chat.test. first\.last.example.com. 0 3600 600 1209600 60`},
		{`contact = "h.example.com"`, `ns1.chat.test. h.example.com. 0 3600 600 1209600 60`},
		{"contact = \"h@example.com.\"\nprimary = \"hidden\"\nserial = 4294967295\nrefresh = 1\nretry = 2\nexpire = 3\nnegative_ttl = 0", `hidden.chat.test. h.example.com. 4294967295 1 2 3 0`},
	} {
		set, problems := folderOf{"z.toml": "[zone]\nname = \"Chat.test.\"\nttl = 7\nns = [\"ns1\", \"ns2.example.\"]\nrecords = [\"ns1 A 192.0.2.1\"]\n" + test.keys}.validate(t)
		wantLines(t, problems, "")
		want := "chat.test.\t7\tIN\tSOA\t" + test.want
		if got := set.Zones[0].Records[0].RR().String(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if fixed := strings.Contains(test.keys, "serial"); set.Zones[0].FixedSerial != fixed {
			t.Errorf("fixed serial: %v", set.Zones[0].FixedSerial)
		}
	}
}

func TestZoneKeys(t *testing.T) {
	for _, test := range []struct{ keys, want string }{
		{`name = "a b"`, `zones/z.toml:2: zone.name: "a b" is no domain name (for example name = "chat.example.com")`},
		{`name = "bücher.test"`, `zones/z.toml:2: zone.name: "bücher.test" is no domain name (for example name = "chat.example.com")`},
		{`name = "*.test"`, `zones/z.toml:2: zone.name: "*.test" is no domain name (for example name = "chat.example.com")`},
		{`name = 5`, `zones/z.toml:2: zone.name: wants a string, got the integer 5 (for example name = "chat.example.com")`},
		{`name = "a.test"`, `
			zones/z.toml:1: zone.contact: is required: the zone has no SOA record (for example contact = "hostmaster@example.com")
			zones/z.toml:1: zone.ns: the zone has no nameservers (for example ns = ["ns1", "ns2.example.net."])`},
		{"name = \"a.test\"\ncontact = \"@x\"\nns = [\"a..b\"]", `
			zones/z.toml:3: zone.contact: "@x" is no mail address (for example contact = "hostmaster@example.com")
			zones/z.toml:4: zone.ns.1: "a..b" is no domain name`},
		{"name = \"a.test\"\ncontact = \"h@x\"\nrecords = [\n\"@ NS ns.\",\n\"$GENERATE 1-2 a$ A 1.2.3.4\",\n\"a A 1.2.3.4\\nb A 1.2.3.4\",\n\"\",\n5]", `
			zones/z.toml:9: zone.records.5: wants a string, got the integer 5 (put it in quotes)
			`},
		{"name = \"a.test\"\ncontact = \"h@x\"\nrecords = [\n\"@ NS ns.\",\n\"$GENERATE 1-2 a$ A 1.2.3.4\",\n\"a A 1.2.3.4\\nb A 1.2.3.4\",\n\"\",\n\" A 1.2.3.4\"]", `
			zones/z.toml:6: directives belong in a zonefile
			zones/z.toml:7: holds more than one record
			zones/z.toml:8: holds no record
			zones/z.toml:9: has no owner, and no record before it has one`},
		{"name = \"a.test\"\nserial = 0\nzonefile = \"/etc/x\"\ncontact = \"h@x\"\nns = [\"ns.\"]", `
			zones/z.toml:3: zone.serial: 0 is out of range, want 1–4294967295
			zones/z.toml:4: zone.zonefile: "/etc/x" must be inside the zones folder (give it relative to this file)`},
	} {
		_, got := folderOf{"z.toml": "[zone]\n" + test.keys + "\n"}.validate(t)
		wantLines(t, got, test.want)
	}
}

// TestWords: a hint is one that can be followed.
func TestWords(t *testing.T) {
	_, problems := folderOf{
		"a.toml": "pool = 3\n[zone]\nname = \"\"\nzonefile = \"\"\nprimary = \"\"\n",
		"b.toml": "[zone]\nname = \"b.test\"\nns = [\"ns.elsewhere.test.\"]\ncontact = \"h@b.test\"\n[pool.\"*\"]\n",
	}.validate(t)
	wantLines(t, problems, `
		zones/a.toml:1: pool: wants tables by name, got the integer 3 (write [pool.NAME])
		zones/a.toml:3: zone.name: is empty (for example name = "chat.example.com")
		zones/a.toml:4: zone.zonefile: is empty (give a value, or leave the key out)
		zones/a.toml:5: zone.primary: is empty (leave the key out for the default)
		zones/b.toml:5: pool.*: is no pool name (1–63 letters, digits, - and _)`)
}
