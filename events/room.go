package events

import (
	"maps"
	"slices"
	"time"
)

// prune keeps the newest sightings, and those of the newest events that wait to be told; it says whether any had to go.
// "The newest of all" merges well: nobody's cut changes what another keeps.
func (l *Log) prune(now time.Time) bool {
	l.first = nil
	if l.debts == nil || len(l.sightings) <= min(l.limit, l.waiting) {
		return false
	}
	var waiting []*event
	for _, e := range l.events {
		if l.waits(e) {
			waiting = append(waiting, e)
		}
	}
	before := len(l.sightings)
	for len(waiting) > l.waiting {
		l.giveUp(waiting[0], now)
		waiting = waiting[1:]
	}
	if len(waiting) == l.waiting && l.waiting > 0 {
		l.first = &waiting[0].Entry
	}
	sorted := slices.SortedFunc(maps.Values(l.sightings), staler)
	for _, s := range sorted[:max(0, len(sorted)-l.limit)] {
		if !l.waits(l.of[s.ID]) {
			delete(l.sightings, s.ID)
		}
	}
	return len(l.sightings) < before
}

// trim leaves of the events the newest, and those that wait.
func (l *Log) trim() {
	if l.debts == nil {
		return
	}
	beyond := max(0, len(l.events)-ring)
	waiting := slices.DeleteFunc(l.events[:beyond:beyond], func(e *event) bool { return !l.waits(e) })
	l.events = slices.Concat(waiting, l.events[beyond:])
}

// loss is what a hook was never told, for too much waited.
type loss struct {
	events uint64
	last   time.Time
}

// giveUp forgets an event that waits, and counts it. l.mu is held.
func (l *Log) giveUp(e *event, now time.Time) {
	for _, d := range l.debts {
		if l.owes(e, d) {
			l.losses[d.hook] = loss{l.losses[d.hook].events + 1, now}
		}
	}
	for _, s := range e.sightings {
		delete(l.sightings, s.ID)
	}
}

// lost is what each hook was never told since the start.
func (l *Log) lost() map[string]loss {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.losses)
}
