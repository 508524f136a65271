package zones

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
	"github.com/livens/livens/internal/durable"
)

// keptConfig is the last good livens.toml's name in the state folder.
const keptConfig = "livens.toml"

// LoadConfig reads livens.toml. Paths in it are relative to its folder. There is always a Config: with errors it
// holds what could be read and defaults for the rest, so that its State tells where the last good copy is. Of a file
// with a syntax error, lines before the first table are read one by one.
func LoadConfig(path string) (*Config, Problems) {
	file, err := filepath.Abs(path)
	if err != nil {
		file = path
	}
	shown := filepath.Base(file)
	data, err := readConfig(file)
	if err != nil {
		c, _ := parseConfig(file, shown, nil)
		return c, Problems{{File: path, Message: plainError(err), Hint: "--config names another file"}}
	}
	return parseConfig(file, shown, data)
}

// readConfig reads a configuration file, which need not be a regular one.
func readConfig(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, maxTOML+1))
	return data, errors.Join(err, f.Close())
}

// KeepConfig copies the livens.toml that c was read from, as it was then, into the state folder. It makes the folder
// if need be, and writes only what changed.
func KeepConfig(c *Config) error {
	kept := filepath.Join(c.State, keptConfig)
	if old, err := os.ReadFile(kept); err == nil && bytes.Equal(old, c.source) {
		return nil
	}
	if err := os.MkdirAll(c.State, 0o750); err != nil {
		return err
	}
	return durable.WriteFile(kept, c.source, 0o600)
}

// LastGoodConfig reads the livens.toml that KeepConfig kept in the state folder of broken. Its paths are relative to
// broken's folder, and its File is broken's. With errors, among them that nothing was kept, the Config is nil.
func LastGoodConfig(broken *Config) (*Config, Problems) {
	kept := filepath.Join(broken.State, keptConfig)
	data, err := readConfig(kept)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, Problems{{File: kept, Message: "there is no last good copy of livens.toml"}}
	}
	if err != nil {
		return nil, Problems{{File: kept, Message: plainError(err)}}
	}
	c, problems := parseConfig(broken.File, kept, data)
	if len(problems.Errors()) > 0 {
		return nil, problems
	}
	return c, problems
}

// parseConfig reads a configuration's text; shown is its name in problems.
func parseConfig(file, shown string, data []byte) (*Config, Problems) {
	r := &report{}
	raw, at := decode(r, shown, data)
	if raw == nil {
		raw, at = salvage(data), nil
	}
	s := newSection(r, shown, "", configKeys(), raw, at, "")
	dir := filepath.Dir(file)
	c := &Config{
		File:   file,
		Name:   get[string](s, "name"),
		Listen: readListens(s),
		Zones:  resolve(dir, get[string](s, "zones")),
		State:  resolve(dir, get[string](s, "state")),
		Strict: get[bool](s, "strict"),
		source: data,
	}
	if c.Name == "" {
		c.Name = hostName()
	}
	if strings.ContainsFunc(c.Name, func(r rune) bool { return r <= ' ' || r > '~' || r == '(' || r == ')' }) {
		s.errorf("name", "letters, digits, - and .", "%q holds characters that cannot be in a host name", clip(c.Name))
		c.Name = hostName()
	}
	c.HTTP = readHTTPConfig(s.sub("http"))
	c.DNS = readDNSConfig(s.sub("dns"), c.Name, dir)
	c.Log = readLogConfig(s.sub("log"))
	c.Checker = readCheckerConfig(s.sub("checker"))
	c.Site = get[string](s, "site")
	if s.sound("cluster") {
		c.Cluster = readCluster(s.sub("cluster"), c.Name, dir)
	}
	c.Hooks = readHooks(s, dir)
	if s.sound("moderator") {
		c.Moderator = readModerator(s.sub("moderator"), dir)
	}
	return c, r.list(shown)
}

// salvage reads the single lines before the first table of a document that is no TOML as a whole.
func salvage(data []byte) map[string]any {
	out := map[string]any{}
	for line := range strings.Lines(string(data)) {
		if strings.HasPrefix(strings.TrimSpace(line), "[") || len(line) > 4096 {
			break
		}
		var one map[string]any
		if _, err := toml.Decode(line, &one); err != nil {
			continue
		}
		for name, value := range one {
			if k := find(configKeys(), name); k != nil && k.keys == nil {
				out[name] = value
			}
		}
	}
	return out
}

func hostName() string {
	name, err := os.Hostname()
	if err != nil || name == "" {
		return "localhost"
	}
	return name
}

// resolve returns the absolute path that an operator means in a file in dir.
func resolve(dir, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

func readListens(s *section) []netip.AddrPort {
	list := get[[]netip.AddrPort](s, "listen")
	checkTwice(s, list)
	if list != nil && len(list) == 0 && !s.sound("cluster") {
		if !s.has("cluster") {
			s.errorf("listen", "a witness needs a [cluster] section; leave the key out for the default", "is empty: nobody is answered")
		}
		list = nil
	}
	if list == nil {
		for _, addr := range find(s.keys, "listen").def.([]string) {
			list = append(list, netip.MustParseAddrPort(addr))
		}
	}
	return list
}

// checkTwice reports what is twice in the section's listen.
func checkTwice(s *section, list []netip.AddrPort) {
	for i, addr := range list {
		if slices.Contains(list[:i], addr) {
			s.elementf("listen", i, "", "%s is given twice", addr)
		}
	}
}

func readHTTPConfig(s *section) HTTPConfig {
	if s.sound("listen") {
		return HTTPConfig{get[netip.AddrPort](s, "listen")}
	}
	return HTTPConfig{netip.MustParseAddrPort(find(s.keys, "listen").def.(string))}
}

// MaxXDP bounds DNSConfig.XDP.
const MaxXDP = 16

// MaxNSID bounds DNSConfig.NSID, in octets. It keeps header, question and OPT record of any response within 512 octets.
const MaxNSID = 128

func readDNSConfig(s *section, name, dir string) DNSConfig {
	c := DNSConfig{
		NSID:         name[:min(len(name), MaxNSID)],
		Version:      get[string](s, "version"),
		CookieFile:   resolve(dir, get[string](s, "cookie_file")),
		DebugNames:   get[bool](s, "debug_names"),
		UDPSize:      int(get[int64](s, "udp_size")),
		XDP:          get[[]string](s, "xdp"),
		TCPIdle:      get[time.Duration](s, "tcp_idle"),
		TCPLimit:     int(get[int64](s, "tcp_connections")),
		TCPPerClient: int(get[int64](s, "tcp_per_client")),
	}
	for i, name := range c.XDP {
		if slices.Contains(c.XDP[:i], name) {
			s.elementf("xdp", i, "", "%q is given twice", name)
		}
	}
	if s.sound("nsid") {
		c.NSID = get[string](s, "nsid")
	}
	if c.TCPPerClient > c.TCPLimit {
		if s.sound("tcp_per_client") {
			s.errorf("tcp_per_client", "", "%d is above tcp_connections, %d", c.TCPPerClient, c.TCPLimit)
		}
		c.TCPPerClient = c.TCPLimit
	}
	return c
}

func readLogConfig(s *section) LogConfig {
	return LogConfig{Format: get[string](s, "format"), Level: get[string](s, "level")}
}

func readCheckerConfig(s *section) CheckerConfig {
	return CheckerConfig{MaxProbes: int(get[int64](s, "max_probes")), MaxExec: int(get[int64](s, "max_exec"))}
}

// zonesLabel is the zones folder as problems name it: relative to livens.toml's folder where it is inside.
func (c *Config) zonesLabel() string {
	relative, err := filepath.Rel(filepath.Dir(c.File), c.Zones)
	if err != nil || !filepath.IsLocal(relative) {
		return c.Zones
	}
	return filepath.ToSlash(relative)
}

// StateProblem says that the state folder cannot keep something. Nothing is refused for it.
func StateProblem(state string, err error) Problem {
	hint := "free space or make it writable; until then nothing outlives a restart after a bad edit"
	return Problem{Warning: true, File: state, Message: fmt.Sprintf("last good versions cannot be kept: %s", plainError(err)), Hint: hint}
}
