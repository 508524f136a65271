package failover

import (
	"slices"

	"github.com/livens/livens/zones"
)

// preferring is the operator's preference that counts now: in force, of a deployment that the pool still has, and not
// waiting; or nil.
func (w *weighing) preferring() *Override {
	order := find(w.Overrides, ToFailover, "", w.clock())
	switch {
	case order == nil:
	case w.Pool.Deployment(order.Deployment) == nil:
		w.step("override without effect: %s; the pool has no such deployment", order)
		return nil
	default:
		w.step("override in force: %s", order)
		w.order = order
		if w.waits = w.unfit(order); w.waits != "" && !w.isActive(order.Deployment) {
			w.step("it waits: %s", w.waits)
			return nil
		}
	}
	return order
}

// unfit is why a planned switch that is not carried out yet has to wait, or "": nobody is there to watch it, so that its
// deployment must be known to be well.
func (w *weighing) unfit(order *Override) string {
	obeyed := w.Previous != nil && w.Previous.Obeyed == order.ID()
	if order.From.IsZero() || order.Force || obeyed || w.Pool.Policy == zones.AllLive {
		return ""
	}
	i := slices.IndexFunc(w.candidates, func(c candidate) bool { return c.Name == order.Deployment })
	switch c := &w.candidates[i]; {
	case unfit(c.DeploymentState) != "":
		return c.Name + " " + unfit(c.DeploymentState)
	case !c.known:
		return c.Name + " must be judged anew first: " + c.Reason
	case c.Doubt:
		return c.Name + " is in doubt: " + c.Reason
	}
	return ""
}

// ordered says that an operator prefers best, and that this was not carried out yet. Once it was, and best died and
// returned, the failback rule applies to it as to any other.
func (w *weighing) ordered(order *Override, best *candidate) bool {
	return order != nil && order.Deployment == best.Name && (w.Previous == nil || w.Previous.Obeyed != order.ID())
}

// preference is the order in which deployments are wanted: the pool's, after the one an operator prefers.
func (w *weighing) preference(order *Override) []*candidate {
	out := make([]*candidate, len(w.candidates))
	for i := range w.candidates {
		out[i] = &w.candidates[i]
	}
	slices.SortStableFunc(out, func(a, b *candidate) int {
		return preferred(order, b) - preferred(order, a)
	})
	return out
}

func preferred(order *Override, c *candidate) int {
	if order != nil && order.Deployment == c.Name {
		return 1
	}
	return 0
}
