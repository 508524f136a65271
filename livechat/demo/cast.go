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

	"github.com/livens/livens/client"
	"github.com/livens/livens/internal/process"
	"github.com/livens/livens/internal/stage"
	"github.com/livens/livens/livechat/rig"
)

//go:embed chat.example.com.toml
var zoneText string

//go:embed livens.toml
var nameserverText string

//go:embed livechat.toml
var deploymentText string

const (
	poolName = "chat"
	zoneName = "chat.example.com"
)

// cast is everybody who plays: five processes, each behind a path of its own, and the shop's web site.
type cast struct {
	dir              string
	livens, livechat string // binaries
	page             string // the demo's own, which may show the shop in a frame

	Token       string // the operator's
	Client      client.Config
	nameservers []*nameserver
	deployments []*deployment
	site        *site
}

// ports are chosen once, so that who is revived is where it was.
type ports struct {
	Chat, DNS, Gossip, Moderator uint16
}

// Loopback has room for every host: what everybody knows is where the paths listen, and the processes are behind.
var (
	deploymentAt   = []string{"127.0.0.1", "127.0.0.2"}
	deploymentIs   = []string{"127.0.0.21", "127.0.0.22"}
	nameserverAt   = []string{"127.0.0.11", "127.0.0.12", "127.0.0.13"}
	nameserverIs   = []string{"127.0.0.31", "127.0.0.32", "127.0.0.33"}
	sites          = []string{"fra", "ams", "lon"}
	deploymentName = []string{"primary", "redundant"}
)

// prepare chooses ports and writes files. Nothing is started.
func (c *cast) prepare(livens, livechat, page string) (err error) {
	c.livens, c.livechat, c.page, c.Token = livens, livechat, page, "demo-operators-have-no-secrets"
	p := ports{}
	var errs [4]error
	p.Chat, errs[0] = freePort(deploymentAt, deploymentIs)
	p.DNS, errs[1] = freePort(nameserverAt, nameserverIs)
	p.Gossip, errs[2] = freePort(nameserverIs)
	p.Moderator, errs[3] = freePort(nameserverAt, nameserverIs)
	if err := errors.Join(errs[:]...); err != nil {
		return err
	}
	c.configure(p)
	if c.site, err = newSite(c); err != nil {
		return err
	}
	key, err := exec.Command(livens, "key", "cluster").Output()
	if err != nil {
		return fmt.Errorf("livens key cluster: %w", err)
	}
	secrets := map[string]string{"cluster.key": string(key), "link.secret": "demo-links-have-no-secrets\n", "operator.token": c.Token + "\n"}
	for name, text := range secrets {
		if err := os.WriteFile(filepath.Join(c.dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return c.people(p)
}

// configure is what the script on the shop's pages knows. A visitor's browser does not ask the demo's nameservers, so the
// service's own name stands for the primary.
func (c *cast) configure(p ports) {
	url := func(host string) string { return fmt.Sprintf("ws://%s:%d/chat", host, p.Chat) }
	c.Client = client.Config{Pool: poolName, URL: url(deploymentAt[0])}
	for i, name := range deploymentName {
		c.Client.Deployments = append(c.Client.Deployments, client.Deployment{ID: name, URLs: []string{url(deploymentAt[i])}})
	}
	for _, host := range nameserverAt {
		c.Client.Moderators = append(c.Client.Moderators, fmt.Sprintf("http://%s:%d", host, p.Moderator))
	}
}

// people makes the actors and opens the paths to them.
func (c *cast) people(p ports) error {
	for i, name := range deploymentName {
		d := &deployment{actor: actor{Name: name, Site: sites[i]}, cast: c, Addr: at(deploymentIs[i], p.Chat), Known: at(deploymentAt[i], p.Chat)}
		d.launch = d.start
		c.deployments = append(c.deployments, d)
		if err := d.open(d.Known, d.Addr, false); err != nil {
			return err
		}
	}
	for i, site := range sites {
		n := &nameserver{
			actor: actor{Name: fmt.Sprintf("ns%d", i+1), Site: site}, cast: c,
			DNS: at(nameserverIs[i], p.DNS), Known: at(nameserverAt[i], p.DNS), Gossip: at(nameserverIs[i], p.Gossip), Moderator: at(nameserverIs[i], p.Moderator),
		}
		for j, other := range nameserverIs {
			if j != i {
				n.Peers = append(n.Peers, at(other, p.Gossip))
			}
		}
		n.launch = n.start
		c.nameservers = append(c.nameservers, n)
		if err := errors.Join(n.open(n.Known, n.DNS, true), n.open(at(nameserverAt[i], p.Moderator), n.Moderator, false)); err != nil {
			return err
		}
	}
	return nil
}

func (a *actor) open(known, is netip.AddrPort, datagrams bool) error {
	p, err := rig.NewPath(known, is, datagrams)
	if err == nil {
		a.paths = append(a.paths, p)
	}
	return err
}

// start starts all at once.
func (c *cast) start(ctx context.Context) error {
	all := c.actors()
	errs := make([]error, len(all))
	var started sync.WaitGroup
	for i, a := range all {
		started.Go(func() { errs[i] = a.act(ctx, doRevive) })
	}
	started.Wait()
	return errors.Join(errs...)
}

func (c *cast) actors() (all []*actor) {
	for _, d := range c.deployments {
		all = append(all, &d.actor)
	}
	for _, n := range c.nameservers {
		all = append(all, &n.actor)
	}
	return all
}

// end ends all.
func (c *cast) end() {
	for _, a := range c.actors() {
		a.end()
	}
	if c.site != nil {
		c.site.close()
	}
}

func at(host string, port uint16) netip.AddrPort {
	return netip.AddrPortFrom(netip.MustParseAddr(host), port)
}

func freePort(hosts ...[]string) (uint16, error) {
	var addrs []netip.Addr
	for _, list := range hosts {
		for _, host := range list {
			addrs = append(addrs, netip.MustParseAddr(host))
		}
	}
	return process.FreePort(addrs...)
}

// nameserver is a livens.
type nameserver struct {
	actor
	cast                          *cast
	DNS, Known, Gossip, Moderator netip.AddrPort // Known is where it is asked
	Peers                         []netip.AddrPort
}

func (n *nameserver) Key() string { return filepath.Join(n.cast.dir, "cluster.key") }

func (n *nameserver) start(ctx context.Context) (running, error) {
	config, err1 := fill(nameserverText, n)
	zone, err2 := fill(zoneText, struct{ Port uint16 }{n.cast.deployments[0].Known.Port()})
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	return stage.StartNameserver(ctx, n.cast.livens, filepath.Join(n.cast.dir, n.Name), config, map[string]string{zoneName + ".toml": zone}, nil)
}

// process returns the running livens; nil: it is killed.
func (n *nameserver) process() *stage.Nameserver {
	run, _ := n.now()
	ns, _ := run.(*stage.Nameserver)
	return ns
}

func fill(text string, values any) (string, error) {
	var out strings.Builder
	err := template.Must(template.New("").Parse(text)).Execute(&out, values)
	return out.String(), err
}
