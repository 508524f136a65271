package drill_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/livens/livens/internal/process"
)

// TestDrillChatNames (F13): the service's name leads nowhere, or where it led before a switch; pages are opened new. Their
// own URLs lead them to the active deployment all the same.
func TestDrillChatNames(t *testing.T) {
	const staggered = 1500 * time.Millisecond // the script tries the next after 1 s
	drillEmpty(t, plan{}, func(w *world) row {
		w.taught()
		var first []string
		for _, name := range []struct {
			what, url string
			bound     time.Duration
		}{
			{"unknown", "ws://chat.missing.test/chat", killedBound},
			{"stale, refused", "ws://stale.test:" + w.deadPort() + "/chat", killedBound},
			{"stale, the standby", w.redundant.url(visitorRole), killedBound},
			{"stale, silent", "ws://stale.test:" + w.silentPort() + "/chat", staggered},
		} {
			w.plan.dns = name.url
			took, at, _ := w.firstWelcome("bob")
			if at != w.primary.name {
				t.Errorf("the service's name is %s: a new page is at %s", name.what, at)
			}
			w.within(name.bound, took, "the service's name is "+name.what+": a first welcome after")
			first = append(first, fmt.Sprintf("%s: %v", name.what, round(took)))
		}
		w.enter()
		began := time.Now()
		w.killed(w.primary)
		f := w.finish(began)
		w.below(killedBound, f)
		return row{what: "the service's name leads nowhere, killed", promised: promise(killedBound), figures: f, more: "a first welcome, the name " + strings.Join(first, ", ")}
	})
}

// taught waits until both deployments know who is active: before, a standby serves whom comes.
func (w *world) taught() {
	w.t.Helper()
	for _, d := range w.all() {
		w.must(process.Await(w.t.Context(), settleLimit, func() error {
			if said, err := os.ReadFile(filepath.Join(d.dir, "log")); err != nil || !strings.Contains(string(said), "the Moderators say who is active") {
				return fmt.Errorf("%s has not heard who is active", d.name)
			}
			return nil
		}))
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
