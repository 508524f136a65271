package cluster

import (
	"maps"
	"slices"
	"time"

	"github.com/livens/livens/failover"
)

// compare notes since when reached nameservers hold other decisions or data than this one.
func (c *Core) compare(now time.Time) {
	seen := map[string]bool{}
	note := func(key string) {
		seen[key] = true
		if c.apart[key].IsZero() {
			c.apart[key] = now
		}
	}
	for _, n := range c.reached() {
		for pool, theirs := range n.report.Held {
			if ours := c.report.Held[pool]; ours != nil && differ(ours, theirs) {
				note(n.name + " " + pool)
			}
		}
		for zone, theirs := range n.report.Zones {
			if c.report.Zones[zone].Hash != theirs.Hash {
				note(n.name + " zone " + zone)
			}
		}
	}
	maps.DeleteFunc(c.apart, func(key string, _ time.Time) bool { return !seen[key] })
}

// differ says that two nameservers with the same pool answer differently, or would call the answer by another epoch.
func differ(a, b *failover.Decision) bool {
	return a.Definition == b.Definition && (a.Epoch != b.Epoch || !slices.Equal(a.Active, b.Active) || !slices.Equal(a.Addresses, b.Addresses))
}
