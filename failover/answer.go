package failover

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/livens/livens/checker"
)

// follow repeats the followed pool's choice with this pool's own addresses.
func (w *weighing) follow() {
	for _, d := range w.Pool.Deployments {
		c := candidate{DeploymentState: w.Followed.state(d.Name)}
		c.Name, c.Site, c.Address = d.Name, d.Site, nil
		for _, a := range d.Addresses {
			c.Address = append(c.Address, AddressState{Address: a, State: c.State, Reason: c.Reason})
		}
		w.candidates = append(w.candidates, c)
	}
	w.active = w.Followed.Active
	w.allDown = w.Followed.AllDown
	w.reason = fmt.Sprintf("follows %s: %s", w.Followed.Pool, w.Followed.Reason)
	w.step("pool %s follows pool %s, which answers from %v", w.Pool.Name, w.Followed.Pool, w.active)
}

// decision puts the choice together with the addresses, TTL and epoch that follow from it.
func (w *weighing) decision() *Decision {
	addresses, proven := w.addresses()
	d := &Decision{
		Pool: w.Pool.Name, Active: w.active, Addresses: addresses, TTL: w.Pool.TTL, Reason: w.reason, Pending: w.pending,
		AllDown: w.allDown, Steps: w.steps, Proven: proven, Since: w.Now, Failbacks: w.recentFailbacks(),
	}
	if d.Lowered = w.lowered(); d.Lowered {
		d.TTL = w.Pool.TTLMin
	}
	for _, c := range w.candidates {
		c.Answers = slices.Contains(d.Active, c.Name)
		revived := c.recovering && (!w.forced || w.isActive(c.Name) && w.Previous.Revived)
		d.Revived = d.Revived || c.Answers && revived && !w.allDown
		d.Deployments = append(d.Deployments, c.DeploymentState)
	}
	if w.Previous != nil {
		d.Epoch = w.Previous.Epoch
		if slices.Equal(d.Active, w.Previous.Active) {
			d.Since = w.Previous.Since
		} else if w.returned {
			d.Failbacks = append(d.Failbacks, w.Now)
		}
	}
	if w.Previous == nil || !slices.Equal(d.Active, w.Previous.Active) || !slices.Equal(d.Addresses, w.Previous.Addresses) {
		d.Epoch = max(d.Epoch+1, uint64(max(0, w.Now.Unix())))
	}
	d.Recheck = w.recheck
	return d
}

// lowered says whether the TTL must be the pool's minimum: something is failing, or a switch is near.
func (w *weighing) lowered() bool {
	if w.Followed != nil {
		return w.Followed.Lowered
	}
	failing := slices.ContainsFunc(w.candidates, func(c candidate) bool {
		return c.failing && slices.Contains(w.active, c.Name)
	})
	near := !w.due.IsZero() && !w.Now.Before(w.lowerTTLAt())
	return failing || near || w.allDown
}

// addresses are what A and AAAA answer, in the pool's order, and the addresses that have proven themselves.
func (w *weighing) addresses() (answer, proven []netip.Addr) {
	for i := range w.candidates {
		c := &w.candidates[i]
		if !slices.Contains(w.active, c.Name) {
			continue
		}
		a, p := w.addressesOf(c)
		answer, proven = append(answer, a...), append(proven, p...)
	}
	return answer, proven
}

// addressesOf picks the addresses of one active deployment. A dead one is left out while another lives; while all are
// dead the answer stays what it was. An address that was added while the deployment answers must prove itself by being
// up once, and one that it replaces answers until then, or until it dies.
func (w *weighing) addressesOf(c *candidate) (answer, proven []netip.Addr) {
	var old, unproven []netip.Addr
	for _, a := range c.Address {
		switch alive := a.State != checker.Down; {
		case !a.Held && w.isProven(c, a):
			proven = append(proven, a.Address)
			if alive {
				answer = append(answer, a.Address)
			}
		case alive && a.Held:
			old = append(old, a.Address)
		case alive:
			unproven = append(unproven, a.Address)
		}
	}
	switch {
	case len(answer) > 0:
		return answer, proven
	case len(old) > 0:
		return old, proven
	case len(unproven) > 0:
		return unproven, append(proven, unproven...)
	}
	return w.frozen(c), proven
}

// isProven says that a configured address may answer: it was there when its deployment became active, or has been up
// since. One of a family that this host cannot probe enters beside one that is up.
func (w *weighing) isProven(c *candidate, a AddressState) bool {
	if w.Followed != nil || !w.isActive(c.Name) || a.State == checker.Up || slices.Contains(w.Previous.Proven, a.Address) {
		return true
	}
	return a.unclear && slices.ContainsFunc(c.Address, func(b AddressState) bool { return !b.Held && b.State == checker.Up })
}

// frozen is the answer while no address of the deployment lives: what it was, or else everything configured.
func (w *weighing) frozen(c *candidate) []netip.Addr {
	configured := w.Pool.Deployment(c.Name).Addresses
	var kept []netip.Addr
	for _, a := range configured {
		if w.isActive(c.Name) && slices.Contains(w.Previous.Addresses, a) {
			kept = append(kept, a)
		}
	}
	if len(kept) > 0 {
		return kept
	}
	return slices.Clone(configured)
}
