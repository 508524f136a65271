package drill_test

import (
	"testing"
	"time"
)

// TestDrillChatForbidden (F5): the visitor's page has a Content-Security-Policy that allows the service's name and no deployment's
// own URL. When the primary is killed, the page is told what its policy forbids, and the name is all that is left: the chat goes on
// as soon as DNS leads to the redundant deployment.
func TestDrillChatForbidden(t *testing.T) {
	drillEmpty(t, plan{}, func(w *world) row {
		w.visitorAllowed = append([]string{"ws://" + w.fronts[visitorRole].addr()}, w.moderatorURLs()...)
		w.enter()
		began := time.Now()
		w.primary.kill()
		told := w.visitor.await("what is forbidden", began, followLimit, kind("blocked"))
		w.bothTo(w.redundant, began)
		w.hear(time.Now())
		f := w.finish(began)
		w.below(silentBound, f)
		return row{what: "the page's policy allows the name only, killed", promised: promise(silentBound), figures: f, more: "told of " + string(told.Detail)}
	})
}
