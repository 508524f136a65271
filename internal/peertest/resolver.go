package peertest

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// UnboundOptions say how unbound resolves.
type UnboundOptions struct {
	Stubs map[string]netip.AddrPort // where the zones' nameservers are, by zone name
	Probe string                    // a name below a stub with an A record: unbound is ready once it resolves
	Lines []string                  // further lines of the server section
}

// Unbound starts a resolver that asks the stubs, minimising names strictly (RFC 9156), randomising case
// (draft-vixie-dnsext-dns0x20), without validation, and that hands on additional data.
func Unbound(t testing.TB, options UnboundOptions) *Peer {
	t.Helper()
	return Start(t, Spec{
		Tool: "unbound",
		Setup: func(dir string, addr netip.AddrPort) ([]string, error) {
			file := filepath.Join(dir, "config")
			return []string{"-d", "-c", file}, os.WriteFile(file, []byte(unboundConfig(dir, addr, options)), 0o600)
		},
		Ready: func(addr netip.AddrPort) error { return Answers(addr, options.Probe, dns.TypeA) },
	})
}

func unboundConfig(dir string, addr netip.AddrPort, options UnboundOptions) string {
	var config strings.Builder
	fmt.Fprintf(&config, `server:
    interface: %s@%d
    directory: %q
    username: ""
    chroot: ""
    pidfile: ""
    use-syslog: no
    logfile: ""
    verbosity: 1
    num-threads: 1
    do-ip6: no
    do-not-query-localhost: no
    module-config: "iterator"
    qname-minimisation: yes
    qname-minimisation-strict: yes
    use-caps-for-id: yes
    minimal-responses: no
    access-control: 127.0.0.0/8 allow
    local-zone: "test." nodefault
`, addr.Addr(), addr.Port(), dir)
	for _, line := range options.Lines {
		fmt.Fprintf(&config, "    %s\n", line)
	}
	config.WriteString("remote-control:\n    control-enable: no\n")
	for zone, stub := range options.Stubs {
		fmt.Fprintf(&config, "stub-zone:\n    name: %q\n    stub-addr: %s@%d\n", zone, stub.Addr(), stub.Port())
	}
	return config.String()
}

// NamedOptions say how named resolves.
type NamedOptions struct {
	Root  netip.AddrPort // a server of the root zone; every other nameserver must listen on the same port
	Probe string         // a name with an A record: named is ready once it resolves
	Lines []string       // further statements at the top level
}

// Named starts BIND as a resolver that iterates from the root, minimising names strictly (RFC 9156), sending cookies
// (RFC 7873), without validation, and that hands on additional data.
func Named(t testing.TB, options NamedOptions) *Peer {
	t.Helper()
	return Start(t, Spec{
		Tool: "named",
		Setup: func(dir string, addr netip.AddrPort) ([]string, error) {
			hints := fmt.Sprintf(". 3600000 NS root.\nroot. 3600000 A %s\n", options.Root.Addr())
			if err := os.WriteFile(filepath.Join(dir, "hints"), []byte(hints), 0o600); err != nil {
				return nil, err
			}
			file := filepath.Join(dir, "config")
			return []string{"-g", "-n", "1", "-c", file}, os.WriteFile(file, []byte(namedConfig(dir, addr, options)), 0o600)
		},
		Ready: func(addr netip.AddrPort) error { return Answers(addr, options.Probe, dns.TypeA) },
	})
}

// namedConfig sets the global port, which is where named sends its queries; it listens on another one.
func namedConfig(dir string, addr netip.AddrPort, options NamedOptions) string {
	return fmt.Sprintf(`options {
    directory %[1]q;
    pid-file none;
    lock-file none;
    session-keyfile none;
    port %[4]d;
    listen-on port %[3]d { %[2]s; };
    listen-on-v6 { none; };
    recursion yes;
    allow-query { 127.0.0.0/8; };
    dnssec-validation no;
    qname-minimization strict;
    send-cookie yes;
    minimal-responses no;
    empty-zones-enable no;
};
controls { };
zone "." { type hint; file "hints"; };
server ::/0 { bogus yes; };
%[5]s
`, dir, addr.Addr(), addr.Port(), options.Root.Port(), strings.Join(options.Lines, "\n"))
}
