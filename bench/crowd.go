package main

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/livens/livens/internal/process"
	"github.com/livens/livens/internal/stage"
)

// crowd are nameservers that agree, or a lone one.
type crowd struct {
	members []*stage.Nameserver
	askers  []*stage.Asker
	gossip  uint16 // the port of their cluster's sockets
}

// gather starts as many nameservers with the same zone, and waits until they have found each other.
func (b *bench) gather(size int, zone string) (_ *crowd, err error) {
	c := &crowd{members: make([]*stage.Nameserver, size)}
	defer func() {
		if err != nil {
			c.stop()
		}
	}()
	configs, err := b.configs(c, size)
	if err != nil {
		return nil, err
	}
	for i, config := range configs { // one after the other: a machine that starts all at once is not at rest for long
		files := map[string]string{"bench.test.toml": zone}
		if c.members[i], err = stage.StartNameserver(b.ctx, b.binary, b.folder(), config, files, nil); err != nil {
			return nil, err
		}
		a, err := c.members[i].Asker()
		if err != nil {
			return nil, err
		}
		c.askers = append(c.askers, a)
	}
	return c, process.Await(b.ctx, 60*time.Second, func() error {
		time.Sleep(lookPause)
		return c.met(b)
	})
}

// lookPause is how often nameservers that are to find each other are looked at: their status costs them time.
const lookPause = time.Second

// configs are the livens.toml of each.
func (b *bench) configs(c *crowd, size int) ([]string, error) {
	addrs, configs := make([]netip.Addr, size), make([]string, size)
	for i := range addrs {
		addrs[i] = netip.AddrFrom4([4]byte{127, 0, 1, byte(i + 1)})
	}
	var err error
	if c.gossip, err = process.FreePort(addrs...); err != nil {
		return nil, err
	}
	key, err := b.key()
	if err != nil {
		return nil, err
	}
	for i, own := range addrs {
		configs[i] = fmt.Sprintf("name = \"ns%d\"\nlisten = [\"%s:0\"]\n[http]\nlisten = \"127.0.0.1:0\"\n", i+1, own)
		var peers []string
		for _, other := range addrs {
			if other != own {
				peers = append(peers, fmt.Sprintf("\"%s:%d\"", other, c.gossip))
			}
		}
		if len(peers) > 0 {
			configs[i] += fmt.Sprintf("[cluster]\nlisten = \"%s:%d\"\npeers = [%s]\nkey_file = %q\n", own, c.gossip, strings.Join(peers, ", "), key)
		}
	}
	return configs, nil
}

// key is the file with the cluster's key.
func (b *bench) key() (string, error) {
	path := filepath.Join(b.dir, "cluster.key")
	line, err := exec.CommandContext(b.ctx, b.binary, "key", "cluster").Output()
	if err != nil {
		return "", fmt.Errorf("livens key cluster: %w", err)
	}
	return path, os.WriteFile(path, line, 0o600)
}

// met reports nil once each has heard all others.
func (c *crowd) met(b *bench) error {
	if len(c.members) == 1 {
		return nil
	}
	for i, n := range c.members {
		status, err := n.Client.Status(b.ctx)
		if err != nil {
			return err
		}
		if got := status.Cluster.Reach; got < len(c.members) {
			return fmt.Errorf("nameserver %d reaches %d of %d", i+1, got, len(c.members))
		}
	}
	return nil
}

// askPause is how often a nameserver is asked: seven that are asked without a pause would have nothing else to do.
const askPause = 3 * time.Millisecond

// moments waits until every member's answer for pool i is right, and says how long after began each was first seen so.
func (c *crowd) moments(b *bench, i int, began time.Time, right func(netip.Addr) bool) ([]float64, error) {
	took, errs := make([]float64, len(c.members)), make([]error, len(c.members))
	var looking sync.WaitGroup
	for k, asker := range c.askers {
		looking.Go(func() {
			errs[k] = process.Await(b.ctx, 15*time.Second, func() error {
				a, err := answer(asker, i)
				if err == nil && !right(a) {
					time.Sleep(askPause)
					err = fmt.Errorf("nameserver %d still answers %v for pool %d", k+1, a, i)
				}
				return err
			})
			took[k] = time.Since(began).Seconds()
		})
	}
	looking.Wait()
	return took, errors.Join(errs...)
}

func (c *crowd) stop() {
	for _, a := range c.askers {
		a.Close()
	}
	var stopped sync.WaitGroup
	for _, n := range c.members {
		if n != nil {
			stopped.Go(n.Stop)
		}
	}
	stopped.Wait()
}
