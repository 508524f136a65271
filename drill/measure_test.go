package drill_test

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/livens/livens/internal/lab"
	"github.com/livens/livens/internal/process"
)

// repeatsVariable is how often each drill is held; the default keeps make test short.
const repeatsVariable = "LIVENS_DRILL_REPEATS"

// repeat holds a drill several times, or until it fails, each in a test of its own, whose processes and networks are gone
// before the next.
func repeat(t *testing.T, drill func(t *testing.T)) {
	t.Helper()
	for range repeats(t) {
		if !t.Run("", drill) {
			return
		}
	}
}

func repeats(t *testing.T) int {
	t.Helper()
	text := os.Getenv(repeatsVariable)
	if text == "" {
		return 3
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s = %q: want how often", repeatsVariable, text)
	}
	return n
}

// strike has the fault happen and returns when.
func (w *world) strike(fault func(*world)) time.Time {
	w.t.Helper()
	began := time.Now()
	fault(w)
	return began
}

// followLimit is how long a drill waits for what it expects: long, for what it took is judged afterwards.
const followLimit = 15 * time.Second

// switched waits until a watch has seen the deployment answer, and returns how long after began that was.
func (w *world) switched(watch *lab.Watch, to *deployment, began time.Time) time.Duration {
	w.t.Helper()
	return w.seen(watch, to.answer(), began)
}

// silent waits until a watch has seen that its nameserver is gone: a query that was under way then takes its time to fail.
func (w *world) silent(watch *lab.Watch, began time.Time) {
	w.t.Helper()
	w.seen(watch, lab.Silence, began)
}

// seen waits until a watch has seen an answer, and returns how long after began that was.
func (w *world) seen(watch *lab.Watch, answer string, began time.Time) (took time.Duration) {
	w.t.Helper()
	w.must(process.Await(w.t.Context(), followLimit, func() error {
		when, found := watch.Timeline().First(answer, began)
		if !found {
			return fmt.Errorf("%v does not answer %s", watch.Server, answer)
		}
		took = when.Sub(began)
		return nil
	}))
	return took
}

// series are the figures of one thing that was measured several times.
type series []time.Duration

func (s *series) add(d ...time.Duration) { *s = append(*s, d...) }

// quantile is the smallest value that at least the share q of all do not exceed; 0 if nothing was measured.
func (s series) quantile(q float64) time.Duration {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s))
	return sorted[max(0, int(q*float64(len(sorted))+0.999999)-1)]
}

func (s series) logf(t *testing.T, format string, args ...any) {
	t.Helper()
	t.Logf("%s: median %v, worst %v (of %d)", fmt.Sprintf(format, args...), round(s.quantile(0.5)), round(s.quantile(1)), len(s))
}

func round(d time.Duration) time.Duration { return d.Round(time.Millisecond) }

func (s series) medianBelow(t *testing.T, bound time.Duration) {
	t.Helper()
	if m := s.quantile(0.5); m > bound {
		t.Errorf("median %v, want at most %v; all: %v", round(m), bound, s)
	}
}

func (s series) worstBelow(t *testing.T, bound time.Duration) {
	t.Helper()
	if worst := s.quantile(1); worst > bound {
		t.Errorf("worst %v, want at most %v; all: %v", round(worst), bound, s)
	}
}
