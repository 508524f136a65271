package checker

import (
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/livens/livens/zones"
)

// waitForWatch waits until the target's watch is there, or its dialling at least: the connection follows in
// microseconds, and a server that dies before is met by the next probe.
func waitForWatch(t *testing.T, c *Checker, target Target) {
	t.Helper()
	patience := time.After(20 * time.Second)
	for {
		c.mu.Lock()
		open := c.entries[target.Key].watch.close != nil
		c.mu.Unlock()
		if open {
			return
		}
		select {
		case <-time.After(time.Millisecond):
		case <-patience:
			t.Fatal("no watch is opened")
		}
	}
}

// onPort is a target on a loopback port.
func onPort(port uint16) Target {
	return NewTarget("chat", "primary", loopback, &zones.Check{Kind: zones.TCP, Port: port})
}

func TestWatchSeesItsPeerClose(t *testing.T) {
	for name, server := range map[string]func(net.Conn){
		"closed":         func(c net.Conn) { c.Write([]byte("welcome\n")) },
		"reset":          func(c net.Conn) { time.Sleep(5 * time.Millisecond); reset(c) },
		"closed in time": func(c net.Conn) { c.SetDeadline(time.Now().Add(20 * time.Millisecond)); hold(c) },
	} {
		t.Run(name, func(t *testing.T) {
			end, _ := watchPeer(t.Context(), onPort(raw(t, server)), 0)
			if !end.byPeer {
				t.Errorf("got %+v", end)
			}
		})
	}
	t.Run("talks without end", func(t *testing.T) {
		end, _ := watchPeer(t.Context(), onPort(raw(t, floods("noise"))), 0)
		if end.byPeer {
			t.Errorf("got %+v", end)
		}
	})
	t.Run("refused", func(t *testing.T) {
		end, _ := watchPeer(t.Context(), onPort(closedPort(t)), 0)
		if end.byPeer {
			t.Errorf("got %+v", end)
		}
	})
}

// A server that closes idle connections after a while does not get to: the watch is renewed before.
func TestWatchIsRenewedBeforeItsPeerCloses(t *testing.T) {
	var conns atomic.Int32
	port := raw(t, func(c net.Conn) {
		if conns.Add(1) > 2 { // the first ones have time on a busy machine too
			c.SetDeadline(time.Now().Add(60 * time.Millisecond))
		}
		hold(c)
	})
	end, renewed := watchPeer(t.Context(), onPort(port), 5*time.Millisecond)
	if !end.byPeer || conns.Load() < 3 || renewed <= 5*time.Millisecond {
		t.Errorf("%d connections, then %+v; renewed after %s", conns.Load(), end, renewed)
	}
}

func TestWatchLearnsFromSetbacks(t *testing.T) {
	var w watch
	w.opened = at(0)
	w.ended(at(10), ending{byPeer: true, lasted: 10 * time.Millisecond}, 0)
	first := w.after
	if first.Before(at(10).Add(minPause)) {
		t.Errorf("after a server that closes at once the next watch comes %s later", first.Sub(at(10)))
	}
	for range 20 {
		w.opened = w.after
		w.ended(w.after, ending{byPeer: true}, 0)
	}
	if w.pause != maxPause {
		t.Errorf("pause is %s", w.pause)
	}
	w.opened = at(0)
	w.ended(at(90_000), ending{byPeer: true, lasted: 90 * time.Second}, 0)
	w.survived()
	if w.idle != 72*time.Second {
		t.Errorf("renews after %s", w.idle)
	}
	w.opened = at(0)
	w.setback(at(70_000))
	if w.pause != minPause {
		t.Errorf("a long watch does not make up for setbacks: %s", w.pause)
	}
}

// A server that serves one connection at a time would be blocked by the watch: it must not go down for it.
func TestWatchGivesWayToTheProbes(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			says("HTTP/1.1 200 OK\r\n\r\n", nil)(conn)
			conn.Close()
		}
	}()
	t.Cleanup(func() { l.Close(); <-served })
	check := zones.Check{Kind: zones.HTTP, Port: portOf(l.Addr()), Path: "/", Interval: 100 * time.Millisecond,
		FastInterval: 20 * time.Millisecond, Timeout: 10 * time.Second, Fall: 1, Rise: 1}
	target := NewTarget("chat", "primary", loopback, &check)
	c := New(Options{})
	run(t, c, target)
	waitFor(t, c, target, isState(Up))
	for c.Stats().Targets[target.Key].Probes < 20 {
		if v := waitFor(t, c, target, func(Verdict) bool { return true }); v.State != Up {
			t.Fatalf("got %+v", v)
		}
		time.Sleep(time.Millisecond)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if w := c.entries[target.Key].watch; w.pause < minPause {
		t.Errorf("the watch takes no notice: %+v", w)
	}
}
