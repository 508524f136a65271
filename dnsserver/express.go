package dnsserver

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/livens/livens/internal/xdp"
)

// xdpRetry is how long it takes at most to notice that an interface is there again.
const xdpRetry = 2 * time.Second

// express takes the UDP queries of one network interface past the kernel's stack (XDP). They are answered as all others are, and where
// that does not work, the sockets have them.
type express struct {
	server *Server
	name   string
	mu     sync.Mutex     // over link being replaced, and lost
	link   *xdp.Interface // nil: not now
	lost   uint64         // datagrams that found no room, at links that are closed
	crew   []*worker      // one for each queue; kept, with their counters, while the interface is away
	said   string         // the trouble told last
	up     atomic.Bool
}

func (s *Server) openExpress() {
	for _, name := range s.options.Config.XDP {
		e := &express{server: s, name: name}
		e.open()
		s.express = append(s.express, e)
	}
}

func (e *express) open() {
	link, err := xdp.Open(e.name, e.server.Addrs())
	if err != nil {
		e.trouble(err)
		return
	}
	for len(e.crew) < link.Queues() {
		e.crew = append(e.crew, e.server.hireWorker())
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.link, e.said = link, ""
	e.server.options.Log.Info("UDP queries are taken from the network interface itself", "interface", e.name, "queues", link.Queues())
}

func (e *express) trouble(err error) {
	if e.said != err.Error() {
		e.said = err.Error()
		e.server.options.Log.Warn("XDP does not work now: sockets answer instead", "error", err,
			"hint", "look at dns.xdp; docs/configuration.md says what it needs; livens tries again every 2s")
	}
}

// serve answers until ctx is done, also when the interface goes and comes back.
func (e *express) serve(ctx context.Context) {
	for {
		if e.link != nil {
			e.up.Store(true)
			err := e.link.Serve(ctx, e.handlers())
			e.up.Store(false)
			e.close()
			if err != nil {
				e.trouble(errors.New(e.name + ": " + err.Error()))
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(xdpRetry):
			e.open()
		}
	}
}

func (e *express) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.lost += e.link.Overflow()
	e.link.Close()
	e.link = nil
}

// overflow is how many datagrams found no room.
func (e *express) overflow() uint64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.link == nil {
		return e.lost
	}
	return e.lost + e.link.Overflow()
}

func (e *express) handlers() (all []xdp.Handler) {
	for _, w := range e.crew {
		all = append(all, xdp.Handler{
			Ahead: ahead,
			Read: func(i int, query []byte, sender netip.Addr) {
				w.read(i, query, peer{address: sender})
			},
			Answer:    w.answer,
			Malformed: &w.stats.drops[dropMalformed],
			Unsent:    &w.stats.drops[dropSend],
		})
	}
	return all
}
