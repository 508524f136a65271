package events

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/livens/livens/failover"
)

// Times of telling.
const (
	settle        = 300 * time.Millisecond // from hearing of an event until its ID is the same everywhere
	patience      = 24 * time.Hour         // how old an event may become before telling it is given up
	startPatience = time.Minute            // the same for starting a cold deployment: later it would surprise
	startTimeout  = 5 * time.Minute        // of one start command
	mayPause      = 100 * time.Millisecond // between two looks whether this nameserver tells
	firstRetry    = time.Second
	lastRetry     = time.Minute
)

// worker tells one hook, one event after the other.
type worker struct {
	debt              debt
	what              string // in logs and alerts
	settle            time.Duration
	patience, timeout time.Duration
	tell              func(context.Context, failover.Event) error
	log               *Log
	may               func() bool
	logger            *slog.Logger
	woken             chan struct{}

	failures int       // in a row
	retry    time.Time // not before
	mu       sync.Mutex
	record   record
}

// record is how telling went.
type record struct {
	told, failed, givenUp uint64
	since                 time.Time // of the first failure of those in a row; zero: the last try succeeded
	err                   error     // the latest
}

func newWorker(o *Options, d debt, what string) *worker {
	return &worker{debt: d, what: what, log: o.Log, may: o.May, logger: o.Logger.With("to", what), woken: make(chan struct{}, 1)}
}

func (w *worker) run(ctx context.Context) {
	for ctx.Err() == nil {
		owed := w.log.owed(w.debt)
		if len(owed) == 0 {
			select {
			case <-w.woken:
			case <-ctx.Done():
			}
			continue
		}
		if pause := w.pause(owed[0], time.Now()); pause > 0 {
			sleep(ctx, pause)
			continue
		}
		w.try(ctx, owed[0])
	}
}

// pause is how long to wait before the event is looked at again; 0: try now.
func (w *worker) pause(o owed, now time.Time) time.Duration {
	wait := max(o.heard.Add(w.settle).Sub(now), w.retry.Sub(now))
	switch {
	case wait > 0:
		return min(wait, lastRetry) // a clock that was set back delays no longer than that
	case !w.may():
		return mayPause
	}
	return 0
}

func (w *worker) try(ctx context.Context, o owed) {
	if age := o.age(time.Now()); age > w.patience {
		w.giveUp(o)
		return
	}
	limited, cancel := context.WithTimeout(ctx, w.timeout)
	defer cancel()
	err := w.tell(limited, o.Event)
	switch {
	case err == nil:
		w.succeeded(o)
	case ctx.Err() == nil:
		w.failed(o, err)
	}
}

func (w *worker) succeeded(o owed) {
	w.log.Told(o.ID, w.debt.hook, time.Now())
	w.failures, w.retry = 0, time.Time{}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.record.told++
	w.record.since, w.record.err = time.Time{}, nil
}

func (w *worker) failed(o owed, err error) {
	now := time.Now()
	w.retry = now.Add(backoff(w.failures))
	w.failures++
	w.logger.Warn("an event could not be told; it is tried again", "id", o.ID, "kind", o.Kind, "error", err, "try", w.failures)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.record.failed++
	w.record.err = err
	if w.record.since.IsZero() {
		w.record.since = now
	}
}

// giveUp marks the event as told, so that no other nameserver goes on. The alert stays until something succeeds.
func (w *worker) giveUp(o owed) {
	w.log.Told(o.ID, w.debt.hook, time.Now())
	w.failures, w.retry = 0, time.Time{}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.record.givenUp++
	if w.record.since.IsZero() {
		w.record.since = time.Now()
	}
	w.logger.Error("an event is too old and is not told any more", "id", o.ID, "kind", o.Kind, "at", o.At, "error", w.record.err)
}

// backoff is the pause after a number of failures before the latest: doubling, a quarter less or not at random, so that
// nameservers and hooks do not try in step.
func backoff(before int) time.Duration {
	d := min(firstRetry<<min(before, 10), lastRetry)
	return d - rand.N(d/4)
}
