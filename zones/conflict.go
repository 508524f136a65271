package zones

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// conflicts finds what is wrong between zones, and whom to blame: the file that changed since its last good version,
// else the later by name.
type conflicts struct {
	*resolver
	written bool // look at what files say, broken ones too, rather than at what is to be served; blame what is refused
	blamed  map[*candidate]Problems
	names   map[*candidate]bool // blamed for a name, before anybody was for following
	zones   map[string]*candidate
	pools   map[string]placed
	unclear map[string]bool // pools that two files give, or one whose zone another gives too
}

// placed is a pool with the file it comes from.
type placed struct {
	*Pool
	from *candidate
}

// conflicts returns what is wrong between the files' current versions; written says between what they hold.
func (r *resolver) conflicts(written bool) map[*candidate]Problems {
	c := &conflicts{resolver: r, written: written, blamed: map[*candidate]Problems{},
		zones: map[string]*candidate{}, pools: map[string]placed{}, unclear: map[string]bool{}}
	c.findNames()
	c.names = map[*candidate]bool{}
	for guilty := range c.blamed {
		c.names[guilty] = true
	}
	for _, name := range slices.Sorted(maps.Keys(c.pools)) {
		if p := c.pools[name]; p.Follow != "" && !c.unclear[p.Follow] {
			c.follow(p)
		}
	}
	c.findHints()
	return c.blamed
}

// version is the version of a file that is looked at, or nil.
func (c *conflicts) version(of *candidate) *version {
	if c.written {
		return of.fresh
	}
	return of.current
}

// zone is the zone of that version, as far as it can be read, or nil.
func (c *conflicts) zone(of *candidate) *Zone {
	if v := c.version(of); v != nil {
		return v.draft
	}
	return nil
}

// findNames finds zones and pools that are given twice, and fills c.zones and c.pools.
func (c *conflicts) findNames() {
	for _, here := range c.candidates {
		zone := c.zone(here)
		if zone == nil {
			continue
		}
		if other := c.zones[zone.Name]; other != nil {
			c.twice(other, here, "zone", "zone.name", "zone "+zone.Name)
			if !c.written { // one of both will not be served: its pools are no conflict
				for _, p := range zone.Pools {
					c.unclear[p.Name] = true
				}
				continue
			}
		} else if zone.Name != "" {
			c.zones[zone.Name] = here
		}
		for _, p := range zone.Pools {
			if other, taken := c.pools[p.Name]; taken {
				c.twice(other.from, here, "pool "+p.Name, "pool."+p.Name, "pool "+p.Name)
				c.unclear[p.Name] = true
				continue
			}
			c.pools[p.Name] = placed{p, here}
		}
	}
}

// twice blames one of two files that give the same thing.
func (c *conflicts) twice(a, b *candidate, line, key, what string) {
	guilty := c.later(a, b)
	other := a
	if guilty == a {
		other = b
	}
	c.blame(guilty, []*candidate{a, b}, line, key, fmt.Sprintf("%s is given in %s too", what, c.shown(other)), "names are unique across files")
}

// later picks the file that changed, or is refused, else the later by name.
func (c *conflicts) later(files ...*candidate) *candidate {
	var changed []*candidate
	for _, f := range files {
		if c.written && c.refused(f) || !c.written && c.changed(f) {
			changed = append(changed, f)
		}
	}
	if len(changed) > 0 {
		files = changed
	}
	return slices.MaxFunc(files, func(a, b *candidate) int { return strings.Compare(a.file, b.file) })
}

// refused says that what a file holds is not what is to be served.
func (c *conflicts) refused(f *candidate) bool { return f.current == nil || f.current != f.fresh }

// blame accuses a file at a line that it knows by name.
func (c *conflicts) blame(guilty *candidate, among []*candidate, line, key, message, hint string) {
	p := Problem{File: c.shown(guilty), Key: key, Message: message, Hint: hint}
	if v := c.version(guilty); v != nil {
		p.Line = v.lines[line]
	}
	c.accuse(guilty, among, p)
}

// accuse notes a problem among files of which one is guilty, once at each place.
func (c *conflicts) accuse(guilty *candidate, among []*candidate, p Problem) {
	switch {
	case c.written && !c.refused(guilty):
		return // it is served, so this was settled
	case !c.written && !c.names[guilty] && slices.ContainsFunc(among, func(f *candidate) bool { return c.names[f] }):
		return // another will be served in another version: the next round tells
	case !slices.ContainsFunc(c.blamed[guilty], p.samePlace):
		c.blamed[guilty] = append(c.blamed[guilty], p)
	}
}

// pool returns the zone's pool with that name, or nil.
func (z *Zone) pool(name string) *Pool {
	for _, p := range z.Pools {
		if p.Name == name {
			return p
		}
	}
	return nil
}

// shown is a candidate's file as operators know it.
func (r *resolver) shown(c *candidate) string { return path.Join(r.label, c.file) }
