// Package dnsserver answers DNS queries from compiled zones and decisions.
//
// compile turns a failover.Publication into packed answers, answer is a pure function from snapshot and query bytes
// to response bytes, and the listeners only move bytes. The query path reads one atomic pointer: no lock, no log
// line, no allocation, no health look-up.
package dnsserver

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/livens/livens/failover"
	"github.com/livens/livens/zones"
)

// Options are what a Server is made of.
type Options struct {
	Config zones.DNSConfig  // within the bounds documented there
	Name   string           // of this nameserver: CHAOS hostname.bind, unless Config.NSID is empty
	Listen []netip.AddrPort // UDP and TCP; port 0: the kernel chooses one, the same for both
	Log    *slog.Logger
}

// Server is the authoritative nameserver. Until the first Publish it answers SERVFAIL, with the extended error "Not
// Ready" of RFC 8914.
type Server struct {
	options Options
	live    atomic.Pointer[snapshot]
	change  sync.Mutex // over replacing live, and what follows
	ready   prepared   // for the Set that is published next
	ids     zoneIDs
	panics  *panicLog
	shared  *stats   // of all TCP connections
	workers []*stats // of UDP readers, XDP queues, and shared
	tcp     *connections
	openUDP opener
	sockets []*socket
	express []*express
}

// New makes a server that listens nowhere yet. Its cookie secret is a random one until ReloadCookies. An error names
// the setting that is wrong.
func New(o Options) (*Server, error) {
	if len(o.Config.NSID) > zones.MaxNSID {
		return nil, fmt.Errorf("nsid is %d octets long: at most %d fit into every response", len(o.Config.NSID), zones.MaxNSID)
	}
	s := &Server{
		options: o,
		ids:     zoneIDs{names: []string{""}, ids: map[string]int{"": 0}},
		panics:  &panicLog{log: o.Log},
		shared:  &stats{transport: tcp},
		tcp:     newConnections(o.Config.TCPLimit, o.Config.TCPPerClient),
		openUDP: openUDP(o.Log, o.Config.UDPSize),
	}
	s.workers = []*stats{s.shared}
	s.live.Store(&snapshot{settings: &settings{config: o.Config, hostname: o.Name, cookies: newCookieJar(), now: time.Now}})
	return s, nil
}

// Publish makes the query path answer from pub: all of it from one moment on. It is for one goroutine, the
// controller's. Zones that are new and were not given to Prepare are compiled first.
func (s *Server) Publish(pub failover.Publication) {
	s.change.Lock()
	defer s.change.Unlock()
	old := s.live.Load()
	next, err := old.next(pub, s.ready, s.ids.id)
	if err != nil {
		s.options.Log.Error("part of the zone data cannot be answered", "error", err)
	}
	s.live.Store(next)
	if next.table != old.table {
		s.ready = nil
		s.forgetRemoved(next)
	}
}

// forgetRemoved drops the counters of zones that live has not: with many zones that come and go they would pile up. It is called with change held.
func (s *Server) forgetRemoved(live *snapshot) {
	kept := make(map[int]bool, len(live.served))
	for _, v := range live.served {
		kept[v.id] = true
	}
	for _, w := range s.workers {
		w.forget(kept)
	}
}

// ReloadCookies reads the cookie secrets of Config.CookieFile, for the first time or again. An error changes nothing.
// Without a file there is nothing to read.
func (s *Server) ReloadCookies() error {
	if s.options.Config.CookieFile == "" {
		return nil
	}
	secrets, err := zones.CookieSecrets(s.options.Config.CookieFile)
	if err != nil {
		return err
	}
	s.change.Lock()
	defer s.change.Unlock()
	old := s.live.Load()
	fresh := *old.settings
	fresh.cookies = &cookieJar{secrets}
	s.live.Store(old.withSettings(&fresh))
	return nil
}

// Listen binds all UDP and TCP sockets, and opens the network interfaces of Config.XDP as far as that works. Its error is one line that says what to do; nothing stays bound then.
func (s *Server) Listen() error {
	for _, addr := range s.options.Listen {
		sock, err := bind(addr, s.openUDP, runtime.GOMAXPROCS(0))
		if err != nil {
			for _, bound := range s.sockets {
				bound.close()
			}
			s.sockets = nil
			return err
		}
		_ = limitUnread(sock.tcp, s.options.Config.TCPIdle) // without it memory is freed later, no more
		s.sockets = append(s.sockets, sock)
	}
	s.openExpress()
	return nil
}

// Addrs are the addresses bound, in the order of Options.Listen.
func (s *Server) Addrs() []netip.AddrPort {
	var addrs []netip.AddrPort
	for _, sock := range s.sockets {
		addrs = append(addrs, sock.addr)
	}
	return addrs
}

// Serve answers until ctx is done, then finishes what was read and closes all sockets. Listen comes first.
func (s *Server) Serve(ctx context.Context) error {
	var readers sync.WaitGroup
	for _, sock := range s.sockets {
		for _, d := range sock.udp {
			w := s.hireWorker()
			readers.Go(func() { d.serve(w) })
		}
		readers.Go(func() { s.serveTCP(ctx, sock.tcp) })
	}
	for _, e := range s.express {
		readers.Go(func() { e.serve(ctx) })
	}
	<-ctx.Done()
	for _, sock := range s.sockets {
		sock.stop()
	}
	s.tcp.stop()
	readers.Wait()
	s.tcp.wait()
	for _, sock := range s.sockets {
		sock.close()
	}
	return nil
}

// newWorker is a worker for one query at a time that counts into st.
func (s *Server) newWorker(st *stats) *worker {
	// Many a worker for TCP is gone before it has answered as many queries as there are to one that is timed.
	turn := rand.UintN(latencySample)
	return &worker{live: &s.live, stats: st, panics: s.panics, scratch: newScratch(), requests: make([]request, 1), turn: turn}
}

// hireWorker is a worker for UDP, for many queries at a time, with counters of its own.
func (s *Server) hireWorker() *worker {
	w := s.newWorker(&stats{transport: udp})
	w.requests = make([]request, ahead)
	s.change.Lock()
	defer s.change.Unlock()
	s.workers = append(s.workers, w.stats)
	return w
}

// counted is what a scrape sums up.
func (s *Server) counted() (workers []*stats, zoneNames []string) {
	s.change.Lock()
	defer s.change.Unlock()
	return s.workers[:len(s.workers):len(s.workers)], s.ids.all()
}
