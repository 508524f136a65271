package checker

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/livens/livens/zones"
)

// keeping is a prober of a server that counts its connections.
func keeping(t *testing.T, handler http.HandlerFunc, change func(*zones.Check)) (p *httpProber, server *httptest.Server, opened, closed *atomic.Int64) {
	t.Helper()
	opened, closed = new(atomic.Int64), new(atomic.Int64)
	server = httptest.NewUnstartedServer(handler)
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		switch s {
		case http.StateNew:
			opened.Add(1)
		case http.StateClosed:
			closed.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	addr := netip.MustParseAddrPort(server.Listener.Addr().String())
	check := zones.Check{Kind: zones.HTTP, Method: "GET", Path: "/", Port: addr.Port(), Timeout: 10 * time.Second, KeepAlive: time.Hour}
	if change != nil {
		change(&check)
	}
	p = newHTTP(NewTarget("chat", "primary", addr.Addr(), &check), "livens").(*httpProber)
	t.Cleanup(p.end)
	return p, server, opened, closed
}

func (p *httpProber) ask(t *testing.T) Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), p.t.Check.Timeout)
	defer cancel()
	return p.probe(ctx)
}

func fine(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("ready, and more")) }

// TestKeepAlive: probes go over one connection, the body read or not, until its time is over; without the key each has its own.
func TestKeepAlive(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*zones.Check)
		want   int64
	}{
		"kept":         {nil, 1},
		"body wanted":  {func(c *zones.Check) { c.BodyContains = "ready" }, 1},
		"time is over": {func(c *zones.Check) { c.KeepAlive = time.Nanosecond }, 5},
		"not kept":     {func(c *zones.Check) { c.KeepAlive = 0 }, 5},
	} {
		p, _, opened, _ := keeping(t, fine, c.change)
		for range 5 {
			if r := p.ask(t); r.Outcome != Success {
				t.Errorf("%s: %+v", name, r)
			}
		}
		if n := opened.Load(); n != c.want {
			t.Errorf("%s: %d connections, want %d", name, n, c.want)
		}
	}
}

// TestKeptConnectionThatIsClosedSaysNothing: the probe opens another one; and a body that does not end costs no probe.
func TestKeptConnectionThatIsClosedSaysNothing(t *testing.T) {
	p, server, opened, _ := keeping(t, fine, nil)
	for range 3 {
		if r := p.ask(t); r.Outcome != Success {
			t.Fatal(r)
		}
		server.CloseClientConnections()
	}
	if n := opened.Load(); n != 3 {
		t.Errorf("%d connections", n)
	}
	server.Close()
	if r := p.ask(t); r.Outcome != Failure || r.Silent || r.Reason != "connect: refused" {
		t.Errorf("dead: %+v", r)
	}
}

// TestKeptConnectionProvesNothing: no reply on it is silence, which the same on a new one is not.
func TestKeptConnectionProvesNothing(t *testing.T) {
	var mute atomic.Bool
	end := make(chan struct{})
	p, _, _, _ := keeping(t, func(w http.ResponseWriter, r *http.Request) {
		if mute.Load() {
			<-end
		}
		fine(w, r)
	}, nil)
	defer close(end)
	p.t.dialer = func(_ context.Context, network, address string) (net.Conn, error) { return net.Dial(network, address) } // never too late
	if r := p.ask(t); r.Outcome != Success {
		t.Fatal(r)
	}
	mute.Store(true)
	p.t.Check.Timeout = 100 * time.Millisecond
	for _, silent := range []bool{true, false} {
		if r := p.ask(t); r.Outcome != Failure || r.Silent != silent || r.Reason != "no reply in 100ms" {
			t.Errorf("silent %t: %+v", silent, r)
		}
	}
}

// TestRemovedTargetKeepsNothing, also when a probe is under way.
func TestRemovedTargetKeepsNothing(t *testing.T) {
	p, _, opened, closed := keeping(t, fine, nil)
	p.ask(t)
	p.end()
	p.ask(t)
	deadline := time.After(10 * time.Second)
	for closed.Load() != opened.Load() || opened.Load() != 2 {
		select {
		case <-deadline:
			t.Fatalf("%d of %d closed", closed.Load(), opened.Load())
		case <-time.After(time.Millisecond):
		}
	}
}
