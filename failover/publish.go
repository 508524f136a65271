package failover

import (
	"maps"
	"time"

	"github.com/livens/livens/zones"
)

// unsaid is what differs from what was last published.
type unsaid struct {
	whole bool                 // the Set does: pools and zones are all of it
	pools map[*zones.Pool]bool // whose answer does
	zones map[*zones.Zone]bool // whose serial does, or may, for itself and not for a pool's sake
}

// unsaidSet is all of a new Set.
func unsaidSet(set *zones.Set) unsaid {
	u := unsaid{true, make(map[*zones.Pool]bool, len(set.Pools)), make(map[*zones.Zone]bool, len(set.Zones))}
	for _, p := range set.Pools {
		u.pools[p] = true
	}
	for _, z := range set.Zones {
		u.zones[z] = true
	}
	return u
}

// publish hands on what is unsaid. Before a nameserver has joined the others it answers nothing.
func (e *Engine) publish(now time.Time) {
	if !e.standing.Joined {
		return
	}
	e.published = true
	p := e.effects.Publication
	if p == nil || p.Set != e.set {
		p = &Publication{Set: e.set, Decisions: make(map[string]*Decision, len(e.unsaid.pools)), Serials: make(map[string]uint32, len(e.unsaid.zones))}
	}
	if e.unsaid.whole {
		maps.DeleteFunc(e.serials, func(zone string, _ ZoneSerial) bool { return e.zones[zone] == nil || e.zones[zone].FixedSerial })
	}
	for pool := range e.unsaid.pools {
		p.Decisions[pool.Name] = e.decisions[pool.Name]
	}
	for zone, epoch := range e.unsaidZones() {
		next := e.nextSerial(zone, epoch, now)
		e.serials[zone.Name], p.Serials[zone.Name] = next, next.Serial
	}
	e.unsaid = unsaid{pools: map[*zones.Pool]bool{}, zones: map[*zones.Zone]bool{}}
	e.effects.Publication = p
}

// unsaidZones are the zones whose serial is to be brought up to date, with the latest epoch of the pools in each. Once
// published, no epoch goes back: what the serial was given for stands for the pools that did not change.
func (e *Engine) unsaidZones() map[*zones.Zone]uint64 {
	out := make(map[*zones.Zone]uint64, len(e.unsaid.zones))
	note := func(z *zones.Zone, epoch uint64) {
		if z != nil && !z.FixedSerial {
			out[z] = max(out[z], epoch)
		}
	}
	for z := range e.unsaid.zones {
		note(z, 0)
	}
	for p := range e.unsaid.pools {
		note(e.zoneOf[p], e.decisions[p.Name].Epoch)
	}
	if !e.unsaid.whole {
		for z := range out {
			note(z, e.serials[z.Name].Epoch)
		}
	}
	return out
}
