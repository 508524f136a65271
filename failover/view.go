package failover

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/livens/livens/checker"
	"github.com/livens/livens/zones"
)

// View is what is agreed of every target that this nameserver knows, by target key.
type View map[string]Agreed

// state is what the decision held of a deployment; the zero value when it did not know it.
func (d *Decision) state(deployment string) DeploymentState {
	if d != nil {
		for _, s := range d.Deployments {
			if s.Name == deployment {
				return s
			}
		}
	}
	return DeploymentState{}
}

// candidate is a deployment as Decide weighs it.
type candidate struct {
	DeploymentState
	// recovering: it is down, and at one address the last result of every check was a success.
	recovering bool
	// failing: probes fail, and the verdict is not made yet, or not trusted.
	failing bool
	// known: State, and Gate where there is one, rest on verdicts and not on memory.
	known bool
	// tied is since when State rests on memory because as many observers say up as down; zero: it does not.
	tied time.Time
	// backed: enough observers vote on one of its addresses.
	backed bool
}

// seen says that there is a verdict on one of its addresses now.
func (c candidate) seen() bool {
	return slices.ContainsFunc(c.Address, func(a AddressState) bool { return !a.remembered })
}

// observe derives a deployment's agreed state from the view. Unknown abstains: where the view does not know, what the
// previous decision held stays.
func observe(in *Input, d *zones.Deployment) candidate {
	before := in.Previous.state(d.Name)
	c := candidate{DeploymentState: DeploymentState{Name: d.Name, Site: d.Site, Cold: d.Cold}}
	for _, a := range d.Addresses {
		c.add(in, d, a, before, false)
	}
	for _, a := range held(d, in.Previous) {
		c.add(in, d, a, before, true)
	}
	c.settle(before, in)
	c.drain(in)
	c.gate(in, d, before)
	if c.known {
		c.Known = before.Known
		if c.Known.IsZero() {
			c.Known = in.Now
		}
	}
	return c
}

// add weighs one address: up when every check is, down when one is.
func (c *candidate) add(in *Input, d *zones.Deployment, address netip.Addr, before DeploymentState, isHeld bool) {
	now := AddressState{Address: address, State: checker.Up, Held: isHeld}
	recovering, backed := true, true
	for _, t := range targets(in.Pool, d, address, in.Pool.Checks) {
		v := in.View[t.Key]
		if worse(v.State, now.State) || now.Reason == "" {
			now.State, now.Reason = v.State, v.Reason
		}
		if v.State == checker.Unknown && !v.Tied.IsZero() {
			now.tied = earlier(v.Tied, now.tied)
		}
		backed = backed && !v.Lacking
		now.unclear = now.unclear || v.State == checker.Unknown && !v.At.IsZero()
		c.Doubt = c.Doubt || v.Doubt
		now.failing = now.failing || v.Doubt || v.State == checker.Unknown && v.Streak < 0
		if v.Drain {
			c.Drained = "by its check (" + v.Reason + ")"
		}
		recovering = recovering && v.Streak > 0
	}
	if now.State == checker.Unknown {
		now.remember(before)
	}
	now.backed = backed
	c.recovering, c.backed = c.recovering || recovering, c.backed || backed
	c.failing = c.failing || now.failing
	c.Address = append(c.Address, now)
}

// remember keeps the state that was agreed before, and says that it is old.
func (a *AddressState) remember(before DeploymentState) {
	a.remembered = true
	if i := before.address(a.Address); i >= 0 {
		a.State = before.Address[i].State
	}
	switch {
	case a.Reason == "":
		a.Reason = "no result yet"
	case a.State != checker.Unknown:
		a.Reason = fmt.Sprintf("%s; last known %s", a.Reason, a.State)
	}
}

// address is the index of an address, or -1.
func (s *DeploymentState) address(a netip.Addr) int {
	return slices.IndexFunc(s.Address, func(x AddressState) bool { return x.Address == a })
}

// worse orders states for "all checks must pass".
func worse(a, b checker.State) bool {
	badness := func(s checker.State) int {
		return map[checker.State]int{checker.Up: 0, checker.Unknown: 1, checker.Down: 2}[s]
	}
	return badness(a) > badness(b)
}

// settle makes the deployment's state of its addresses': up when one is up, else down when one is down. What is known
// now goes before what is remembered, and what enough observers vote on before what few do: an address that cannot be probed
// any more, or by most, keeps no dead deployment up. Where
// nothing is known of any address, the deployment's own state stays, provided that it is still the same place.
func (c *candidate) settle(before DeploymentState, in *Input) {
	for _, ground := range []struct{ backed, remembered bool }{{true, false}, {false, false}, {true, true}, {false, true}} {
		for _, want := range []checker.State{checker.Up, checker.Down} {
			i := slices.IndexFunc(c.Address, func(a AddressState) bool {
				return a.State == want && a.remembered == ground.remembered && a.backed == ground.backed
			})
			if i >= 0 && c.State == checker.Unknown {
				c.State, c.Reason, c.known = want, c.Address[i].Reason, !ground.remembered
			}
		}
	}
	if !c.known {
		for _, a := range c.Address {
			c.tied = earlier(a.tied, c.tied)
		}
	}
	if c.State == checker.Unknown {
		c.Reason = c.Address[0].Reason
		same := slices.ContainsFunc(c.Address, func(a AddressState) bool { return before.address(a.Address) >= 0 })
		if same || in.Previous != nil && slices.Contains(in.Previous.Active, c.Name) {
			c.State = before.State
		}
	}
	c.Since = before.Since
	if c.State != before.State || before.Since.IsZero() {
		c.Since = in.Now
	}
	c.recovering = c.recovering && c.State == checker.Down
}

func (c *candidate) drain(in *Input) {
	if o := find(in.Overrides, ToDrain, c.Name, in.clock()); o != nil {
		c.Drained = o.by()
	}
}

// gate reads the sync check: open when it is up at one address. Unknown keeps the gate as it was, at first shut.
func (c *candidate) gate(in *Input, d *zones.Deployment, before DeploymentState) {
	if in.Pool.Sync == nil {
		return
	}
	c.Gate, c.GateSince, c.GateWhy = Shut, before.GateSince, "no result yet"
	known := false
	for _, a := range d.Addresses {
		v := in.View[targets(in.Pool, d, a, []*zones.Check{in.Pool.Sync})[0].Key]
		if v.State == checker.Unknown || c.Gate == Open {
			continue
		}
		known, c.GateWhy = true, v.Reason
		if v.State == checker.Up {
			c.Gate = Open
		}
	}
	if !known && before.Gate != NoGate {
		c.Gate, c.GateWhy = before.Gate, before.GateWhy
	}
	c.known = c.known && known
	if c.Gate != before.Gate || c.GateSince.IsZero() {
		c.GateSince = in.Now
	}
}

// earlier is the earlier of two times, of which a zero one does not count.
func earlier(a, b time.Time) time.Time {
	if b.IsZero() || !a.IsZero() && a.Before(b) {
		return a
	}
	return b
}
