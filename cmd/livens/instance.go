package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/livens/livens/checker"
	"github.com/livens/livens/client"
	"github.com/livens/livens/cluster"
	"github.com/livens/livens/dnsserver"
	"github.com/livens/livens/events"
	"github.com/livens/livens/failover"
	"github.com/livens/livens/web"
	"github.com/livens/livens/zones"
)

// instance is one running nameserver: the rooms, wired.
type instance struct {
	config  *zones.Config
	log     *slog.Logger
	started time.Time
	version string

	checker    *checker.Checker
	dns        *dnsserver.Server
	controller *failover.Controller
	cluster    *cluster.Node // nil: the only nameserver
	events     *events.Log
	teller     *events.Teller
	reloader   *reloader
	watcher    *watcher
	notices    *notices
	web        *web.Server
	moderator  *public      // nil: there is no public listener
	control    net.Listener // nil: there is no control socket

	httpAddr atomic.Pointer[string] // where the private listener is, "" while it is nowhere
	release  func()                 // gives up the state folder
}

// newInstance takes the state folder and binds the DNS sockets. Nothing runs yet.
func newInstance(path string, config *zones.Config, log *slog.Logger, level *slog.LevelVar) (*instance, error) {
	in := &instance{
		config: config, log: log, started: time.Now(), version: readBuild().Version, notices: newNotices(), release: func() {},
	}
	if err := in.claim(); err != nil {
		return nil, err
	}
	if err := in.listen(); err != nil {
		in.release()
		return nil, err
	}
	in.openEvents()
	in.moderator = newPublic(config.Moderator, client.Script(), in.notices, log)
	in.joinCluster()
	in.checker = checker.New(checker.Options{
		Name: config.Name, Version: in.version, MaxProbes: config.Checker.MaxProbes, MaxExec: config.Checker.MaxExec, Log: log,
		Heard: in.heard,
	})
	in.controller = failover.NewController(in.controllerOptions())
	in.teller = events.NewTeller(events.Options{
		Name: config.Name, Version: in.version, Log: in.events, Hooks: config.Hooks, May: in.tells, Start: in.startCommand, Logger: log,
	})
	in.reloader = &reloader{
		path: path, loader: zones.NewLoader(), controller: in.controller, dns: in.dns, teller: in.teller, moderator: in.moderator, notices: in.notices,
		level: level, log: log,
	}
	in.web = web.New(web.Options{
		Status: in.status, Explain: in.explain, Order: in.order, Foresee: in.foresee, Events: in.events.Last,
		DNS: in.dns.Collector(), Log: log,
		Reload: func() *web.Reload { return in.reloader.reload("livens reload") },
	})
	return in, nil
}

func (in *instance) controllerOptions() failover.Options {
	o := failover.Options{
		Name: in.config.Name, State: in.config.State, Checker: in.checker, Observers: in.observers(), Publish: in.dns.Publish,
		Tell: in.told, Happened: in.happened, Log: in.log,
	}
	if c := in.config.Cluster; c != nil {
		o.TieHold = c.TieHold
	}
	return o
}

// claim makes the state folder this process's own and opens the control socket in it. Only another live process is an
// error: without a usable folder the server answers all the same, and says what is missing.
func (in *instance) claim() error {
	state := in.config.State
	err := os.MkdirAll(state, 0o700)
	if err == nil {
		in.release, err = web.Claim(state)
	}
	if errors.Is(err, web.ErrTaken) {
		return err
	}
	if err == nil {
		in.control, err = web.Control(context.Background(), state)
	}
	if err != nil {
		in.notices.raise(codeNoControl, "livens status, failover, drain, reload and explain", err.Error(),
			"correct the state folder and restart; until then SIGHUP reloads")
		in.log.Error("no control socket: livens status, failover and so on will not work", "error", err)
	}
	if in.release == nil {
		in.release = func() {}
	}
	return nil
}

// listen binds the DNS sockets.
func (in *instance) listen() (err error) {
	in.dns, err = dnsserver.New(dnsserver.Options{Config: in.config.DNS, Name: in.config.Name, Listen: in.config.Listen, Log: in.log})
	if err != nil {
		return err
	}
	if err := in.dns.Listen(); err != nil {
		return err
	}
	spareProcessor()
	return nil
}

// run serves until ctx is done, or until a room ends by itself: then it returns why, so that the service manager
// starts a sound process instead.
func (in *instance) run(ctx context.Context, read reading, signals <-chan os.Signal) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var rooms sync.WaitGroup
	room := func(name string, run func(context.Context) error) {
		rooms.Go(func() {
			err := run(ctx)
			if ctx.Err() == nil {
				cancel(fmt.Errorf("%s ended by itself: %w", name, errors.Join(err, errEnded)))
			}
		})
	}
	room("checker", in.checker.Run)
	room("controller", in.controller.Run)
	room("events", in.keepEvents)
	if in.cluster != nil {
		in.cluster.Serving(in.addresses())
		room("cluster", func(ctx context.Context) error { return in.cluster.Run(ctx, in.checker) })
	}
	if !in.reloader.begin(ctx, read) {
		stopped := ctx.Err() != nil
		cancel(nil)
		in.wait(&rooms)
		if stopped {
			return nil
		}
		return in.nothingToServe()
	}
	room("DNS server", in.dns.Serve)
	room("hooks", func(ctx context.Context) error { in.teller.Run(ctx); return nil })
	room("private listener", in.serveHTTP)
	room("public listener", in.moderator.run)
	room("alerts", in.logAlerts)
	if in.control != nil {
		room("control socket", func(ctx context.Context) error { return in.web.ServeControl(ctx, in.control) })
	}
	in.watcher = newWatcher(in.reloader.running.Load, in.reloader.reloadIfChanged, in.log)
	room("file watch", in.watcher.run)
	rooms.Go(in.reloader.keepFirst)
	room("SIGHUP", func(ctx context.Context) error { return in.reloadOn(ctx, signals) })
	in.announce()
	<-ctx.Done()
	in.log.Info("stopping")
	_ = notify("STOPPING=1")
	in.wait(&rooms)
	if cause := context.Cause(ctx); errors.Is(cause, errEnded) {
		return cause
	}
	return nil
}

// stopLimit is how long rooms may take to finish what they are at; a disk that hangs does not keep the process.
const stopLimit = 10 * time.Second

func (in *instance) wait(rooms *sync.WaitGroup) {
	done := make(chan struct{})
	go func() { rooms.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(stopLimit):
		in.log.Error("something does not end: stopping without it", "after", stopLimit)
	}
}

var errEnded = errors.New("livens stops, to be started anew")

func (in *instance) nothingToServe() error {
	problems := in.reloader.last.Load().Problems.Errors()
	if len(problems) == 0 {
		return errors.New("there is no zone to serve")
	}
	return fmt.Errorf("there is no zone to serve: %s", summary(problems))
}

func (in *instance) announce() {
	set := in.controller.Status().Set
	in.log.Info("serving", "name", in.config.Name, "version", in.version, "dns", in.dns.Addrs(),
		"zones", len(set.Zones), "pools", len(set.Pools), "state", in.config.State)
	if err := notify("READY=1"); err != nil {
		in.log.Warn("the service manager cannot be told", "error", err)
	}
}

func (in *instance) reloadOn(ctx context.Context, signals <-chan os.Signal) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-signals:
			in.reloader.reload("SIGHUP")
		}
	}
}

// httpRetry is how often the private listener is tried again: DNS does not wait for it.
const httpRetry = 5 * time.Second

// serveHTTP serves metrics, page and API until ctx is done.
func (in *instance) serveHTTP(ctx context.Context) error {
	where := in.config.HTTP.Listen
	if !where.IsValid() {
		off := "off"
		in.httpAddr.Store(&off)
		<-ctx.Done()
		return nil
	}
	for ctx.Err() == nil {
		err := in.listenHTTP(ctx, where.String())
		if err == nil {
			continue
		}
		in.notices.raise(codeNoHTTP, "metrics, status page and API", err.Error(),
			fmt.Sprintf("free the port or change [http] listen and restart; tried again every %v", httpRetry))
		in.log.Error("private listener: DNS is answered all the same", "error", err, "retry", httpRetry)
		select {
		case <-ctx.Done():
		case <-time.After(httpRetry):
		}
	}
	return nil
}

func (in *instance) listenHTTP(ctx context.Context, where string) error {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", where)
	if err != nil {
		return err
	}
	bound := l.Addr().String()
	in.httpAddr.Store(&bound)
	in.notices.clear(codeNoHTTP)
	in.log.Info("status page, metrics and API", "url", "http://"+bound+"/")
	defer in.httpAddr.Store(nil)
	return in.web.Serve(ctx, l)
}

// addresses are where DNS is answered, as bound.
func (in *instance) addresses() []string {
	var out []string
	for _, a := range in.dns.Addrs() {
		out = append(out, a.String())
	}
	return out
}

func (in *instance) close() { in.release() }
