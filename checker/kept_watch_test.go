package checker

import (
	"net/http/httptest"
	"testing"
	"time"

	"github.com/livens/livens/zones"
)

// TestKeptConnectionIsTheWatch: there is no other connection, and its end is noticed at once: the next probe by the clock is an hour away.
func TestKeptConnectionIsTheWatch(t *testing.T) { eachWay(t, keptConnectionIsTheWatch) }

func keptConnectionIsTheWatch(t *testing.T, o Options) {
	p, server, opened, _ := keeping(t, fine, func(c *zones.Check) {
		c.Interval, c.FastInterval, c.Fall, c.Rise = time.Hour, 20*time.Millisecond, 2, 1
	})
	c := New(o)
	run(t, c, p.t)
	waitFor(t, c, p.t, isState(Up))
	// While one probe is late others begin, which open their own: what counts are probes that were alone twice in a row.
	for judged, alone := 0, 0; judged < 20; {
		before, n := c.Stats().Targets[p.t.Key].Probes, opened.Load()
		again(t, c, p.t.Key)
		if c.Stats().Targets[p.t.Key].Probes != before+1 {
			alone = 0
		} else if alone++; alone > 1 {
			judged++
			if more := opened.Load() - n; more > 0 {
				t.Fatalf("%d connections beside the kept one", more)
			}
		}
	}
	server.Close()
	if v := waitFor(t, c, p.t, isState(Down)); v.Reason != "connect: refused" {
		t.Errorf("got %+v", v)
	}
}

// TestServerThatKeepsNothingIsWatchedAsOthers: that it ends connections which are idle says nothing after a few times, and the target
// gets a watch of its own.
func TestServerThatKeepsNothingIsWatchedAsOthers(t *testing.T) { eachWay(t, serverThatKeepsNothing) }

func serverThatKeepsNothing(t *testing.T, o Options) {
	p, server, _, _ := keeping(t, fine, func(c *zones.Check) {
		c.Interval, c.FastInterval, c.Fall, c.Rise = 100*time.Millisecond, 10*time.Millisecond, 4, 1
	})
	c := New(o)
	run(t, c, p.t)
	waitFor(t, c, p.t, isState(Up))
	ended := make(chan struct{})
	t.Cleanup(func() { <-ended })
	go func() { defer close(ended); endAgainAndAgain(t, server, c, p.t) }()
	waitForWatch(t, c, p.t)
}

// endAgainAndAgain closes a server's connections until the target has a watch of its own.
func endAgainAndAgain(t *testing.T, server *httptest.Server, c *Checker, target Target) {
	for t.Context().Err() == nil {
		c.mu.Lock()
		done := c.entries[target.Key].watch.close != nil
		c.mu.Unlock()
		if done {
			return
		}
		server.CloseClientConnections()
		time.Sleep(20 * time.Millisecond)
	}
}

// TestKeptLosses: connections that end by their own time make up for those that the peer has ended.
func TestKeptLosses(t *testing.T) { eachWay(t, keptLosses) }

func keptLosses(t *testing.T, o Options) {
	p, server, _, _ := keeping(t, fine, nil)
	p.t.dialer = o.Dial
	told := make(chan struct{}, 10)
	p.tellLoss(func() { told <- struct{}{} })
	lose := func() {
		p.ask(t)
		if !p.watches() {
			return
		}
		server.CloseClientConnections()
		<-told
	}
	for range maxLosses {
		lose()
	}
	if p.ask(t); p.watches() {
		t.Errorf("a connection still counts as a watch after %d were lost", maxLosses)
	}
	p.kept.mu.Lock()
	p.kept.idle.until = time.Time{}
	p.kept.mu.Unlock()
	if p.ask(t); !p.watches() {
		t.Error("a connection that lasted its time makes up for nothing")
	}
}
