package drill_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"github.com/livens/livens/internal/process"
)

// TestDrillChatTwin (F11): the visitor duplicates the tab in mid-send, which copies all that the tab has stored, and writes in both
// while the primary is killed. Nothing that either wrote is lost.
func TestDrillChatTwin(t *testing.T) {
	drill(t, plan{}, func(w *world) row {
		began := time.Now()
		twin := w.visitor.duplicate(w.manners(visitorRole, "eve"))
		twin.await("a welcome", time.Time{}, settleLimit, kind("ready"))
		said := twin.await("something is said", time.Time{}, settleLimit, kind("said"))
		w.operator.await("it is shown: "+said.Text, time.Time{}, followLimit, func(e event) bool { return e.Kind == "got" && e.Text == said.Text })
		struck := time.Now()
		w.primary.kill()
		w.bothTo(w.redundant, struck)
		twin.await("a switch", struck, followLimit, switchedTo(w.redundant.name))
		w.hear(time.Now())
		twin.talk(false)
		twin.arrived()
		f := w.finish(began).worse(count(twin, w.operator, began, time.Now()))
		w.below(killedBound, f)
		if f.lost+f.doubled+f.swapped > 0 {
			t.Errorf("%v", f)
		}
		mine, theirs := value[[]transcript](w.visitor.tab, "drill.transcripts()"), value[[]transcript](twin.tab, "drill.transcripts()")
		if len(mine) != 1 || len(theirs) != 1 || !slices.Equal(mine[0].Texts, theirs[0].Texts) {
			t.Error("the two tabs show different conversations")
		}
		return row{what: "a tab duplicated, then killed", promised: promise(killedBound), figures: f}
	})
}

// duplicate opens a tab that begins with a copy of what this one has stored, as a browser's “Duplicate” does.
func (p *party) duplicate(m manners) *party {
	p.t.Helper()
	opened := chromedp.WaitNewTarget(p.ctx, func(info *target.Info) bool { return info.OpenerID == p.target })
	p.run(chromedp.Evaluate("void open('about:blank')", nil, func(e *runtime.EvaluateParams) *runtime.EvaluateParams { return e.WithUserGesture(true) }))
	x := &tab{t: p.t, browser: p.browser, context: p.context}
	select {
	case x.target = <-opened:
	case <-time.After(pageLimit):
		p.t.Fatal("the browser opens no further tab")
	}
	x.attach()
	return newParty(x, p.role).load(p.origin, m)
}

// arrived waits until nothing that the page's people wrote is on its way.
func (p *party) arrived() {
	p.t.Helper()
	p.must(process.Await(p.t.Context(), followLimit, func() error {
		if n := value[int](p.tab, "drill.pending"); n > 0 {
			return fmt.Errorf("%d of the %s's are not safe", n, p.role)
		}
		return nil
	}))
}
