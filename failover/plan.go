package failover

import (
	"fmt"
	"slices"
	"time"

	"github.com/livens/livens/checker"
	"github.com/livens/livens/zones"
)

// failbackOrderLife bounds how long an order to fail back waits for its deployment to be fit to answer.
const failbackOrderLife = time.Hour

// desk is what an order is judged by, and where its registers are written.
type desk struct {
	set       *zones.Set
	decisions map[string]*Decision
	overrides []Override // every register
	node      string
	now       time.Time // by the clock of orders
}

// plan is the list of registers after an order, or why it is refused. It changes nothing.
func (o Order) plan(d desk) ([]Override, error) {
	if err := o.validate(d.now); err != nil {
		return nil, err
	}
	pool, err := o.pool(d.set)
	if err != nil {
		return nil, err
	}
	if x := d.pending(pool.Name, ToDrain, o.Deployment); o.Verb == DoUndrain && x != nil {
		return d.write(o.tombstone(x)) // also of a deployment that the pool no longer has
	}
	if err := o.deployment(pool); err != nil {
		return nil, err
	}
	if err := o.soon(d, pool); err != nil {
		return nil, err
	}
	switch o.Verb {
	case DoFailover:
		return o.planFailover(d, pool)
	case DoFailback:
		return o.planFailback(d, pool)
	case DoDrain:
		return o.planDrain(d, pool)
	case DoUndrain:
		return nil, o.notDrained(d.decisions[pool.Name])
	}
	return nil, refuse("no such order: %q", o.Verb)
}

// pending is the register of that kind that counts or may count later: of that deployment or ("") of any; or nil.
func (d *desk) pending(pool string, kind Kind, deployment string) *Override {
	for i := range d.overrides {
		o := &d.overrides[i]
		if o.Pool == pool && o.Kind == kind && (deployment == "" || o.Deployment == deployment) && o.pending(d.now) {
			return o
		}
	}
	return nil
}

// write is the list of registers with new versions of some.
func (d *desk) write(versions ...Override) ([]Override, error) {
	clock := uint64(max(0, d.now.UnixMilli()))
	for i := range d.overrides {
		clock = max(clock, d.overrides[i].Clock+1)
	}
	for i := range versions {
		versions[i].Clock, versions[i].Node, versions[i].At = clock, d.node, d.now.Round(0)
	}
	next := MergeOverrides(d.overrides, versions)
	if len(next) == maxRegisters && len(d.overrides) == maxRegisters {
		return nil, refuse("%d orders are kept already: remove overrides.json from the state folders of all nameservers to forget them", maxRegisters)
	}
	return next, nil
}

// override is the order as it stays in force; who takes it stamps it.
func (o Order) override(kind Kind, deployment string, now time.Time) Override {
	x := Override{Kind: kind, Pool: o.Pool, Deployment: deployment, Who: o.Who, Why: o.Why, Force: o.Force}
	if o.planned(now) {
		x.From = o.At.Round(0)
	}
	if o.For > 0 {
		x.Until = later(now, x.From).Add(o.For).Round(0)
	}
	return x
}

// tombstone ends an order.
func (o Order) tombstone(x *Override) Override {
	return Override{Kind: x.Kind, Pool: x.Pool, Deployment: x.Deployment, Who: o.Who, Why: o.Why, Cleared: true}
}

func (o Order) planFailover(d desk, pool *zones.Pool) ([]Override, error) {
	if pool.Policy == zones.AllLive {
		return nil, refuse("pool %s answers with all live deployments: drain those that must not answer", pool.Name)
	}
	planned := o.planned(d.now)
	if err := o.fit(pool, d.decisions[pool.Name].state(o.Deployment)); err != nil && !o.Force && !planned {
		return nil, err
	}
	switch x := d.pending(pool.Name, ToFailover, ""); {
	case x == nil:
	case planned && x.inForce(d.now):
		return nil, refuse("a %s is in force: livens failback %s ends it, then plan the next", x, pool.Name)
	case !planned && !x.inForce(d.now):
		return nil, refuse("a %s is planned: livens failback %s calls it off, then order another", x, pool.Name)
	}
	versions := []Override{o.override(ToFailover, o.Deployment, d.now)}
	if !planned {
		versions = append(versions, o.tombstones(d, pool, ToFailback)...)
	}
	return d.write(versions...)
}

// tombstones end the pool's orders of one kind that count or may count later.
func (o Order) tombstones(d desk, pool *zones.Pool, kind Kind) []Override {
	var out []Override
	for i := range d.overrides {
		if x := &d.overrides[i]; x.Pool == pool.Name && x.Kind == kind && x.pending(d.now) {
			out = append(out, o.tombstone(x))
		}
	}
	return out
}

// fit refuses to send traffic at once to a deployment that should not have it.
func (o Order) fit(pool *zones.Pool, s DeploymentState) error {
	switch why := unfit(s); {
	case why == "":
		return nil
	case s.State != checker.Up && pool.Deployment(o.Deployment).Cold:
		return refuse("%s is cold and %s: start it first, or plan the switch with --at: it waits until %s is up", o.Deployment, s.State, o.Deployment)
	default:
		return refuse("%s %s; --force --for 1h does it all the same", o.Deployment, why)
	}
}

// unfit says why traffic should not be sent to a deployment, or "".
func unfit(s DeploymentState) string {
	switch {
	case s.State != checker.Up:
		return fmt.Sprintf("is %s (%s)", s.State, s.Reason)
	case s.Drained != "":
		return fmt.Sprintf("is draining, %s", s.Drained)
	case s.Gate == Shut:
		return fmt.Sprintf("is not in sync (%s)", s.GateWhy)
	}
	return ""
}

// planFailback ends a preference, and lets traffic return to the deployments that are preferred to what answers, or, of
// an all-live pool, to all. The order waits for one that is not fit yet.
func (o Order) planFailback(d desk, pool *zones.Pool) ([]Override, error) {
	versions := append(o.tombstones(d, pool, ToFailover), o.returns(d, pool)...)
	for _, x := range o.tombstones(d, pool, ToFailback) {
		if !slices.ContainsFunc(versions, func(v Override) bool { return v.register() == x.register() }) {
			versions = append(versions, x)
		}
	}
	return d.write(versions...)
}

// returns are the orders to fail back, each to one deployment.
func (o Order) returns(d desk, pool *zones.Pool) []Override {
	decision := d.decisions[pool.Name]
	var out []Override
	for _, s := range decision.Deployments {
		switch {
		case s.Answers && pool.Policy == zones.Failover:
			return out // nothing is preferred to it, or what is, is ordered
		case s.Answers, s.Drained != "":
			continue
		}
		x := o.override(ToFailback, s.Name, d.now)
		x.Seen = decision.Active
		if x.Until.IsZero() {
			x.Until = d.now.Add(failbackOrderLife).Round(0)
		}
		out = append(out, x)
	}
	return out
}

func (o Order) planDrain(d desk, pool *zones.Pool) ([]Override, error) {
	others := slices.ContainsFunc(d.decisions[pool.Name].Deployments, func(s DeploymentState) bool {
		return s.Name != o.Deployment && s.State == checker.Up && s.Drained == ""
	})
	if !others && !o.Force {
		return nil, refuse("%s is the last live deployment of pool %s; --force --for 1h drains it all the same", o.Deployment, pool.Name)
	}
	if x := d.pending(pool.Name, ToDrain, o.Deployment); o.planned(d.now) && x != nil && x.inForce(d.now) {
		return nil, refuse("a %s is in force: livens undrain %s %s ends it, then plan the next", x, pool.Name, o.Deployment)
	}
	return d.write(o.override(ToDrain, o.Deployment, d.now))
}

// notDrained refuses to end a drain that no operator ordered.
func (o Order) notDrained(d *Decision) error {
	if why := d.state(o.Deployment).Drained; why != "" {
		return refuse("no operator drains %s; it is drained %s", o.Deployment, why)
	}
	return refuse("%s of pool %s is not drained", o.Deployment, o.Pool)
}
