package zones

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/livens/livens/internal/suggest"
)

// conflicts finds what is wrong between zones, and whom to blame: the file that changed since its last good version,
// else the later by name.
type conflicts struct {
	*resolver
	blamed map[*candidate]Problem
	pools  map[string]placed
}

// placed is a pool with the file it comes from.
type placed struct {
	*Pool
	from *candidate
}

func (c *conflicts) find() {
	c.pools = map[string]placed{}
	zones := map[string]*candidate{}
	for _, here := range c.candidates {
		if here.current == nil {
			continue
		}
		zone := here.current.zone
		if other := zones[zone.Name]; other != nil {
			c.twice(other, here, "zone", "zone.name", "zone "+zone.Name)
			continue
		}
		zones[zone.Name] = here
		for _, p := range zone.Pools {
			if other, taken := c.pools[p.Name]; taken {
				c.twice(other.from, here, "pool "+p.Name, "pool."+p.Name, "pool "+p.Name)
				continue
			}
			c.pools[p.Name] = placed{p, here}
		}
	}
	if len(c.blamed) > 0 {
		return // who follows whom is asked once names are unique
	}
	for _, name := range slices.Sorted(maps.Keys(c.pools)) {
		if p := c.pools[name]; p.Follow != "" {
			c.follow(p)
		}
	}
}

// twice blames one of two files that give the same thing.
func (c *conflicts) twice(a, b *candidate, line, key, what string) {
	guilty, other := c.later(a, b), a
	if guilty == a {
		other = b
	}
	c.blame(guilty, line, key, fmt.Sprintf("%s is given in %s too", what, c.shown(other)), "names are unique across files")
}

// later picks the file that changed, else the later by name.
func (c *conflicts) later(files ...*candidate) *candidate {
	var changed []*candidate
	for _, f := range files {
		if c.changed(f) {
			changed = append(changed, f)
		}
	}
	if len(changed) > 0 {
		files = changed
	}
	return slices.MaxFunc(files, func(a, b *candidate) int { return strings.Compare(a.file, b.file) })
}

func (c *conflicts) blame(guilty *candidate, line, key, message, hint string) {
	if _, already := c.blamed[guilty]; already {
		return
	}
	p := Problem{File: c.shown(guilty), Key: key, Message: message, Hint: hint}
	if guilty.current != nil {
		p.Line = guilty.current.lines[line]
	}
	c.blamed[guilty] = p
}

// shown is a candidate's file as operators know it.
func (r *resolver) shown(c *candidate) string { return path.Join(r.label, c.file) }

// follow checks whom a pool follows.
func (c *conflicts) follow(p placed) {
	leader, ok := c.pools[p.Follow]
	if !ok {
		c.followNobody(p)
		return
	}
	for _, d := range leader.Deployments {
		if p.Deployment(d.Name) == nil {
			c.followApart(p, leader, d.Name)
			return
		}
	}
	circle := []placed{p}
	for at := leader; at.Pool != nil && len(circle) <= len(c.pools); at = c.pools[at.Follow] {
		if at.Pool == p.Pool {
			c.followRound(circle)
			return
		}
		circle = append(circle, at)
	}
}

// followNobody blames the follower if it changed, else the file whose last good version has the pool.
func (c *conflicts) followNobody(p placed) {
	if !c.changed(p.from) {
		for _, other := range c.candidates {
			if other == p.from || !c.changed(other) {
				continue
			}
			good := c.lastGood(other.file)
			if good != nil && slices.ContainsFunc(good.zone.Pools, func(q *Pool) bool { return q.Name == p.Follow }) {
				c.blame(other, "zone", "", fmt.Sprintf("pool %q is gone, and pool %q in %s follows it", p.Follow, p.Name, c.shown(p.from)),
					"change the follower in the same edit or before")
				return
			}
		}
	}
	c.blame(p.from, "follow "+p.Name, "pool."+p.Name+".follow", fmt.Sprintf("there is no pool %q", p.Follow),
		suggest.Nearest(p.Follow, slices.Sorted(maps.Keys(c.pools))))
}

// followApart blames one of two files whose deployments do not match.
func (c *conflicts) followApart(p, leader placed, missing string) {
	message := fmt.Sprintf("pool %q has a deployment %q, and pool %q that follows it has none of that name", leader.Name, missing, p.Name)
	if c.changed(leader.from) && !c.changed(p.from) {
		c.blame(leader.from, "pool "+leader.Name, "pool."+leader.Name, message, "change the follower in the same edit or before")
		return
	}
	c.blame(p.from, "follow "+p.Name, "pool."+p.Name+".follow", message, fmt.Sprintf("add a [[pool.%s.deployment]] named %q", p.Name, missing))
}

// followRound blames one file of a circle.
func (c *conflicts) followRound(circle []placed) {
	files := make([]*candidate, len(circle))
	names := make([]string, len(circle))
	for i, p := range circle {
		files[i], names[i] = p.from, p.Name
	}
	guilty := c.later(files...)
	p := circle[slices.Index(files, guilty)]
	c.blame(guilty, "follow "+p.Name, "pool."+p.Name+".follow", "the pool follows in a circle: "+strings.Join(names, " → ")+" → "+names[0], "one of them needs checks of its own")
}

// warn says what is legal and unwise between the zones that are served.
func (r *resolver) warn() {
	zones, pools := map[string]*candidate{}, map[string]*Pool{}
	for _, c := range r.candidates {
		if c.current != nil {
			zones[c.current.zone.Name] = c
			for _, p := range c.current.zone.Pools {
				pools[p.Name] = p
			}
		}
	}
	for _, c := range r.candidates {
		if c.current == nil || c.current != c.fresh {
			continue
		}
		for _, p := range c.fresh.zone.Pools {
			r.warnShadowed(c, p, zones)
			if leader := pools[p.Follow]; leader != nil {
				r.warnUnused(c, p, leader)
			}
		}
	}
}

// warnShadowed warns of answer names that belong to a child zone on this server.
func (r *resolver) warnShadowed(c *candidate, p *Pool, zones map[string]*candidate) {
	for _, name := range p.Answers {
		for at := name; at != p.Zone && at != "."; at = parent(at) {
			if child := zones[at]; child != nil {
				c.problems = append(c.problems, Problem{Warning: true, File: r.shown(c), Line: c.fresh.lines["pool "+p.Name], Key: "pool." + p.Name + ".answers",
					Message: fmt.Sprintf("%s belongs to the zone in %s: this pool never answers there", name, r.shown(child))})
				break
			}
		}
	}
}

// warnUnused warns of a follower's deployments that its leader does not have.
func (r *resolver) warnUnused(c *candidate, p, leader *Pool) {
	for _, d := range p.Deployments {
		if leader.Deployment(d.Name) == nil {
			c.problems = append(c.problems, Problem{Warning: true, File: r.shown(c), Line: c.fresh.lines["pool "+p.Name], Key: "pool." + p.Name + ".deployment." + d.Name,
				Message: fmt.Sprintf("is never chosen: pool %q has no deployment of that name", leader.Name)})
		}
	}
}
