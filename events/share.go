package events

import (
	"slices"
	"time"
)

// How events are sent to other nameservers.
const (
	shareLimit = 1000        // entries at a time
	shareFor   = time.Minute // how long others are sent what changed here
	shareTurn  = time.Second // how long others have to take a part of more than that
)

// share is how far the others were sent what is more than can be sent at a time.
type share struct {
	turned     time.Time
	from, next Entry // the oldest of the present part; where the next part begins
}

// Pending is what other nameservers are to be sent: the sightings of events that a hook has yet to be told, and those
// that changed here during the last minute; at most 1000, oldest first. Of more these are the 500 that changed last, and
// 500 of the others, which change every second until all have had their turn; more says so. What others still ask for, by
// sending it with less than is known here, is sent for another minute.
func (l *Log) Pending(now time.Time) (pending []Entry, more bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []*sighting
	for _, e := range l.events {
		waits := l.waits(e)
		for _, s := range e.sightings {
			if waits || now.Sub(s.changed) <= shareFor {
				all = append(all, s)
			}
		}
	}
	if more = len(all) > shareLimit; more {
		slices.SortFunc(all, func(a, b *sighting) int { return b.changed.Compare(a.changed) })
		all = append(all[:shareLimit/2:shareLimit/2], l.shared.part(all[shareLimit/2:], now)...)
	}
	for _, s := range all {
		pending = append(pending, s.Entry)
	}
	slices.SortFunc(pending, older)
	return pending, more
}

// part is the part of rest whose turn it is.
func (p *share) part(rest []*sighting, now time.Time) []*sighting {
	slices.SortFunc(rest, earlier)
	if now.Sub(p.turned) >= shareTurn {
		p.turned, p.from = now, p.next
	}
	begin, _ := slices.BinarySearchFunc(rest, p.from, func(s *sighting, from Entry) int { return older(s.Entry, from) })
	rest = slices.Concat(rest[begin:], rest[:begin])
	size := min(len(rest), shareLimit/2)
	p.next = rest[size%len(rest)].Entry
	return rest[:size]
}
