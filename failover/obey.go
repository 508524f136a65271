package failover

import (
	"context"
	"fmt"
	"time"

	"github.com/livens/livens/zones"
)

// request is an order on its way, and where its answer goes.
type request struct {
	order     Order
	at        time.Time
	overrides []Override
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

// take judges an order and has the overrides that follow from it written.
func (c *Controller) take(r request) {
	if c.set == nil {
		r.done <- refuse("no zones are loaded yet")
		return
	}
	r.at = time.Now()
	next, err := r.order.plan(c.set, c.decisions, c.overrides, r.at)
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
		c.overrides = r.overrides
		c.see(r)
		c.options.Log.Warn("order", "verb", r.order.Verb, "pool", r.order.Pool, "deployment", r.order.Deployment,
			"who", r.order.Who, "why", r.order.Why, "for", r.order.For, "force", r.order.Force)
		if p := c.set.Pool(r.order.Pool); p != nil {
			c.decideFor([]*zones.Pool{p})
		}
	}
	r.done <- err
}

// see renews what an order saw: a switch that came while it was written has not carried it out.
func (c *Controller) see(r *request) {
	d := c.decisions[r.order.Pool]
	for i := range c.overrides {
		if o := &c.overrides[i]; d != nil && o.Pool == r.order.Pool && o.At.Equal(r.at) {
			o.Seen = d.Since
		}
	}
}
