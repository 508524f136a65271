package zones

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/livens/livens/internal/suggest"
)

// follow checks whom a pool follows.
func (c *conflicts) follow(p placed) {
	leader, ok := c.pools[p.Follow]
	if !ok {
		c.followNobody(p)
		return
	}
	for _, d := range leader.Deployments {
		readable := d.Name != "" && len(p.Deployments) > 0 && p.Deployment("") == nil
		if readable && p.Deployment(d.Name) == nil {
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
	if c.written && slices.ContainsFunc(c.candidates, func(f *candidate) bool { return f.fresh != nil && f.fresh.draft == nil }) {
		return // it may be in a file that cannot be read
	}
	if !c.written && !c.changed(p.from) {
		for _, other := range c.candidates {
			if other == p.from || !c.changed(other) {
				continue
			}
			good := c.lastGood(other.file)
			if good != nil && good.zone.pool(p.Follow) != nil {
				c.blame(other, nil, "zone", "", fmt.Sprintf("pool %q is gone, and pool %q in %s follows it", p.Follow, p.Name, c.shown(p.from)),
					"change the follower in the same edit or before")
				return
			}
		}
	}
	message, hint := fmt.Sprintf("there is no pool %q", p.Follow), suggest.Nearest(p.Follow, slices.Sorted(maps.Keys(c.pools)))
	for _, other := range c.candidates {
		if other.fresh != nil && other.fresh.draft != nil && other.fresh.draft.pool(p.Follow) != nil {
			message, hint = fmt.Sprintf("pool %q is in %s, which is refused", p.Follow, c.shown(other)), "correct that file"
		}
	}
	c.blame(p.from, []*candidate{p.from}, "follow "+p.Name, "pool."+p.Name+".follow", message, hint)
}

// followApart blames one of two files whose deployments do not match.
func (c *conflicts) followApart(p, leader placed, missing string) {
	among := []*candidate{p.from, leader.from}
	message := fmt.Sprintf("pool %q has a deployment %q, and pool %q that follows it has none of that name", leader.Name, missing, p.Name)
	if !c.written && c.changed(leader.from) && !c.changed(p.from) || c.written && !c.refused(p.from) {
		c.blame(leader.from, among, "pool "+leader.Name, "pool."+leader.Name, message, "change the follower in the same edit or before")
		return
	}
	c.blame(p.from, among, "follow "+p.Name, "pool."+p.Name+".follow", message,
		fmt.Sprintf("add a [[pool.%s.deployment]] named %q", p.Name, missing))
}

// followRound blames one file of a circle.
func (c *conflicts) followRound(circle []placed) {
	first := slices.IndexFunc(circle, func(p placed) bool { return p.Name == slices.MinFunc(circle, byName).Name })
	circle = slices.Concat(circle[first:], circle[:first]) // the same from wherever it was entered
	files := make([]*candidate, len(circle))
	names := make([]string, len(circle))
	for i, p := range circle {
		files[i], names[i] = p.from, p.Name
	}
	guilty := c.later(files...)
	p := circle[slices.Index(files, guilty)]
	c.blame(guilty, files, "follow "+p.Name, "pool."+p.Name+".follow",
		"the pool follows in a circle: "+strings.Join(names, " → ")+" → "+names[0], "one of them needs checks of its own")
}

func byName(a, b placed) int { return strings.Compare(a.Name, b.Name) }
