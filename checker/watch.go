package checker

import (
	"context"
	"errors"
	"net"
	"os"
	"time"
)

// watch is what is known about a target's kept-open connection.
//
// While a target is up and answers, one idle TCP connection to its port is kept open. When its peer closes or resets
// it, or does not take it, the next probe is sent at once; that probe, not the watch, tells whether the target died. A server may close
// idle connections as it likes: the time it allows them is learnt, and the watch renewed before.
//
// The watch must never do harm. A server that closes idle connections at once is asked ever more rarely; so is one
// whose answers become late while a watch is open, since it may serve one connection at a time: then the watch is
// closed first of all.
//
// Where probes keep a connection that is idle in between, that one is the watch, and there is no other (see kept).
type watch struct {
	close  context.CancelFunc // of the open watch; nil: none is open
	after  time.Time          // none is opened before
	pause  time.Duration      // what the next setback costs doubles
	idle   time.Duration      // renew after; 0: no end known
	opened time.Time          // the open watch was
	lasted time.Duration      // of a watch that its peer has closed; judged by the probes started since
	last   uint64             // the probe started last by then
}

const (
	shortWatch   = time.Second // a watch that lasts less is a setback
	longWatch    = time.Minute // one that lasts longer makes up for all setbacks
	minPause     = time.Second
	maxPause     = 5 * time.Minute
	maxUnasked   = 64 << 10 // bytes that a server may send on a watch unasked
	maxIdle      = time.Hour
	dialPatience = 5 * time.Second
)

// setback makes the next watch come later, the more so the more setbacks there were.
func (w *watch) setback(now time.Time) {
	if now.Sub(w.opened) >= longWatch {
		w.pause = 0
	}
	w.pause = min(max(2*w.pause, minPause), maxPause)
	w.after = now.Add(w.pause)
}

// ended takes note of how a watch ended by itself.
func (w *watch) ended(now time.Time, end ending, renewed time.Duration) {
	w.close, w.idle = nil, renewed
	if !end.byPeer || end.lasted < shortWatch {
		w.setback(now)
	} else {
		w.lasted = end.lasted
	}
}

// survived says that the target answered after its peer had closed the watch: it merely closes idle connections.
func (w *watch) survived() {
	if w.lasted > 0 {
		w.idle = w.lasted * 4 / 5
		w.lasted = 0
	}
}

// tend opens or closes a target's watch as its state wants it.
func (c *Checker) tend(now time.Time, e *entry) {
	w := &e.watch
	if !streams(e.Check.Kind) {
		return
	}
	calm := e.judged == Up && !e.doubt && e.streak > 0
	s, ok := e.prober.(sentinel)
	watched := ok && s.watches()
	switch {
	case watched && w.close != nil:
		w.close()
		w.close = nil
	case !calm && w.close != nil:
		w.close()
		w.close = nil
		w.setback(now)
	case !calm && e.streak < 0:
		w.lasted = 0 // it was no idle connection that was closed
	case calm && w.close == nil && !watched && e.success > w.last:
		w.survived()
		if !now.Before(w.after) {
			c.open(now, e)
		}
	}
}

// open starts a watch in a goroutine of its own.
func (c *Checker) open(now time.Time, e *entry) {
	ctx, cancel := context.WithCancel(e.ctx)
	e.watch.close, e.watch.opened = cancel, now
	idle := e.watch.idle
	c.work.Go(func() {
		defer cancel()
		end, renewed := watchPeer(ctx, e.Target, idle)
		c.mu.Lock()
		defer c.unlock()
		if ctx.Err() != nil || e.gone {
			return // closed from here
		}
		e.watch.ended(time.Now(), end, renewed)
		c.burst(e)
	})
}

// lost says that a target's peer has ended the connection that probes leave to each other, which served as its watch.
func (c *Checker) lost(e *entry) {
	c.mu.Lock()
	defer c.unlock()
	if !e.gone && e.ctx.Err() == nil {
		c.burst(e)
	}
}

// burst has a target probed at once whose watch has ended.
func (c *Checker) burst(e *entry) {
	e.watch.last = e.last
	if e.judged == Up {
		e.hurry()
		e.lane.fix(e)
		c.nudge()
	}
}

// ending is how a watch ended.
type ending struct {
	byPeer bool // closed or reset; false: it never opened, or misused it
	lasted time.Duration
}

// watchPeer keeps an idle connection open until its peer ends it. Where idle is set, the connection is renewed after
// that time, each time a quarter later: renewed is where that has come to.
func watchPeer(ctx context.Context, t Target, idle time.Duration) (end ending, renewed time.Duration) {
	for {
		conn, err := t.connect(ctx, "tcp", net.Dialer{Timeout: dialPatience})
		if err != nil {
			return ending{}, idle
		}
		began := time.Now()
		stop := context.AfterFunc(ctx, func() { conn.Close() })
		if idle > 0 {
			conn.SetReadDeadline(began.Add(idle))
		}
		err = listen(conn)
		stop()
		conn.Close()
		end = ending{byPeer: !errors.Is(err, errTalkative), lasted: time.Since(began)}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return end, idle
		}
		idle = min(idle+idle/4, maxIdle)
	}
}

var errTalkative = errors.New("peer sends too much")

// listen reads until the connection ends; a greeting is ignored.
func listen(conn net.Conn) error {
	buf := make([]byte, 512)
	for unasked := 0; unasked < maxUnasked; {
		n, err := conn.Read(buf)
		if err != nil {
			return err
		}
		unasked += n
	}
	return errTalkative
}
