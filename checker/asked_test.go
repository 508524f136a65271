package checker

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/livens/livens/zones"
)

// unpolled connects so that no connection can be polled, as on other systems.
func unpolled(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	return struct{ net.Conn }{conn}, err
}

// eachWay runs a test with connections that are polled, where they can be, and with such that a goroutine reads from.
func eachWay(t *testing.T, test func(t *testing.T, o Options)) {
	t.Run("polled", func(t *testing.T) { test(t, Options{Jitter: func() float64 { return 0 }}) })
	t.Run("read", func(t *testing.T) { test(t, Options{Jitter: func() float64 { return 0 }, Dial: unpolled}) })
}

// again has a target probed once, and waits for the result.
func again(t *testing.T, c *Checker, key string) Verdict {
	t.Helper()
	before := c.Stats().Targets[key].Probes
	c.Hurry([]string{key})
	for s := c.Stats(); s.Targets[key].Probes == before || s.UnderWay > 0; s = c.Stats() {
		time.Sleep(time.Millisecond)
	}
	return c.Verdicts()[key]
}

func rare(c *zones.Check) {
	c.Interval, c.FastInterval, c.Fall, c.Rise = time.Hour, time.Millisecond, 1, 1
}

// asking has a prober asked as a checker does: by way of the poller where the connection allows it.
func asking(p *httpProber) func(t *testing.T) Result {
	told := make(chan answer, 1)
	p.answerTo(func(_ flight, a answer) { told <- a })
	return func(t *testing.T) Result {
		t.Helper()
		if !p.request(flight{probe: 1, began: time.Now()}) {
			return p.ask(t)
		}
		a := <-told
		if a.rest == nil {
			return a.Result
		}
		ctx, cancel := context.WithTimeout(t.Context(), p.t.Check.Timeout)
		defer cancel()
		return a.rest.probe(ctx)
	}
}

// TestAskedWhateverTheReply: replies that are not plain, come in pieces, or are long cost a goroutine and keep the connection; a wrong
// one ends it.
func TestAskedWhateverTheReply(t *testing.T) {
	handlers := map[string]http.HandlerFunc{
		"plain":   fine,
		"empty":   func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) },
		"chunked": func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("one")); w.(http.Flusher).Flush() },
		"long":    func(w http.ResponseWriter, _ *http.Request) { w.Write(make([]byte, 5*mostHeard)) },
		"in pieces": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "6")
			for _, part := range []string{"one", "two"} {
				w.Write([]byte(part))
				w.(http.Flusher).Flush()
			}
		},
	}
	eachWay(t, func(t *testing.T, o Options) {
		for name, handler := range handlers {
			var ill atomic.Bool
			p, _, opened, _ := keeping(t, func(w http.ResponseWriter, r *http.Request) {
				if ill.Load() {
					w.WriteHeader(http.StatusServiceUnavailable)
					return
				}
				handler(w, r)
			}, nil)
			p.t.dialer = o.Dial
			ask := asking(p)
			for range 10 {
				if r := ask(t); r.Outcome != Success {
					t.Fatalf("%s: %+v", name, r)
				}
			}
			if n := opened.Load(); n != 1 {
				t.Errorf("%s: %d connections", name, n)
			}
			ill.Store(true)
			if r := ask(t); r.Outcome != Failure || r.Silent || r.Reason != "HTTP 503, wanted 200–299" || !p.opens() {
				t.Errorf("%s: %+v", name, r)
			}
		}
	})
}

// TestAskedAndNoReply: it is silence once the timeout is over.
func TestAskedAndNoReply(t *testing.T) {
	eachWay(t, func(t *testing.T, o Options) {
		var mute atomic.Bool
		end := make(chan struct{})
		defer close(end)
		p, _, _, _ := keeping(t, func(w http.ResponseWriter, r *http.Request) {
			if mute.Load() {
				<-end
			}
			fine(w, r)
		}, func(c *zones.Check) { rare(c); c.Timeout = 300 * time.Millisecond })
		c := New(o)
		run(t, c, p.t)
		// A probe that this machine was too slow for says nothing, and the next by the clock is an hour away.
		becomes := func(wanted func(Verdict) bool) {
			patience := time.After(60 * time.Second)
			for v := again(t, c, p.t.Key); !wanted(v); v = again(t, c, p.t.Key) {
				select {
				case <-patience:
					t.Fatalf("verdict stays %+v", v)
				default:
				}
			}
		}
		becomes(isState(Up))
		mute.Store(true)
		becomes(func(v Verdict) bool { return v.State == Down && v.Reason == "no reply in 300ms" })
	})
}

// TestAskedAndClosed: a connection that the server ends instead of replying says nothing, and the probe goes on over another one.
func TestAskedAndClosed(t *testing.T) {
	eachWay(t, func(t *testing.T, o Options) {
		var n atomic.Int64
		p, _, opened, _ := keeping(t, func(w http.ResponseWriter, r *http.Request) {
			if n.Add(1) == 2 {
				panic(http.ErrAbortHandler)
			}
			fine(w, r)
		}, nil)
		p.t.dialer = o.Dial
		ask := asking(p)
		for range 3 {
			if r := ask(t); r.Outcome != Success {
				t.Error(r)
			}
		}
		if n := opened.Load(); n != 2 {
			t.Errorf("%d connections", n)
		}
	})
}

// TestAskedAndRemoved: nothing is left of a probe whose target is removed.
func TestAskedAndRemoved(t *testing.T) {
	eachWay(t, func(t *testing.T, o Options) {
		mute, end := make(chan struct{}), make(chan struct{})
		var n atomic.Int64
		p, _, _, closed := keeping(t, func(w http.ResponseWriter, r *http.Request) {
			if n.Add(1) == 2 {
				close(mute)
				<-end
			}
			fine(w, r)
		}, rare)
		c := New(o)
		run(t, c, p.t)
		waitFor(t, c, p.t, isState(Up))
		c.Hurry([]string{p.t.Key})
		<-mute
		c.Update(nil)
		close(end)
		for s := c.Stats(); s.UnderWay > 0 || closed.Load() == 0; s = c.Stats() {
			time.Sleep(time.Millisecond)
		}
	})
}

// TestManyAskedAtOnce: each gets its own answer.
func TestManyAskedAtOnce(t *testing.T) {
	eachWay(t, func(t *testing.T, o Options) {
		var targets []Target
		for i := range 30 {
			body := fmt.Sprintf("I am %d.", i)
			p, _, _, _ := keeping(t, func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(body)) }, func(c *zones.Check) {
				c.BodyContains = body
				c.Interval, c.FastInterval, c.Fall, c.Rise = 20*time.Millisecond, 10*time.Millisecond, 1, 1
			})
			targets = append(targets, p.t)
		}
		c := New(o)
		run(t, c, targets...)
		for _, target := range targets {
			for c.Stats().Targets[target.Key].Probes < 10 {
				time.Sleep(time.Millisecond)
			}
		}
		for key, s := range c.Stats().Targets {
			if s.Failures > 0 {
				t.Errorf("%s: %+v", key, c.Verdicts()[key])
			}
		}
	})
}
