package checker

import (
	"context"
	"sync"
	"time"
)

// lazyDeadline is a context that ends at a moment, like that of context.WithDeadline, and makes its timer only when somebody waits for
// it to end. A probe over a kept connection does not: the connection has the deadline itself.
type lazyDeadline struct {
	context.Context // whose end ends this one
	at              time.Time

	mu     sync.Mutex
	made   context.Context // nil: nobody has waited
	cancel context.CancelFunc
}

// Deadline is when it ends.
func (d *lazyDeadline) Deadline() (time.Time, bool) { return d.at, true }

// Done is closed when it ends.
func (d *lazyDeadline) Done() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.made == nil {
		d.made, d.cancel = context.WithDeadline(d.Context, d.at)
	}
	return d.made.Done()
}

// Err is why it has ended.
func (d *lazyDeadline) Err() error {
	if c := d.now(); c != d.Context || c.Err() != nil {
		return c.Err()
	}
	if !time.Now().Before(d.at) {
		return context.DeadlineExceeded
	}
	return nil
}

// Value is for package context, which so finds what it may cancel without a goroutine.
func (d *lazyDeadline) Value(key any) any { return d.now().Value(key) }

func (d *lazyDeadline) now() context.Context {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.made == nil {
		return d.Context
	}
	return d.made
}

// stop ends it before its time.
func (d *lazyDeadline) stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cancel != nil {
		d.cancel()
	}
}
