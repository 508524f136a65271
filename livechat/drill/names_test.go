package drill_test

import (
	"fmt"
	"net"
	"testing"
	"time"
)

// TestDrillChatNames (F13): the service's name leads nowhere, or where it led before a switch; the page is opened new. Its
// own URLs lead it to the active deployment all the same.
func TestDrillChatNames(t *testing.T) {
	const staggered = 1500 * time.Millisecond // the script tries the next after 1 s
	for what, c := range map[string]struct {
		url   func(w *world) string
		bound time.Duration
	}{
		"unknown":        {func(*world) string { return "ws://chat.missing.test/chat" }, killedBound},
		"stale, refused": {func(w *world) string { return "ws://stale.test:" + w.deadPort() + "/chat" }, killedBound},
		"stale, silent":  {func(w *world) string { return "ws://stale.test:" + w.silentPort() + "/chat" }, staggered},
	} {
		t.Run(what, func(t *testing.T) {
			drillEmpty(t, plan{}, func(w *world) row {
				w.plan.dns = c.url(w)
				w.enter()
				began := time.Now()
				first := w.firstWelcome("bob")
				w.within(c.bound, first, "until the first welcome")
				struck := time.Now()
				w.primary.kill()
				w.bothTo(w.redundant, struck)
				w.hear(time.Now())
				f := w.finish(began)
				w.below(killedBound, f)
				return row{what: "the service's name is " + what, promised: promise(c.bound), figures: f, more: fmt.Sprintf("a first welcome after %v", round(first))}
			})
		})
	}
}

// deadPort is one on which nobody listens.
func (w *world) deadPort() string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	w.must(err)
	_, port, err := net.SplitHostPort(listener.Addr().String())
	w.must(err)
	w.must(listener.Close())
	return port
}

// silentPort is one at which nothing is answered.
func (w *world) silentPort() string {
	r := newRelay(w.t, dialTo(w.primary.addr.String()))
	r.set(fault{stalled: true})
	_, port, err := net.SplitHostPort(r.addr())
	w.must(err)
	return port
}
