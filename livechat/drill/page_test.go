package drill_test

import (
	"context"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// evaluate runs an expression for what it does.
func evaluate(expression string) chromedp.Action { return chromedp.Evaluate(expression, nil) }

// TestDrillChatHidden (F11): the visitor looks at another tab, for so long that the browser slows down the page's timers: to
// one a second, since it has a WebSocket (without one, to one a minute). The active deployment is stopped; the visitor is moved as fast as if he looked, and shown what he is told.
func TestDrillChatHidden(t *testing.T) {
	drill(t, plan{}, func(w *world) row {
		began := time.Now()
		show := w.visitor.hide()
		w.visitor.talk(false)
		w.visitor.throttled()
		struck := time.Now()
		w.primary.freeze()
		w.bothTo(w.redundant, struck)
		took := time.Since(struck)
		w.within(idleBound, took, "until a hidden page switched")
		w.visitor.round()
		w.shown(w.visitor)
		w.primary.thaw()
		show()
		w.visitor.talk(true)
		w.hear(time.Now())
		f := w.finish(began)
		w.below(idleBound, f)
		return row{what: "page hidden, SIGSTOP", promised: promise(idleBound), figures: f, more: "elsewhere after " + round(took).String()}
	})
}

// TestDrillChatHiddenKilled (F11): the same, killed.
func TestDrillChatHiddenKilled(t *testing.T) {
	drill(t, plan{}, func(w *world) row {
		began := time.Now()
		show := w.visitor.hide()
		w.visitor.talk(false)
		w.visitor.throttled()
		struck := time.Now()
		w.primary.kill()
		w.bothTo(w.redundant, struck)
		w.visitor.round()
		w.shown(w.visitor)
		show()
		w.visitor.talk(true)
		w.hear(time.Now())
		f := w.finish(began)
		w.below(killedBound, f)
		return row{what: "page hidden, killed", promised: promise(killedBound), figures: f}
	})
}

// shown waits until what the other says from now on is shown to a party.
func (w *world) shown(to *party) {
	w.t.Helper()
	from := w.operator
	if to == from {
		from = w.visitor
	}
	said := from.await("something is said", time.Now(), followLimit, kind("said"))
	to.await("it is shown: "+said.Text, said.time().Add(-time.Second), followLimit, func(e event) bool { return e.Kind == "got" && e.Text == said.Text })
}

// hide opens another tab in front of the page, until it is called back.
func (p *party) hide() (show func()) {
	p.t.Helper()
	since := time.Now()
	front := p.browser.sibling(p.tab)
	front.run(page.BringToFront())
	p.await("the page is hidden", since, pageLimit, func(e event) bool { return e.Kind == "visibilitychange" && e.Why == "hidden" })
	return func() {
		p.t.Helper()
		since := time.Now()
		front.run(page.Close())
		p.await("the page is shown", since, pageLimit, func(e event) bool { return e.Kind == "visibilitychange" && e.Why == "visible" })
	}
}

// throttled waits until a chain of timers in the page is held up for half a second.
func (p *party) throttled() {
	p.t.Helper()
	since := time.Now()
	p.run(evaluate(`(() => { let last = performance.now(); const tick = () => { last = performance.now(); setTimeout(tick, 50) }; tick(); drill.late = () => performance.now() - last })()`))
	for value[float64](p.tab, "drill.late()") < 500 {
		if time.Since(since) > pageLimit {
			p.t.Fatal("the browser does not slow down a hidden page's timers")
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// TestDrillChatFrozen (F11): the browser freezes the visitor's page. Meanwhile the active deployment is killed. Resumed, it
// chats at once, and is shown what it missed.
func TestDrillChatFrozen(t *testing.T) {
	drill(t, plan{}, func(w *world) row {
		began := time.Now()
		w.visitor.lifecycle(page.SetWebLifecycleStateStateFrozen, "freeze")
		w.primary.kill()
		w.operator.await("a switch", began, followLimit, switchedTo(w.redundant.name))
		time.Sleep(steadyPeriod) // frozen, it misses what is said
		resumed := time.Now()
		w.visitor.lifecycle(page.SetWebLifecycleStateStateActive, "resume")
		w.visitor.await("a switch", resumed, followLimit, switchedTo(w.redundant.name))
		took := time.Since(resumed)
		w.within(killedBound, took, "from its resumption")
		w.visitor.front()
		w.hear(time.Now())
		f := w.finish(began)
		return row{what: "page frozen, killed, resumed", promised: promise(killedBound) + " from there", figures: f, more: "live after " + round(took).String()}
	})
}

// TestDrillChatFrozenAlone (F11): frozen and resumed while all is well. The browser may have closed the socket meanwhile;
// the page chats at once all the same, and is shown what it missed.
func TestDrillChatFrozenAlone(t *testing.T) {
	drill(t, plan{}, func(w *world) row {
		began := time.Now()
		w.visitor.lifecycle(page.SetWebLifecycleStateStateFrozen, "freeze")
		time.Sleep(6 * time.Second) // longer than a heartbeat and the wait for its answer
		resumed := time.Now()
		w.visitor.lifecycle(page.SetWebLifecycleStateStateActive, "resume")
		w.visitor.front()
		w.hear(time.Now())
		time.Sleep(steadyPeriod)
		f := w.finish(began)
		w.within(killedBound, withoutSocket(w.visitor.seen(time.Time{}), resumed, time.Now()), "without a socket after it was resumed")
		return row{what: "page frozen for 6 s, resumed", promised: promise(killedBound) + " from there", figures: f}
	})
}

func (p *party) lifecycle(state page.SetWebLifecycleStateState, told string) {
	p.t.Helper()
	since := time.Now()
	p.run(page.SetWebLifecycleState(state))
	p.await("the page tells: "+told, since, pageLimit, kind(told))
}

// front brings a page that was frozen to the front again: the browser does not by itself.
func (p *party) front() {
	p.t.Helper()
	other := p.browser.sibling(p.tab)
	other.run(page.BringToFront())
	p.run(page.BringToFront())
	other.run(page.Close())
}

// TestDrillChatBack (F11): the visitor goes to another page and comes back; the browser has kept the page as it was.
func TestDrillChatBack(t *testing.T) {
	drill(t, plan{}, func(w *world) row {
		began := time.Now()
		w.visitor.run(chromedp.Navigate(w.origin + "/elsewhere.html"))
		w.operator.await("something is said meanwhile", time.Now(), followLimit, kind("said"))
		back := time.Now()
		w.visitor.run(evaluate("history.back()")) // chromedp.NavigateBack waits for a load, of which there is none
		shown := w.visitor.await("the page is back", back, pageLimit, kind("pageshow"))
		if !shown.Persisted {
			t.Fatal("the browser has not kept the page: this is a reload")
		}
		ready := w.visitor.await("a welcome", back, followLimit, kind("ready"))
		took := ready.time().Sub(shown.time())
		w.within(killedBound, took, "from its return")
		w.hear(time.Now())
		f := w.finish(began)
		return row{what: "back from the bfcache", promised: promise(killedBound) + " from there", figures: f, more: "live after " + round(took).String()}
	})
}

// TestDrillChatOffline (F11): the visitor's computer is offline for 5 s while he writes; then it is online.
func TestDrillChatOffline(t *testing.T) {
	t.Parallel()
	drill(t, plan{}, func(w *world) row {
		began := time.Now()
		w.visitor.offline(true)
		time.Sleep(5 * time.Second)
		online := time.Now()
		w.visitor.offline(false)
		w.hear(online)
		took := time.Since(online)
		w.within(returnBound, took, "from being online")
		f := w.finish(began)
		return row{what: "offline for 5 s, online", promised: promise(returnBound) + " from there", figures: f, more: "live after " + round(took).String()}
	})
}

// offline cuts the page off, and tells it; connections that are open stay open, and silent.
func (p *party) offline(off bool) {
	p.t.Helper()
	since := time.Now()
	// Not through cdproto's own function: Chromium up to 148 wants offline beside the rules, later ones in a rule.
	rules := struct {
		Offline bool                  `json:"offline"`
		Rules   []*network.Conditions `json:"matchedNetworkConditions"`
	}{off, []*network.Conditions{}}
	if off {
		rules.Rules = append(rules.Rules, &network.Conditions{DownloadThroughput: -1, UploadThroughput: -1, Offline: true})
	}
	p.run(network.Enable(), chromedp.ActionFunc(func(ctx context.Context) error {
		return cdp.Execute(ctx, network.CommandEmulateNetworkConditionsByRule, rules, nil)
	}), network.OverrideNetworkState(off, 0, -1, -1))
	p.await("the page knows", since, pageLimit, kind(map[bool]string{true: "offline", false: "online"}[off]))
}

// TestDrillChatReload (F11): the visitor reloads the page, three times, while what he wrote is not acknowledged; and the
// operator once.
func TestDrillChatReload(t *testing.T) {
	t.Parallel()
	drill(t, plan{}, func(w *world) row {
		began := time.Now()
		for _, p := range []*party{w.visitor, w.visitor, w.visitor, w.operator} {
			paths := []*relay{w.primary.paths[p.role], w.fronts[p.role]}
			for _, path := range paths {
				path.set(fault{withhold: framesOf("ack")})
			}
			said := p.await("something is said", time.Now(), followLimit, kind("said"))
			p.await("more is said", said.time().Add(time.Millisecond), followLimit, kind("said"))
			since := time.Now()
			p.run(chromedp.Reload())
			for _, path := range paths {
				path.heal()
			}
			p.await("a welcome", since, followLimit, kind("ready"))
			w.hear(time.Now())
		}
		f := w.finish(began)
		return row{what: "reloaded in mid-send, 4 times", figures: f}
	})
}
