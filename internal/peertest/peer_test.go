package peertest_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/livens/livens/internal/peertest"
	"github.com/miekg/dns"
)

const zoneText = `$ORIGIN example.test.
@ 300 SOA ns1 hostmaster 1 3600 600 86400 60
@ 300 NS ns1
ns1 300 A 127.0.0.1
www 300 A 192.0.2.1
`

func zoneFile(t *testing.T) peertest.Zone {
	t.Helper()
	path := filepath.Join(t.TempDir(), "db")
	if err := os.WriteFile(path, []byte(zoneText), 0o600); err != nil {
		t.Fatal(err)
	}
	return peertest.Zone{Name: "example.test.", File: path}
}

func TestAuthoritativePeers(t *testing.T) {
	for name, start := range map[string]func(testing.TB, ...peertest.Zone) *peertest.Peer{
		"knotd": peertest.Knot,
		"nsd":   peertest.NSD,
	} {
		t.Run(name, func(t *testing.T) {
			peer := start(t, zoneFile(t))
			if err := peertest.Answers(peer.Addr, "www.example.test.", dns.TypeA); err != nil {
				t.Error(err)
			}
		})
	}
}
