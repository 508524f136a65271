package zones

import (
	"fmt"
	"path/filepath"
	"slices"
)

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

// warnSite warns of a nameserver in a cluster that says nothing of its site where deployments have one.
func (r *resolver) warnSite(config *Config) {
	if config.Cluster == nil || config.Site != "" {
		return
	}
	for _, c := range r.candidates {
		if c.current == nil {
			continue
		}
		for _, p := range c.current.zone.Pools {
			if i := slices.IndexFunc(p.Deployments, func(d *Deployment) bool { return d.Site != "" }); i >= 0 {
				r.problems = append(r.problems, Problem{Warning: true, File: filepath.Base(config.File), Key: "site",
					Message: "is not given, while deployments have one: what is seen from inside a data center counts as if it were seen from outside",
					Hint:    fmt.Sprintf("where this nameserver is, for example site = %q", p.Deployments[i].Site)})
				return
			}
		}
	}
}

// warnShadowed warns of answer names that belong to a child zone on this server.
func (r *resolver) warnShadowed(c *candidate, p *Pool, zones map[string]*candidate) {
	for _, name := range p.Answers {
		for at := name; at != p.Zone && at != "."; at = parent(at) {
			if child := zones[at]; child != nil {
				c.problems = append(c.problems, Problem{Warning: true, File: r.shown(c), Line: c.fresh.lines["pool "+p.Name],
					Key:     "pool." + p.Name + ".answers",
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
			c.problems = append(c.problems, Problem{Warning: true, File: r.shown(c), Line: c.fresh.lines["pool "+p.Name],
				Key:     "pool." + p.Name + ".deployment." + d.Name,
				Message: fmt.Sprintf("is never chosen: pool %q has no deployment of that name", leader.Name)})
		}
	}
}
