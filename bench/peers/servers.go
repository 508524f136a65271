package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// server is one nameserver: how it is configured and started, on one core, without rate limits, logs and statistics.
type server struct {
	name    string
	program string
	// configure writes what the server reads into dir, and returns its arguments.
	configure func(s *site) ([]string, error)
	xdp       bool // it takes UDP queries from the network interface, which it has to itself
}

// site is what a server is to serve, and where.
type site struct {
	dir   string // its own folder
	port  int
	zones []zone
	wire  *wire

	command string // and its args: how the server is started here
	args    []string
}

// zone is a name and a zone file.
type zone struct{ name, file string }

func (z zone) bare() string { return strings.TrimSuffix(z.name, ".") }

func (s *site) write(name, format string, args ...any) (string, error) {
	path := filepath.Join(s.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", err
	}
	return path, os.WriteFile(path, fmt.Appendf(nil, format, args...), 0o644)
}

// each is a piece of configuration for each zone: its name and its file.
func (s *site) each(format string) string {
	var b strings.Builder
	for _, z := range s.zones {
		fmt.Fprintf(&b, format, z.bare(), z.file)
	}
	return b.String()
}

// servers are livens and its peers.
func (c *contest) servers() []server {
	return []server{
		{livens, c.binary, configureLivens, false},
		{livensXDP, c.binary, configureLivens, true},
		{"gdnsd", "gdnsd", configureGdnsd, false},
		{"NSD", "nsd", configureNSD, false},
		{"Knot", "knotd", configureKnot, false},
		{"Knot XDP", "knotd", configureKnot, true},
		{"PowerDNS", "pdns_server", configurePowerDNS, false},
		{"BIND", "named", configureBIND, false},
	}
}

const (
	livens    = "livens"
	livensXDP = "livens XDP"
)

// poolTOML is the pool that livens has where the others have a record.
const poolTOML = `[zone]
name = "pool.test"
ns = ["ns1.pool.test."]
contact = "hostmaster@pool.test"
records = ["ns1 A 10.77.0.1"]
[pool.chat]
answers = ["chat"]
ttl = 10
[pool.chat.check]
type = "static"
state = "up"
[[pool.chat.deployment]]
name = "primary"
addresses = ["192.0.2.10"]
[[pool.chat.deployment]]
name = "redundant"
addresses = ["192.0.2.20"]
`

func configureLivens(s *site) ([]string, error) {
	for _, z := range s.zones {
		text := fmt.Sprintf("[zone]\nname = %q\nzonefile = %q\n", z.bare(), filepath.Base(z.file))
		if z.name == poolZone {
			text = poolTOML
		}
		path, err := s.write("zones/"+z.bare()+".toml", "%s", text)
		if err != nil {
			return nil, err
		}
		if err := os.Link(z.file, filepath.Join(filepath.Dir(path), filepath.Base(z.file))); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
	}
	config, err := s.write("livens.toml", "name = \"ns1\"\nlisten = [\"%s:%d\"]\nstate = %q\n[http]\nlisten = \"127.0.0.1:0\"\n%s", serverAddr, s.port, s.state(), s.wire.ifXDP("[dns]\nxdp = [\"eth0\"]\n"))
	return []string{"serve", "--config", config}, err
}

// state is livens' state folder.
func (s *site) state() string { return filepath.Join(s.dir, "state") }

func configureGdnsd(s *site) ([]string, error) {
	zones := filepath.Join(s.dir, "zones")
	if err := os.MkdirAll(zones, 0o755); err != nil {
		return nil, err
	}
	for _, z := range s.zones {
		if err := os.Symlink(z.file, filepath.Join(zones, z.bare())); err != nil {
			return nil, err
		}
	}
	_, err := s.write("config", `options => {
  listen => "%s:%d"
  udp_threads => 1
  tcp_threads => 1
  max_edns_response => 1232
  run_dir => %q
  state_dir => %q
}
`, serverAddr, s.port, filepath.Join(s.dir, "run"), filepath.Join(s.dir, "state"))
	return []string{"-c", s.dir, "start"}, err
}

func configureNSD(s *site) ([]string, error) {
	config, err := s.write("config", `server:
    ip-address: %[1]s@%[2]d
    server-count: 1
    username: ""
    chroot: ""
    database: ""
    zonesdir: %[3]q
    pidfile: ""
    xfrdfile: "%[3]s/xfrd.state"
    zonelistfile: "%[3]s/zone.list"
    xfrdir: %[3]q
    tcp-count: 200
    rrl-ratelimit: 0
    rrl-whitelist-ratelimit: 0
remote-control:
    control-enable: no
%[4]s`, serverAddr, s.port, s.dir, s.each("zone:\n    name: %q\n    zonefile: %q\n"))
	return []string{"-d", "-c", config}, err
}

func configureKnot(s *site) ([]string, error) {
	config, err := s.write("config", `server:
    rundir: %[3]q
    listen: "%[1]s@%[2]d"
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
%[5]sdatabase:
    storage: %[3]q
template:
  - id: default
    storage: %[3]q
    zonefile-sync: -1
    zonefile-load: whole
    journal-content: none
zone:
%[4]s`, serverAddr, s.port, s.dir, s.each("  - domain: %q\n    file: %q\n"), s.wire.ifXDP(fmt.Sprintf("xdp:\n    listen: \"eth0@%d\"\n", s.port)))
	return []string{"-c", config}, err
}

func configurePowerDNS(s *site) ([]string, error) {
	bind, err := s.write("bind.conf", "%s", s.each("zone %q { type master; file %q; };\n"))
	if err != nil {
		return nil, err
	}
	_, err = s.write("pdns.conf", `launch=bind
bind-config=%s
local-address=%s
local-port=%d
socket-dir=%s
guardian=no
daemon=no
write-pid=no
receiver-threads=1
distributor-threads=1
loglevel=1
security-poll-suffix=
max-tcp-connections=1000
`, bind, serverAddr, s.port, s.dir)
	return []string{"--config-dir=" + s.dir}, err
}

func configureBIND(s *site) ([]string, error) {
	config, err := s.write("named.conf", `options {
  directory %[3]q;
  listen-on port %[2]d { %[1]s; };
  listen-on-v6 { none; };
  pid-file none;
  session-keyfile none;
  recursion no;
  minimal-responses yes;
  allow-transfer { none; };
  notify no;
  dnssec-validation no;
  tcp-clients 1000;
};
controls { };
%[4]s`, serverAddr, s.port, s.dir, s.each("zone %q { type primary; file %q; };\n"))
	return []string{"-f", "-n", "1", "-c", config}, err
}

// unconfined copies a program into dir: AppArmor knows programs by their path, and would keep some from reading there.
func unconfined(program, dir string) (string, error) {
	path, err := exec.LookPath(program)
	if err != nil {
		return "", fmt.Errorf("%s is not installed: run scripts/test-tools.sh bench", program)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	copied := filepath.Join(dir, filepath.Base(path))
	return copied, os.WriteFile(copied, text, 0o755)
}
