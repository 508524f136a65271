package peertest

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// Zone is one zone file to serve.
type Zone struct {
	Name string // fully qualified
	File string // absolute path, or relative to the test's folder
}

// Knot starts knotd with the zones. It answers at most 1232 bytes over UDP, and identifies itself as "knot".
func Knot(t testing.TB, zones ...Zone) *Peer {
	t.Helper()
	return knot(t, "", "", zones)
}

// KnotWithCookies is Knot with DNS cookies (RFC 9018) by a secret of 32 hex digits; every query over UDP whose server
// cookie is not good gets BADCOOKIE.
func KnotWithCookies(t testing.TB, secret string, zones ...Zone) *Peer {
	t.Helper()
	module := fmt.Sprintf("mod-cookies:\n  - id: default\n    secret: 0x%s\n    badcookie-slip: 1\n", secret)
	return knot(t, module, "    global-module: mod-cookies/default\n", zones)
}

// knot starts knotd with further sections, and further settings of all zones.
func knot(t testing.TB, sections, settings string, zones []Zone) *Peer {
	t.Helper()
	return authoritative(t, "knotd", zones, func(dir string, addr netip.AddrPort, zones []Zone, config *strings.Builder) []string {
		fmt.Fprintf(config, `server:
    rundir: %[1]q
    listen: "%[2]s@%[3]d"
    identity: "knot"
    nsid: "knot"
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
    udp-max-payload: 1232
database:
    storage: %[1]q
log:
  - target: stderr
    any: info
%[4]stemplate:
  - id: default
    storage: %[1]q
    zonefile-sync: -1
    zonefile-load: whole
    journal-content: none
%[5]szone:
`, dir, addr.Addr(), addr.Port(), sections, settings)
		for _, zone := range zones {
			fmt.Fprintf(config, "  - domain: %q\n    file: %q\n", zone.Name, zone.File)
		}
		return []string{"-c", filepath.Join(dir, "config")}
	})
}

// NSD starts nsd with the zones, with its default limits for answers and without a rate limit.
func NSD(t testing.TB, zones ...Zone) *Peer {
	t.Helper()
	return authoritative(t, "nsd", zones, func(dir string, addr netip.AddrPort, zones []Zone, config *strings.Builder) []string {
		fmt.Fprintf(config, `server:
    ip-address: %[2]s@%[3]d
    server-count: 1
    username: ""
    chroot: ""
    database: ""
    zonesdir: %[1]q
    pidfile: ""
    xfrdfile: "%[1]s/xfrd.state"
    zonelistfile: "%[1]s/zone.list"
    xfrdir: %[1]q
    ipv4-edns-size: 1232
    minimal-responses: yes
    rrl-ratelimit: 0
    rrl-whitelist-ratelimit: 0
remote-control:
    control-enable: no
`, dir, addr.Addr(), addr.Port())
		for _, zone := range zones {
			fmt.Fprintf(config, "zone:\n    name: %q\n    zonefile: %q\n", zone.Name, zone.File)
		}
		return []string{"-d", "-c", filepath.Join(dir, "config")}
	})
}

// authoritative starts a server whose configuration is one file; it is ready once it answers for all zones.
func authoritative(t testing.TB, tool string, zones []Zone,
	configure func(dir string, addr netip.AddrPort, zones []Zone, config *strings.Builder) []string) *Peer {
	t.Helper()
	zones = slices.Clone(zones)
	for i := range zones {
		path, err := filepath.Abs(zones[i].File)
		if err != nil {
			t.Fatal(err)
		}
		zones[i].File = path
	}
	return Start(t, Spec{
		Tool: tool,
		Setup: func(dir string, addr netip.AddrPort) ([]string, error) {
			var config strings.Builder
			args := configure(dir, addr, zones, &config)
			return args, os.WriteFile(filepath.Join(dir, "config"), []byte(config.String()), 0o600)
		},
		Ready: func(addr netip.AddrPort) error {
			for _, zone := range zones {
				if err := Answers(addr, zone.Name, dns.TypeSOA); err != nil {
					return err
				}
			}
			return nil
		},
	})
}

// Answers asks once over UDP, RD set, and reports nil when the reply is NOERROR and its answer section is not empty.
func Answers(addr netip.AddrPort, name string, qtype uint16) error {
	query := new(dns.Msg).SetQuestion(dns.Fqdn(name), qtype)
	client := dns.Client{Timeout: time.Second}
	reply, _, err := client.Exchange(query, addr.String())
	switch {
	case err != nil:
		return err
	case reply.Rcode != dns.RcodeSuccess:
		return fmt.Errorf("%s %s: %s", name, dns.TypeToString[qtype], dns.RcodeToString[reply.Rcode])
	case len(reply.Answer) == 0:
		return fmt.Errorf("%s %s: no answer", name, dns.TypeToString[qtype])
	}
	return nil
}
