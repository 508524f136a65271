package drill_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/livens/livens/failover"
	"github.com/livens/livens/internal/process"
)

// moderatorBound is what a Moderator that does not answer may add to anything.
const moderatorBound = 50 * time.Millisecond

// TestDrillChatModeratorsDown (F13): no Moderator can be asked, by browsers or by deployments, nor does DNS name a deployment.
// Pages that are loaded then are served by the primary; when that is killed all go on with the redundant one.
func TestDrillChatModeratorsDown(t *testing.T) {
	drill(t, plan{dns: "ws://gone.missing.test/chat"}, func(w *world) row {
		began := time.Now()
		var gap, slowest time.Duration
		for what, f := range map[string]fault{
			"refusing":      {refusing: true},
			"slow":          {delay: 1500 * time.Millisecond},
			"black-holed":   {stalled: true},
			"answering 500": {upgrade: http.StatusInternalServerError},
		} {
			w.moderatorsDo(f)
			loaded := time.Now()
			for _, p := range w.parties() {
				p.reload()
				p.await("a welcome", loaded, followLimit, kind("ready"))
				if got := value[string](p.tab, "drill.speakers[0].chat.deployment"); got != w.primary.name {
					t.Errorf("Moderators %s: the %s is at %s, want the primary by default", what, p.role, got)
				}
			}
			w.hear(time.Now())
			seen := w.killed(w.primary)
			w.below(killedBound, seen)
			gap, slowest = max(gap, seen.gap), max(slowest, seen.slowest)
			w.moderatorsDo(fault{})
			w.active(w.redundant)
			w.must(w.primary.start())
			w.goBack()
		}
		f := w.finish(began)
		f.gap, f.slowest = gap, slowest // a page that is loaded has no socket either
		return row{what: "Moderators down, no DNS, killed: four ways", promised: promise(killedBound), figures: f}
	})
}

// TestDrillChatModeratorsLie (F6, F13): what answers in the place of the Moderators names a deployment that nobody knows,
// an old decision, or nothing that can be read. Nobody is moved; and once they say the truth, it is followed.
func TestDrillChatModeratorsLie(t *testing.T) {
	t.Parallel()
	drill(t, plan{}, func(w *world) row {
		began := time.Now()
		for what, reply := range map[string]string{
			"an unknown deployment": `{"pool":"chat","active":"evil","order":["evil"],"epoch":9007199254740991,"states":{"evil":"up"}}`,
			"an old decision":       `{"pool":"chat","active":"redundant","order":["redundant","primary"],"epoch":1,"states":{"primary":"down","redundant":"up"}}`,
			"another pool":          `{"pool":"shop","active":"redundant","order":["redundant","primary"],"epoch":9007199254740991,"states":{"primary":"down","redundant":"up"}}`,
			"no JSON":               `<html>{"active":"redundant"</html>`,
			"wrong types":           `{"pool":"chat","active":["redundant"],"order":"redundant","epoch":"9","states":[]}`,
			"without an end":        `{"pool":"chat","active":"` + strings.Repeat("redundant", 1<<17),
		} {
			struck := time.Now()
			honest := w.lie(reply)
			for _, p := range w.parties() {
				p.run(evaluate(`dispatchEvent(new Event("online"))`)) // look again, now
			}
			w.hear(struck)
			time.Sleep(steadyPeriod)
			t.Log("Moderators tell of", what)
			w.unmoved(struck, w.noticed(struck, time.Now()))
			honest()
			told := time.Now()
			w.obeyed(failover.DoFailover, w.redundant)
			w.bothTo(w.redundant, told)
			w.hear(time.Now())
			w.goBack()
		}
		f := w.finish(began)
		if f.gap > 0 {
			t.Errorf("%v without a socket", f.gap)
		}
		return row{what: "Moderators lie: six ways", promised: "no switch", figures: f}
	})
}

// lie has another server answer in the Moderators' place until it is called again.
func (w *world) lie(reply string) (honest func()) {
	liar := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, _ *http.Request) {
		out.Header().Set("Content-Type", "application/json")
		out.Header().Set("Access-Control-Allow-Origin", "*")
		fmt.Fprint(out, reply)
	}))
	w.t.Cleanup(liar.Close)
	addr := liar.Listener.Addr().String()
	was := make([]func() (net.Conn, error), len(w.moderators))
	for i, m := range w.moderators {
		was[i] = m.lead(dialTo(addr))
	}
	return func() {
		for i, m := range w.moderators {
			m.lead(was[i])
		}
	}
}

// TestDrillChatModeratorsSilent (F13): DNS leads a new page to the standby. As long as that knows of a Moderator who is active, it
// sends the page on; when it has heard of none for 10 s, it serves everybody.
func TestDrillChatModeratorsSilent(t *testing.T) {
	t.Parallel()
	drill(t, plan{}, func(w *world) row {
		began := time.Now()
		w.plan.dns = w.redundant.url(visitorRole)
		if _, at, _ := w.firstWelcome("bob"); at != w.primary.name {
			t.Errorf("a new page is at %s, want the active one", at)
		}
		w.moderatorsDo(fault{stalled: true})
		silent := time.Now()
		w.must(process.Await(t.Context(), followLimit, func() error {
			if _, at, _ := w.firstWelcome("bob"); at != w.redundant.name {
				return fmt.Errorf("a new page is still sent on to %s", at)
			}
			return nil
		}))
		after := time.Since(silent)
		w.hear(time.Now())
		f := w.finish(began)
		w.unmoved(began, f)
		return row{what: "Moderators silent, DNS names the standby", promised: "served there after 10 s", figures: f, more: "served there after " + round(after).String()}
	})
}

// firstWelcome opens a further visitor's page, measures from the script's beginning to its welcome, and says where that was, and by
// which URL.
func (w *world) firstWelcome(name string) (took time.Duration, at, url string) {
	w.t.Helper()
	m := w.manners(visitorRole, name)
	m.Talk = false
	p := w.open(m)
	ready := p.await("a welcome", time.Time{}, settleLimit, kind("ready"))
	begun := p.await("the script begins", time.Time{}, settleLimit, kind("begun"))
	at = value[string](p.tab, "drill.speakers[0].chat.deployment")
	p.leave()
	return ready.time().Sub(begun.time()), at, ready.URL
}

// TestDrillChatNameserverDies (F12): of three nameservers the one is killed that answers first. Nobody notices; and the
// other two say what is to be done when the primary is killed, and when an operator orders it.
func TestDrillChatNameserverDies(t *testing.T) {
	drill(t, plan{nameservers: 3}, func(w *world) row {
		began := time.Now()
		w.lose(0)
		w.hear(time.Now())
		time.Sleep(steadyPeriod)
		w.unmoved(began, w.noticed(began, time.Now()))
		struck := time.Now()
		w.primary.kill()
		w.bothTo(w.redundant, struck)
		w.active(w.redundant)
		w.must(w.primary.start())
		w.goBack()
		f := w.finish(began)
		w.below(killedBound, f)
		return row{what: "a nameserver killed, then the primary", promised: promise(killedBound), figures: f}
	})
}

// TestDrillChatHumanError (F6): the nameserver is told to switch to a deployment that is dead, and given files that are
// wrong. It refuses both, and nobody notices.
func TestDrillChatHumanError(t *testing.T) {
	t.Parallel()
	drill(t, plan{}, func(w *world) row {
		began := time.Now()
		w.redundant.kill()
		w.down(w.redundant)
		if err := w.order(failover.DoFailover, w.redundant); err == nil {
			t.Error("an order onto a dead deployment is obeyed")
		}
		if err := w.reload("[zone\nname = chat"); err == nil {
			t.Error("a wrong zone file is loaded")
		}
		w.hear(time.Now())
		w.must(w.redundant.start())
		f := w.finish(began)
		w.unmoved(began, f)
		return row{what: "an order onto a dead deployment, a bad file", promised: "refused", figures: f}
	})
}
