package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"text/template"

	"github.com/livens/livens/internal/process"
	"github.com/livens/livens/internal/stage"
)

//go:embed chat.example.com.toml
var zoneText string

//go:embed livens.toml
var configText string

// server is one of the three nameservers, and how it is started.
type server struct {
	Name, Site   string
	DNS, Cluster netip.AddrPort
	Peers        []netip.AddrPort
	Key          string

	dir  string
	zone map[string]string
	ns   *stage.Nameserver // nil before the first start
	eye  *eye
}

// raise starts the deployments and prepares the nameservers, which are not started yet.
func raise(ctx context.Context, binary, dir string) (*story, error) {
	s := &story{binary: binary, names: map[netip.Addr]string{}}
	one, two := netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("127.0.0.2")
	port, err := process.FreePort(one, two)
	if err != nil {
		return nil, err
	}
	s.primary = &stage.Deployment{Name: "primary", Addr: netip.AddrPortFrom(one, port)}
	s.redundant = &stage.Deployment{Name: "redundant", Addr: netip.AddrPortFrom(two, port)}
	s.names[one], s.names[two] = s.primary.Name, s.redundant.Name
	if err := errors.Join(s.primary.Start(ctx), s.redundant.Start(ctx), s.prepare(dir)); err != nil {
		s.strike()
		return nil, err
	}
	return s, nil
}

// prepare makes the key, and chooses where the nameservers are: ports that stay the same when one of them returns.
func (s *story) prepare(dir string) error {
	zone, err := fill(zoneText, struct{ Port uint16 }{s.primary.Addr.Port()})
	if err != nil {
		return err
	}
	key := filepath.Join(dir, "cluster.key")
	line, err := exec.Command(s.binary, "key", "cluster").Output()
	if err == nil {
		err = os.WriteFile(key, line, 0o600)
	}
	if err != nil {
		return fmt.Errorf("livens key cluster: %w", err)
	}
	addrs := []netip.Addr{netip.MustParseAddr("127.0.0.11"), netip.MustParseAddr("127.0.0.12"), netip.MustParseAddr("127.0.0.13")}
	dns, err1 := process.FreePort(addrs...)
	gossip, err2 := process.FreePort(addrs...)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	for i, site := range []string{"fra", "ams", "lon"} {
		addr := addrs[i]
		n := &server{
			Name: fmt.Sprintf("ns%d", i+1), Site: site, DNS: netip.AddrPortFrom(addr, dns), Cluster: netip.AddrPortFrom(addr, gossip), Key: key,
			zone: map[string]string{name + ".toml": zone},
		}
		n.dir = filepath.Join(dir, n.Name)
		for _, other := range addrs {
			if other != addr {
				n.Peers = append(n.Peers, netip.AddrPortFrom(other, gossip))
			}
		}
		s.servers = append(s.servers, n)
	}
	return nil
}

// start starts the nameserver and waits until it is ready.
func (n *server) start(ctx context.Context, binary string) error {
	config, err := fill(configText, n)
	if err != nil {
		return err
	}
	ns, err := stage.StartNameserver(ctx, binary, n.dir, config, n.zone, nil)
	if err == nil {
		n.ns = ns
	}
	return err
}

// startAll starts the nameservers at once.
func (s *story) startAll(ctx context.Context) error {
	errs := make([]error, len(s.servers))
	var started sync.WaitGroup
	for i, n := range s.servers {
		started.Go(func() { errs[i] = n.start(ctx, s.binary) })
	}
	started.Wait()
	return errors.Join(errs...)
}

// strike ends every process.
func (s *story) strike() {
	for _, n := range s.servers {
		if n.ns != nil {
			n.ns.Stop()
		}
	}
	s.primary.Kill()
	s.redundant.Kill()
}

func fill(text string, values any) (string, error) {
	var out strings.Builder
	err := template.Must(template.New("").Parse(text)).Execute(&out, values)
	return out.String(), err
}
