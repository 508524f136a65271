package failover

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/livens/livens/zones"
)

// settle is how long a decision that was adopted stands before this nameserver's own view may contradict it: the votes
// that it was made on may still be on their way.
const settle = 300 * time.Millisecond

// class is how much a decision counts against another's, before its epoch does.
func (d *Decision) class() int {
	switch {
	case d.Guess:
		return 0
	case d.Provisional:
		return 1
	}
	return 2
}

// prefer orders decisions of equal definition on the pool p; the greater counts: firm before provisional before a guess,
// then the higher epoch, then the later deployments in order, then their names, then the addresses, then who chose first.
// It is zero only for one and the same choice.
func prefer(p *zones.Pool, a, b *Decision) int {
	return cmp.Or(
		cmp.Compare(a.class(), b.class()), cmp.Compare(a.Epoch, b.Epoch),
		slices.Compare(places(p, a), places(p, b)), slices.Compare(a.Active, b.Active),
		slices.CompareFunc(a.Addresses, b.Addresses, netip.Addr.Compare),
		b.Since.Compare(a.Since), strings.Compare(a.Obeyed, b.Obeyed),
	)
}

// places are where in the pool's order the active deployments stand; -1: nowhere.
func places(p *zones.Pool, d *Decision) []int {
	out := make([]int, len(d.Active))
	for i, name := range d.Active {
		out[i] = slices.IndexFunc(p.Deployments, func(x *zones.Deployment) bool { return x.Name == name })
	}
	return out
}

// sameChoice says that a resolver could not tell two decisions apart.
func sameChoice(a, b *Decision) bool {
	return slices.Equal(a.Active, b.Active) && slices.Equal(a.Addresses, b.Addresses)
}

// sound says that a peer's decision can be adopted for p: it answers something, with deployments that the pool has.
func (d *Decision) sound(p *zones.Pool, now time.Time) bool {
	return d.Definition == p.Hash && len(d.Active) > 0 && len(d.Addresses) > 0 && d.Epoch <= uint64(max(0, now.Add(farAhead).Unix())) && !slices.Contains(places(p, d), -1)
}

// adopt is own after hearing of a decision that is preferred to it. What this nameserver sees of the deployments stays,
// and the epoch never goes back: another choice with a lower one gets the next. published says that own has been answered
// with.
func adopt(p *zones.Pool, own, heard *Decision, published bool, now time.Time) *Decision {
	if own == nil {
		own = &Decision{Pool: p.Name}
	}
	d := *heard
	d.Pool, d.TTL, d.Lowered, d.Steps, d.Pending, d.Due, d.Recheck, d.Waits = p.Name, own.TTL, own.Lowered, own.Steps, own.Pending, own.Due, own.Recheck, own.Waits
	d.Failbacks = slices.Clone(heard.Failbacks)
	d.Deployments = slices.Clone(own.Deployments)
	switch {
	case sameChoice(own, heard):
		d.Epoch = max(own.Epoch, heard.Epoch)
	case published:
		d.Epoch = max(own.Epoch+1, heard.Epoch)
	}
	for i := range d.Deployments {
		d.Deployments[i].Answers = slices.Contains(d.Active, d.Deployments[i].Name)
	}
	d.hold(p)
	d.clamp(now)
	return &d
}

// hold notes the addresses that are answered though the pool does not have them any more, so that they go on until their
// successors are proven. Of several deployments that answer, any may hold them.
func (d *Decision) hold(p *zones.Pool) {
	for _, a := range d.Addresses {
		configured := slices.ContainsFunc(p.Deployments, func(x *zones.Deployment) bool { return slices.Contains(x.Addresses, a) })
		noted := slices.ContainsFunc(d.Deployments, func(s DeploymentState) bool { return s.address(a) >= 0 })
		if configured || noted {
			continue
		}
		i := slices.IndexFunc(d.Deployments, func(s DeploymentState) bool { return s.Name == d.Active[0] })
		if i < 0 {
			i, d.Deployments = len(d.Deployments), append(d.Deployments, DeploymentState{Name: d.Active[0], Answers: true})
		}
		d.Deployments[i].Address = append(slices.Clone(d.Deployments[i].Address), AddressState{Address: a, Held: true})
	}
}
