package drill_test

import (
	"testing"
	"time"
)

// drill holds a drill in a world in which two chat, and reports what they noticed. Those that wait more than they work call
// t.Parallel first; the others, whose bounds are tight, run one after the other before those.
func drill(t *testing.T, p plan, hold func(w *world) row) {
	t.Helper()
	report(t, hold(newWorld(t, p)))
}

// drillEmpty is drill with a world in which nobody chats yet.
func drillEmpty(t *testing.T, p plan, hold func(w *world) row) {
	t.Helper()
	report(t, hold(newEmptyWorld(t, p)))
}

// within fails the drill when something took longer than was promised.
func (w *world) within(bound, took time.Duration, what string) {
	w.t.Helper()
	if took > bound {
		w.t.Errorf("%s %v, promised %v", what, round(took), bound)
	}
}
