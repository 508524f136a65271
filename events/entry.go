// Package events keeps what happened (switches, verdicts, orders, starts), agrees on it with other nameservers, and
// tells it to hooks.
//
// Log is what is known: its merging is commutative and idempotent, so that nameservers that exchange entries in any
// order end with the same events. Teller tells them, at least once each, from one nameserver at a time.
package events

import (
	"cmp"
	"slices"
	"time"

	"github.com/livens/livens/failover"
)

// Entry is what is known of the event with one id, as nameservers exchange and keep it. Several may be one event, where what
// happened has no id that all know by themselves.
type Entry struct {
	failover.Event          // as it was seen first; Quorum is true when it was for any who saw it
	Seen           []string `json:"seen,omitempty"` // the nameservers that saw it, sorted; the slice is never changed
	Told           []string `json:"told,omitempty"` // names of hooks that have it, likewise
	// Last is when anybody saw it last. What there is no room for goes by this: At may turn out to be earlier, so that by
	// it one nameserver would forget what another goes on to tell.
	Last time.Time `json:"last,omitzero"`
}

// join is what two know of the event with one id together. It is commutative, associative and idempotent.
func join(a, b Entry) Entry {
	first := a
	if compare(b, a) < 0 {
		first = b
	}
	first.Quorum = a.Quorum || b.Quorum
	first.Seen, first.Told = union(a.Seen, b.Seen), union(a.Told, b.Told)
	first.Last = later(a.Last, b.Last)
	return first
}

// compare orders by all that an event says, the time first.
func compare(a, b Entry) int {
	return cmp.Or(
		older(a, b), cmp.Compare(a.Node, b.Node), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Pool, b.Pool),
		cmp.Compare(a.Deployment, b.Deployment), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To),
		cmp.Compare(a.Epoch, b.Epoch), cmp.Compare(a.Reason, b.Reason),
	)
}

// equal says that two say the same.
func equal(a, b Entry) bool {
	return compare(a, b) == 0 && a.Quorum == b.Quorum && a.Last.Equal(b.Last) && slices.Equal(a.Seen, b.Seen) && slices.Equal(a.Told, b.Told)
}

// sighting is an Entry and what this nameserver knows of its coming.
type sighting struct {
	Entry
	heard   time.Time // when it was added or merged: ages do not rest on another's clock
	changed time.Time // when it last changed here
}

// same is how far apart two nameservers may date one event.
const same = 5 * time.Second

// subject is what sightings of one event have in common. An order's event is known by its id alone: every nameserver has
// that from the order itself.
type subject struct {
	kind                           failover.EventKind
	pool, deployment, from, to, id string
}

func subjectOf(e failover.Event) subject {
	s := subject{kind: e.Kind, pool: e.Pool, deployment: e.Deployment, to: e.To}
	switch e.Kind {
	case failover.EventSwitch:
		s.from = e.From
	case failover.EventOverride:
		s.id = e.ID
	}
	return s
}

// event is one event: all its sightings as one. Its Event is the earliest of them, but Quorum is true when it is so of any.
type event struct {
	Entry
	heard     time.Time   // when the first sighting was
	sightings []*sighting // all of them
}

// fold makes sightings into events, oldest first. Each nameserver sees an event once: two sightings of one nameserver are two
// events, however alike and close together. "Within 5 s of each other" is no equivalence (a chain of sightings may be
// longer), so the earliest of a subject opens an event, and what others saw within 5 s of that one belongs to it: the
// outcome depends on the set of sightings alone, not on the order in which they were heard. An event has the id of its
// earliest sighting, which those that come later do not change.
func fold(sightings []*sighting) []*event {
	slices.SortFunc(sightings, earlier)
	var out []*event
	open := map[subject][]*event{}
	for _, s := range sightings {
		key := subjectOf(s.Event)
		alike := slices.DeleteFunc(open[key], func(e *event) bool { return s.At.Sub(e.At) > same })
		e := s.among(alike)
		if e == nil {
			e = &event{Entry: s.Entry, heard: s.heard}
			alike = append(alike, e)
			out = append(out, e)
		}
		open[key] = alike
		e.absorb(s)
	}
	return out
}

// among is the first of events that nobody who made the sighting has a part in, or nil.
func (s *sighting) among(events []*event) *event {
	for _, e := range events {
		if !slices.ContainsFunc(s.Seen, func(node string) bool { return slices.Contains(e.Seen, node) }) {
			return e
		}
	}
	return nil
}

func (e *event) absorb(s *sighting) {
	e.Quorum = e.Quorum || s.Quorum
	e.Seen, e.Told = union(e.Seen, s.Seen), union(e.Told, s.Told)
	e.Last = later(e.Last, s.Last)
	if s.heard.Before(e.heard) {
		e.heard = s.heard
	}
	e.sightings = append(e.sightings, s)
}

func older(a, b Entry) int {
	return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID))
}

func earlier(a, b *sighting) int { return older(a.Entry, b.Entry) }

// staler orders by who saw it last, those that nobody has seen for longest first.
func staler(a, b *sighting) int { return cmp.Or(a.Last.Compare(b.Last), cmp.Compare(a.ID, b.ID)) }

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// union is a and b, sorted, each name once. It returns a where b adds nothing.
func union(a, b []string) []string {
	if !slices.ContainsFunc(b, func(s string) bool { return !slices.Contains(a, s) }) {
		return a
	}
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}
