package failover

import (
	"context"
	"fmt"
	"log/slog"
	"time"
)

// request is an order on its way, and where its answer goes.
type request struct {
	order     Order
	overrides []Override
	err       error
	done      chan error // buffered
}

// Do carries out an order: it is written to the state folder, then applied. The error says why not: ErrRefused, or
// that it could not be written, and then nothing was changed either; only when ctx ends while it is being written may it
// still take effect.
func (c *Controller) Do(ctx context.Context, o Order) error {
	r := request{order: o, done: make(chan error, 1)}
	select {
	case c.orders <- r:
	case <-ctx.Done():
		return refuse("an earlier order is still being written to the state folder: %w", ctx.Err())
	}
	select {
	case err := <-r.done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("the state folder is slow: the order is neither obeyed nor refused yet, see status: %w", ctx.Err())
	}
}

// Preview is what an order would bring as things stand, or an error that wraps ErrRefused. It changes nothing.
func (c *Controller) Preview(ctx context.Context, o Order) (forecast *Forecast, err error) {
	done := make(chan struct{})
	look := func() {
		forecast, err = c.engine.Preview(o, time.Now())
		close(done)
	}
	select {
	case c.looks <- look:
		<-done
		return forecast, err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// take judges an order and has the overrides that follow from it written.
func (c *Controller) take(r request) {
	next, err := c.engine.Plan(r.order, time.Now())
	if err != nil {
		c.options.Log.Info("order refused", "verb", r.order.Verb, "pool", r.order.Pool, "who", r.order.Who, "reason", err)
		r.done <- err
		return
	}
	r.overrides = next
	c.pending = &r
	c.saver.keepOverrides(next)
}

// commit applies the pending order once it is on disk.
func (c *Controller) commit(err error) {
	r := c.pending
	c.pending = nil
	if err == nil {
		c.engine.Obey(r.overrides, time.Now())
		c.options.Log.LogAttrs(context.Background(), slog.LevelWarn, "order", r.order.attrs()...)
	}
	r.err = err
	c.obeyed = r
}

// attrs are the order as it is logged.
func (o Order) attrs() []slog.Attr {
	return given(
		slog.String("verb", string(o.Verb)), slog.String("pool", o.Pool), slog.String("deployment", o.Deployment),
		slog.String("who", o.Who), slog.String("why", o.Why), slog.Time("at", o.At), slog.Duration("for", o.For), slog.Bool("force", o.Force),
	)
}
