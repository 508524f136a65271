package failover

import (
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/livens/livens/checker"
	"github.com/livens/livens/zones"
)

// retarget notes whom each target concerns, and that the checker is to have them.
func (e *Engine) retarget() {
	e.pools = map[string][]*zones.Pool{}
	for _, p := range e.set.Pools {
		for _, t := range Targets(p, e.decisions[p.Name]) {
			if !slices.Contains(e.pools[t.Key], p) {
				e.pools[t.Key] = append(e.pools[t.Key], p)
			}
		}
	}
	forgotten := func(key string, _ Agreed) bool { return len(e.pools[key]) == 0 }
	maps.DeleteFunc(e.memory, forgotten)
	if e.options.Alone {
		maps.DeleteFunc(e.view, forgotten)
	}
	e.unasked = map[string]bool{}
	for key := range e.pools {
		e.asked(key)
	}
	e.released, e.effects.Retarget = false, true
}

// Targets are the targets of all pools, and what the checker is to hold of those that are new to it, by target key.
func (e *Engine) Targets() ([]checker.Target, map[string]checker.Verdict) {
	var all []checker.Target
	known := map[string]checker.Verdict{}
	seen := make(map[string]bool, len(e.pools))
	if e.set == nil {
		return nil, nil
	}
	for _, p := range e.set.Pools {
		e.recall(p, known)
		for _, t := range Targets(p, e.decisions[p.Name]) {
			if !seen[t.Key] {
				seen[t.Key], all = true, append(all, t)
			}
		}
	}
	return all, known
}

// recall collects what the checker is to hold of a pool's targets that are new to it, so that one probe overturns
// nothing: the last verdict from before a restart, or, where an edit made another check of it, what was agreed of the
// address.
func (e *Engine) recall(p *zones.Pool, known map[string]checker.Verdict) {
	previous := e.decisions[p.Name]
	for _, d := range p.Deployments {
		before := previous.state(d.Name)
		for _, a := range d.Addresses {
			for _, t := range targets(p, d, a, p.Checks) {
				if known[t.Key].State == checker.Up {
					continue // another pool found it up: here another check may be what fails
				}
				if i := before.address(a); i >= 0 && before.Address[i].State != checker.Unknown {
					s := before.Address[i]
					known[t.Key] = checker.Verdict{State: s.State, Since: before.Since, Reason: s.Reason}
				}
			}
		}
	}
	for _, t := range Targets(p, previous) {
		if v, ok := e.memory[t.Key]; ok {
			known[t.Key] = v.Verdict
		}
	}
}

// asked notes whether a target has had a result.
func (e *Engine) asked(key string) {
	if e.view[key].At.IsZero() {
		e.unasked[key] = true
	} else {
		delete(e.unasked, key)
	}
}

// firstResults is how long the first probe of every target may take.
func firstResults(set *zones.Set) time.Duration {
	var longest time.Duration
	for _, p := range set.Pools {
		for _, check := range p.Checks {
			longest = max(longest, check.Timeout)
		}
	}
	return longest + time.Second // the first probes are spread a little
}

// targets are the targets of checks at one address.
func targets(p *zones.Pool, d *zones.Deployment, address netip.Addr, checks []*zones.Check) []checker.Target {
	probe := address // an address that answers though it is no longer configured is probed at itself
	if i := slices.Index(d.Addresses, address); i >= 0 {
		probe = d.ProbeAddress(i)
	}
	out := make([]checker.Target, len(checks))
	for i, c := range checks {
		out[i] = checker.NewTarget(p.Name, d.Name, probe, c)
	}
	return out
}

// Targets are the targets of a pool: of every configured address, and of the addresses that previous still answers
// with though they were taken out of the configuration.
func Targets(p *zones.Pool, previous *Decision) []checker.Target {
	checks := p.Checks
	if p.Sync != nil {
		checks = append(slices.Clone(checks), p.Sync)
	}
	var out []checker.Target
	for _, d := range p.Deployments {
		for _, a := range append(slices.Clone(d.Addresses), held(d, previous)...) {
			out = append(out, targets(p, d, a, checks)...)
		}
	}
	return out
}

// held are the addresses of d that previous answers with and that are no longer configured.
func held(d *zones.Deployment, previous *Decision) []netip.Addr {
	if previous == nil || !slices.Contains(previous.Active, d.Name) {
		return nil
	}
	var out []netip.Addr
	for _, a := range previous.state(d.Name).Address {
		if slices.Contains(previous.Addresses, a.Address) && !slices.Contains(d.Addresses, a.Address) {
			out = append(out, a.Address)
		}
	}
	return out
}

// allHeld counts the held addresses of a pool.
func allHeld(p *zones.Pool, previous *Decision) int {
	n := 0
	for _, d := range p.Deployments {
		n += len(held(d, previous))
	}
	return n
}
