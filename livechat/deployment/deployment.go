// Package deployment puts the parts of a deployment together and runs them.
package deployment

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/livens/livens/livechat/chat"
	"github.com/livens/livens/livechat/config"
	"github.com/livens/livens/livechat/frame"
	"github.com/livens/livens/livechat/link"
	"github.com/livens/livens/livechat/moderator"
	"github.com/livens/livens/livechat/pages"
	"github.com/livens/livens/livechat/server"
	"github.com/livens/livens/livechat/store"
)

// Deployment listens, and serves once Run is called.
type Deployment struct {
	config   *config.Config
	log      *slog.Logger
	listener net.Listener
	store    *store.Store
	hub      *chat.Hub
	link     *link.Link         // nil: alone
	watcher  *moderator.Watcher // nil: no Moderators
	server   *server.Server

	certificate *certificate // nil: plain HTTP
}

// Open listens and opens the database. version is what the two deployments compare.
func Open(c *config.Config, version string, log *slog.Logger) (*Deployment, error) {
	l, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return nil, err
	}
	db, err := store.Open(c.Data, log)
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	d := &Deployment{config: c, log: log, listener: l, store: db}
	if err := d.build(version); err != nil {
		return nil, errors.Join(err, l.Close(), db.Close())
	}
	log.Info("listening", "addr", l.Addr().String(), "name", c.Name, "version", version, "settings", c.Settings())
	return d, nil
}

// errAlone keeps livens from bringing traffic back, on a mistake, to a deployment that has not got what was written elsewhere.
var errAlone = errors.New("this deployment has no peer in livechat.toml, so that nobody knows whether another one holds the same: " +
	"set peer, or take [pool.NAME.sync] out of the pool")

func (d *Deployment) build(version string) (err error) {
	c := d.config
	ask, relay := func() {}, func(any) {}
	if len(c.Moderators) > 0 {
		if d.watcher, err = d.newWatcher(); err != nil {
			return err
		}
		ask = d.watcher.Ask
	}
	if c.Peer != "" {
		relay = func(f any) { d.link.Relay(f) }
	}
	d.hub = chat.New(chat.Options{
		Name: c.Name, Peer: c.PeerName, Store: d.store, Operator: c.OperatorOf, Ask: ask,
		Burst: c.Limits.Burst, Rate: c.Limits.Rate, AttachRate: c.Limits.AttachRate, PerAddress: c.Limits.PerAddress, Log: d.log,
	}, relay)
	options := server.Options{
		Hub: d.hub, Store: d.store, Client: c.Client, Origins: c.Origins, URLs: c.Client.URLs(), Log: d.log,
		Synced: func() error { return errAlone },
	}
	if c.Peer != "" {
		if err := d.newLink(version); err != nil {
			return err
		}
		options.Link, options.Synced = d.link, d.link.Synced
	}
	if c.Client.URL != "" { // without it a page would not know where to connect
		if options.Pages, err = pages.Handler(c.Client); err != nil {
			return err
		}
	}
	if c.Cert != "" {
		if d.certificate, err = openCertificate(c.Cert, c.Key, d.log); err != nil {
			return err
		}
		options.Certificate = d.certificate.show
	}
	d.server, err = server.New(options)
	return err
}

func (d *Deployment) newWatcher() (*moderator.Watcher, error) {
	c := d.config
	transport, err := transport(c.ModeratorCA)
	if err != nil {
		return nil, err
	}
	known := []string{c.Name}
	if c.PeerName != "" {
		known = append(known, c.PeerName)
	}
	return moderator.New(moderator.Options{
		Pool: c.Pool, Moderators: c.Moderators, Known: known, Transport: transport, Log: d.log,
		Tell: func(v moderator.View) { d.hub.SetView(v) },
	}), nil
}

func (d *Deployment) newLink(version string) error {
	c := d.config
	transport, err := transport(c.PeerCA)
	if err != nil {
		return err
	}
	d.link = link.New(link.Options{
		Name: c.Name, Peer: c.PeerName, URL: c.Peer, Secret: c.Secret, Client: &http.Client{Transport: transport},
		Build: frame.Build{Version: version, Settings: c.Settings()}, Hub: d.hub, Store: d.store, Log: d.log,
	})
	return nil
}

// transport reaches servers whose certificates a file of authorities vouches for; "": the system's.
func transport(ca string) (*http.Transport, error) {
	t := &http.Transport{TLSHandshakeTimeout: 5 * time.Second, IdleConnTimeout: 30 * time.Second}
	if ca == "" {
		return t, nil
	}
	text, err := os.ReadFile(ca)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s holds no certificate", ca)
	}
	t.TLSClientConfig = &tls.Config{RootCAs: pool}
	return t, nil
}

// Addr is where it listens: host:port.
func (d *Deployment) Addr() string { return d.listener.Addr().String() }

// Run serves until ctx is done, and then closes everything.
func (d *Deployment) Run(ctx context.Context) error {
	inner, cancel := context.WithCancel(context.WithoutCancel(ctx)) // the link outlives the clients
	var parts sync.WaitGroup
	parts.Go(func() { d.ticking(inner) })
	if d.config.Backup.Every > 0 {
		parts.Go(func() { d.backups(inner) })
	}
	if d.certificate != nil {
		parts.Go(func() { d.certificate.watch(inner) })
	}
	if d.link != nil {
		parts.Go(func() { d.link.Run(inner) })
	}
	if d.watcher != nil {
		parts.Go(func() { d.watcher.Run(inner) })
	}
	err := d.server.Serve(ctx, d.listener)
	cancel()
	parts.Wait()
	return errors.Join(err, d.store.Close())
}

func (d *Deployment) ticking(ctx context.Context) {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			d.hub.Tick()
		case <-ctx.Done():
			return
		}
	}
}
