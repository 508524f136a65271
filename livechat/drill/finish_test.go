package drill_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/livens/livens/internal/process"
)

// finish has both fall silent, waits until everything that was said has arrived, and counts; times are those since a
// moment. Nothing may be lost, doubled or out of order, whatever the drill was.
func (w *world) finish(since time.Time) figures {
	w.t.Helper()
	for _, p := range w.parties() {
		p.talk(false)
	}
	w.arrive()
	f := w.noticed(since, time.Now())
	w.compare(&f)
	if f.lost+f.doubled+f.swapped > 0 {
		w.t.Errorf("%v", f)
	}
	for _, p := range w.parties() {
		for _, e := range p.seen(time.Time{}) {
			if e.Kind == "drop" || e.Kind == "error" || e.Kind == "refused" {
				w.t.Errorf("%s: %s %s %s %s", p.role, e.Kind, e.Text, e.Why, e.Detail)
			}
		}
	}
	return f
}

// noticed is what people noticed between two moments.
func (w *world) noticed(from, to time.Time) figures {
	f := count(w.visitor, w.operator, from, to).worse(count(w.operator, w.visitor, from, to))
	for _, p := range w.parties() {
		f.gap = max(f.gap, withoutSocket(p.seen(time.Time{}), from, to))
	}
	return f
}

// arrive waits until nothing is on its way, or gives up: what is missing then is counted as lost.
func (w *world) arrive() {
	w.t.Helper()
	err := process.Await(w.t.Context(), 3*followLimit, func() error {
		time.Sleep(arrivePause)
		for _, p := range w.parties() {
			if n := value[int](p.tab, "drill.pending"); n > 0 {
				return fmt.Errorf("%d of the %s's are not safe", n, p.role)
			}
		}
		if lost := w.noticed(time.Time{}, time.Now()).lost; lost > 0 {
			return fmt.Errorf("%d were not shown", lost)
		}
		return nil
	})
	if err != nil {
		w.t.Errorf("not all has arrived: %v", err)
	}
}

// arrivePause is between two looks at the pages, each of which costs both them and the drill something.
const arrivePause = 20 * time.Millisecond

// compare adds to the figures what is wrong with the transcripts in the end.
func (w *world) compare(f *figures) {
	w.t.Helper()
	sent := map[string]bool{}
	for _, p := range w.parties() {
		for _, e := range p.seen(time.Time{}) {
			switch e.Kind {
			case "said":
				sent[e.Text] = true
			case "refused":
				delete(sent, e.Text)
			}
		}
	}
	lost, doubled, swapped, differ := hold(value[[]transcript](w.visitor.tab, "drill.transcripts()"), value[[]transcript](w.operator.tab, "drill.transcripts()"), sent)
	f.lost, f.doubled, f.swapped = max(f.lost, lost), max(f.doubled, doubled), max(f.swapped, swapped)
	if len(differ) > 0 {
		w.t.Errorf("the transcripts differ: %s", strings.Join(differ, "; "))
	}
}
