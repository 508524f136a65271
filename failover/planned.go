package failover

import (
	"time"

	"github.com/livens/livens/zones"
)

// The bounds of Order.At.
const (
	latest   = time.Minute          // a time that has passed no longer ago than this means at once
	furthest = 365 * 24 * time.Hour // from now
)

// planned says that the order begins later.
func (o Order) planned(now time.Time) bool { return o.At.After(now) }

// soon refuses a time that the order cannot begin at.
func (o Order) soon(d desk, pool *zones.Pool) error {
	switch {
	case o.At.IsZero():
		return nil
	case o.Verb == DoFailback, o.Verb == DoUndrain:
		return refuse("%s cannot be planned: give failover or drain a --for, and it ends by itself", o.Verb)
	case o.At.Before(d.now.Add(-latest)):
		return refuse("%s has passed: it is %s", utc(o.At), utc(d.now))
	case o.At.After(d.now.Add(furthest)):
		return refuse("%s is more than a year ahead", utc(o.At))
	}
	ttl, name := longestTTL(d.set, pool)
	if earliest := d.now.Add(ttl); o.planned(d.now) && o.At.Before(earliest) {
		return refuse("caches keep answers of pool %s for %s, so that its TTL must fall that long ahead: %s at the earliest, or without --at at once",
			name, ttl, utc(earliest.Add(time.Second)))
	}
	return nil
}

// longestTTL is the longest of a pool and of those that follow it, and whose it is.
func longestTTL(set *zones.Set, pool *zones.Pool) (time.Duration, string) {
	ttl, name := pool.TTL, pool.Name
	for _, p := range set.Pools {
		if p.Follow == pool.Name && p.TTL > ttl {
			ttl, name = p.TTL, p.Name
		}
	}
	return time.Duration(ttl) * time.Second, name
}
