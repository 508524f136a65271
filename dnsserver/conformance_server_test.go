package dnsserver_test

import (
	"context"
	"log/slog"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/livens/livens/dnsserver"
	"github.com/livens/livens/failover"
	"github.com/livens/livens/internal/peertest"
	"github.com/livens/livens/zones"
)

// nameserver is livens' query path on a real socket, with zones that were loaded as an operator's are.
type nameserver struct {
	addr   netip.AddrPort
	server *dnsserver.Server
	set    *zones.Set
	epoch  uint64
	chosen map[string]*failover.Decision
}

// serve starts livens with the files of a zones folder, by name, and [dns] settings. Every pool answers from its first
// deployment.
func serve(t *testing.T, dnsSection string, files map[string]string) *nameserver {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "livens.toml"), "name = \"ns1\"\nstate = \"state\"\n[dns]\n"+dnsSection)
	for name, text := range files {
		write(t, filepath.Join(dir, "zones", name), text)
	}
	config, problems := zones.LoadConfig(filepath.Join(dir, "livens.toml"))
	set, more := zones.NewLoader().Load(config)
	if wrong := append(problems.Errors(), more.Errors()...); len(wrong) > 0 {
		t.Fatal(wrong)
	}
	server, err := dnsserver.New(dnsserver.Options{
		Config: config.DNS,
		Name:   config.Name,
		Listen: []netip.AddrPort{netip.AddrPortFrom(peertest.Loopback, 0)},
		Log:    slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	if err == nil {
		err = server.ReloadCookies()
	}
	if err != nil {
		t.Fatal(err)
	}
	n := &nameserver{server: server, set: set, chosen: make(map[string]*failover.Decision)}
	for _, pool := range set.Pools {
		n.decide(pool, pool.Deployments[0])
	}
	n.publish()
	n.run(t)
	return n
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// run serves until the test ends.
func (n *nameserver) run(t *testing.T) {
	t.Helper()
	if err := n.server.Listen(); err != nil {
		t.Fatal(err)
	}
	n.addr = n.server.Addrs()[0]
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- n.server.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func (n *nameserver) decide(pool *zones.Pool, to *zones.Deployment) {
	n.epoch++
	n.chosen[pool.Name] = &failover.Decision{
		Pool:      pool.Name,
		Active:    []string{to.Name},
		Addresses: to.Addresses,
		TTL:       pool.TTL,
		Epoch:     n.epoch,
		Since:     time.Now(),
		Reason:    "the test says so",
	}
}

// publish hands all decisions to the query path.
func (n *nameserver) publish() {
	serials := make(map[string]uint32)
	for _, zone := range n.set.Zones {
		if !zone.FixedSerial {
			serials[zone.Name] = uint32(n.epoch)
		}
	}
	n.server.Publish(failover.Publication{Set: n.set, Decisions: maps.Clone(n.chosen), Serials: serials})
}

// switchTo makes a pool answer from another of its deployments.
func (n *nameserver) switchTo(t *testing.T, pool, deployment string) {
	t.Helper()
	p := n.set.Pool(pool)
	if p == nil || p.Deployment(deployment) == nil {
		t.Fatalf("no deployment %s in pool %s", deployment, pool)
	}
	n.decide(p, p.Deployment(deployment))
	n.publish()
}

// peerZones are the zones that livens and its peers serve side by side.
var peerZones = []peertest.Zone{
	{Name: "example.test.", File: "testdata/conformance/example.test.zone"},
	{Name: "child.example.test.", File: "testdata/conformance/child.example.test.zone"},
	{Name: "dname.test.", File: "testdata/conformance/dname.test.zone"},
}

// servePeerZones serves the zones that the peers serve, from the same zone files.
func servePeerZones(t *testing.T) netip.AddrPort {
	t.Helper()
	files := make(map[string]string)
	for _, zone := range peerZones {
		text, err := os.ReadFile(zone.File)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(zone.Name, ".")
		files["db."+name] = string(text)
		files[name+".toml"] = "[zone]\nname = \"" + name + "\"\nzonefile = \"db." + name + "\"\n"
	}
	return serve(t, "", files).addr
}
