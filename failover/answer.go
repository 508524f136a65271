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
	if !w.Followed.Due.IsZero() { // its own TTL may be longer, and then must fall earlier
		w.expect(w.Followed.Due, w.Followed.Pending)
	}
	w.step("pool %s follows pool %s, which answers from %v", w.Pool.Name, w.Followed.Pool, w.active)
}

// decision puts the choice together with the addresses, TTL and epoch that follow from it.
func (w *weighing) decision() *Decision {
	addresses, proven := w.addresses()
	if w.keeps() {
		addresses, proven = w.Previous.Addresses, w.Previous.Proven
	}
	d := &Decision{
		Pool: w.Pool.Name, Active: w.active, Addresses: addresses, TTL: w.Pool.TTL, Reason: w.reason, Pending: w.pending,
		AllDown: w.allDown, Steps: w.steps, Proven: proven, Since: w.Now, Failbacks: w.recentFailbacks(),
	}
	if d.Lowered = w.lowered(); d.Lowered {
		d.TTL = w.Pool.TTLMin
	}
	if w.Previous != nil {
		d.LastGood = w.Previous.LastGood
	}
	if w.anyLive(d.Active) {
		d.LastGood = d.Active
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
		d.Epoch = max(d.Epoch+1, uint64(max(0, w.clock().Unix())))
		if w.Previous != nil && slices.Equal(d.Active, w.Previous.Active) && w.Followed == nil {
			d.Reason = w.whyAddresses(d)
		}
	}
	d.Due, d.Recheck = w.due, w.recheck
	w.ground(d)
	return d
}

// ground says how firm the ground is that d stands on.
func (w *weighing) ground(d *Decision) {
	d.Definition, d.Waits = w.Pool.Hash, w.waits
	if w.Followed != nil {
		d.Provisional, d.Guess = w.Followed.Provisional, w.Followed.Guess
		return
	}
	known := slices.ContainsFunc(w.candidates, func(c candidate) bool { return c.known })
	d.Guess = !known && (w.Previous == nil || w.Previous.Guess)
	d.Provisional = w.Minority || slices.ContainsFunc(w.candidates, func(c candidate) bool {
		return !c.backed && (slices.Contains(d.Active, c.Name) || w.isActive(c.Name) && d.Epoch != w.Previous.Epoch) // what it was left for
	})
	if w.Previous != nil {
		d.Obeyed = w.Previous.Obeyed
	}
	if w.order != nil && slices.Equal(d.Active, []string{w.order.Deployment}) {
		d.Obeyed = w.order.ID()
	}
}

// keeps says that the addresses, too, stay as another nameserver decided: all of them are there.
func (w *weighing) keeps() bool {
	if !w.stood {
		return false
	}
	return !slices.ContainsFunc(w.Previous.Addresses, func(a netip.Addr) bool {
		return !slices.ContainsFunc(w.candidates, func(c candidate) bool { return slices.Contains(w.active, c.Name) && c.address(a) >= 0 })
	})
}

// anyLive says that one of the deployments named is live, or was when it was last asked and nothing else is.
func (w *weighing) anyLive(names []string) bool {
	return slices.ContainsFunc(w.candidates, func(c candidate) bool {
		return slices.Contains(names, c.Name) && w.rank(&c) < unproven
	})
}

// lowered says whether the TTL must be the pool's minimum: something is failing, or a switch is near.
func (w *weighing) lowered() bool {
	near := !w.due.IsZero() && !w.Now.Before(w.lowerTTLAt())
	if w.Followed != nil {
		return w.Followed.Lowered || near
	}
	failing := slices.ContainsFunc(w.candidates, func(c candidate) bool {
		return (c.failing || c.State == checker.Down || !c.tied.IsZero()) && slices.Contains(w.active, c.Name)
	})
	return failing || near || w.allDown || w.waits != ""
}

// addresses are what A and AAAA answer, in the pool's order, and the addresses that have proven themselves.
func (w *weighing) addresses() (answer, proven []netip.Addr) {
	for i := range w.candidates {
		c := &w.candidates[i]
		if !slices.Contains(w.active, c.Name) {
			continue
		}
		a, p := w.addressesOf(c)
		a = slices.DeleteFunc(a, func(x netip.Addr) bool { return slices.Contains(answer, x) }) // it moved between deployments
		answer, proven = append(answer, a...), append(proven, p...)
	}
	return answer, proven
}

// addressesOf picks the addresses of one active deployment, of each family by itself, for visitors of the one cannot
// reach the other.
//
//   - A dead address is left out while another one is surely alive: up, and not in doubt. The addresses of a deployment
//     that dies are called down one after the other, and nothing may be missing from the answer in between, nor after:
//     while none lives, all of them answer.
//   - An address that was added while the deployment answers must prove itself by being up once. One that it replaces
//     answers until then, or until it dies.
func (w *weighing) addressesOf(c *candidate) (answer, proven []netip.Addr) {
	sure := slices.ContainsFunc(c.Address, func(a AddressState) bool { return !a.Held && a.State == checker.Up && !a.failing })
	settled := slices.ContainsFunc(c.Address, func(a AddressState) bool { return !a.Held && a.State == checker.Up })
	for _, family := range []func(netip.Addr) bool{netip.Addr.Is4, netip.Addr.Is6} {
		configured := slices.ContainsFunc(c.Address, func(a AddressState) bool { return !a.Held && family(a.Address) })
		var fit, old, fresh []netip.Addr
		lives, known := false, false // a proven address lives; some address of the family answered before
		for _, a := range c.Address {
			alive := a.State != checker.Down
			switch isProven := !a.Held && w.isProven(c, a); {
			case !family(a.Address):
			case isProven:
				proven, known, lives = append(proven, a.Address), true, lives || alive
				if alive || !sure {
					fit = append(fit, a.Address)
				}
			case a.Held:
				known = true
				if alive {
					old = append(old, a.Address)
				}
			case alive:
				fresh = append(fresh, a.Address)
			}
		}
		switch {
		case lives, len(old)+len(fresh) == 0:
			answer = append(answer, fit...)
		case len(old) > 0 && (configured || !settled):
			answer = append(answer, old...)
		case known: // those that answered are dead: the new ones enter, proven or not
			answer, proven = append(append(answer, fit...), fresh...), append(proven, fresh...)
		}
	}
	if len(answer) == 0 {
		answer = slices.Clone(w.Pool.Deployment(c.Name).Addresses)
	}
	return inOrder(c, answer), proven
}

// inOrder sorts addresses as the deployment lists them.
func inOrder(c *candidate, addresses []netip.Addr) []netip.Addr {
	slices.SortFunc(addresses, func(a, b netip.Addr) int { return c.address(a) - c.address(b) })
	return addresses
}

// isProven says that a configured address may answer: it was there when its deployment became active, or has been up
// since. One of a family that this host cannot probe enters beside one that is up.
func (w *weighing) isProven(c *candidate, a AddressState) bool {
	if w.Followed != nil || !w.isActive(c.Name) || a.State == checker.Up || slices.Contains(w.Previous.Proven, a.Address) {
		return true
	}
	return a.unclear && slices.ContainsFunc(c.Address, func(b AddressState) bool { return !b.Held && b.State == checker.Up })
}
