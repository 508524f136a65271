// Package deployment puts the parts of a deployment together and runs them.
package deployment

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/livens/livens/livechat/chat"
	"github.com/livens/livens/livechat/config"
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
	server   *server.Server
}

// Open listens and opens the database. version is what the two deployments compare.
func Open(c *config.Config, version string, log *slog.Logger) (*Deployment, error) {
	l, err := listen(c)
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

func (d *Deployment) build(version string) (err error) {
	c := d.config
	d.hub = chat.New(chat.Options{
		Name: c.Name, Peer: c.PeerName, Store: d.store, Operator: c.OperatorOf, Ask: func() {},
		Burst: c.Limits.Burst, Rate: c.Limits.Rate, AttachRate: c.Limits.AttachRate, Log: d.log,
	}, nil)
	var shown http.Handler
	if c.Client.URL != "" { // without it a page would not know where to connect
		if shown, err = pages.Handler(c.Client); err != nil {
			return err
		}
	}
	d.server, err = server.New(server.Options{
		Hub: d.hub, Store: d.store, Synced: func() error { return nil }, Client: c.Client, Pages: shown,
		Origins: c.Origins, URLs: c.Client.URLs(), Log: d.log,
	})
	return err
}

// Addr is where it listens: host:port.
func (d *Deployment) Addr() string { return d.listener.Addr().String() }

// Run serves until ctx is done, and then closes everything.
func (d *Deployment) Run(ctx context.Context) error {
	inner, cancel := context.WithCancel(ctx)
	var parts sync.WaitGroup
	parts.Go(func() { d.ticking(inner) })
	err := d.server.Serve(inner, d.listener)
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

func listen(c *config.Config) (net.Listener, error) {
	l, err := net.Listen("tcp", c.Listen)
	if err != nil || c.Cert == "" {
		return l, err
	}
	pair, err := tls.LoadX509KeyPair(c.Cert, c.Key)
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	// WebSockets need HTTP/1.1.
	return tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{pair}, NextProtos: []string{"http/1.1"}}), nil
}
