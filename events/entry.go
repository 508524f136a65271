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

// Entry is one nameserver's sighting of an event, as nameservers exchange and keep it. Several may be one event.
type Entry struct {
	failover.Event
	Told []string `json:"told,omitempty"` // names of hooks that have it, sorted; the slice is never changed
}

// sighting is an Entry and what this nameserver knows of its coming.
type sighting struct {
	Entry
	heard   time.Time // when it was added or merged: ages do not rest on another's clock
	changed time.Time // when it last changed here
}

// same is how far apart two nameservers may date one event.
const same = 5 * time.Second

// subject is what sightings of one event have in common.
type subject struct {
	kind                       failover.EventKind
	pool, deployment, from, to string
}

func subjectOf(e failover.Event) subject {
	s := subject{kind: e.Kind, pool: e.Pool, deployment: e.Deployment, to: e.To}
	if e.Kind == failover.EventSwitch {
		s.from = e.From
	}
	return s
}

// choice is what a switch is, whenever it is seen: a nameserver that was cut off adopts it long after the others.
type choice struct {
	pool, deployment, to string
	epoch                uint64
}

// choiceOf is that of a switch; ok is false for every other event.
func choiceOf(e failover.Event) (c choice, ok bool) {
	return choice{e.Pool, e.Deployment, e.To, e.Epoch}, e.Kind == failover.EventSwitch && e.Epoch != 0
}

// event is one event: all its sightings as one. Its Event is the sighting with the smallest ID, but Quorum is true when
// it is so of any.
type event struct {
	Entry
	start     time.Time   // of the earliest sighting: the others lie within same of it
	heard     time.Time   // when the first sighting was
	sightings []*sighting // all of them
}

// fold makes sightings into events, oldest first. Each nameserver sees an event once: two sightings of one nameserver are two
// events, however alike and close together. "Within 5 s of each other" is no equivalence (a chain of sightings may be
// longer), so the earliest of a subject opens an event, and what others saw within 5 s of that one belongs to it: the
// outcome depends on the set of sightings alone, not on the order in which they were heard. Switches with one epoch are one,
// whenever they are seen.
func fold(sightings []*sighting) []*event {
	slices.SortFunc(sightings, earlier)
	var out []*event
	alike, chosen := map[subject][]*event{}, map[choice][]*event{}
	for _, s := range sightings {
		key := subjectOf(s.Event)
		c, isSwitch := choiceOf(s.Event)
		e := s.among(chosen[c], false)
		if e == nil {
			e = s.among(alike[key], true)
		}
		if e == nil {
			e = &event{Entry: s.Entry, start: s.At, heard: s.heard}
			alike[key] = append(alike[key], e)
			out = append(out, e)
		}
		e.absorb(s)
		if isSwitch && !slices.Contains(chosen[c], e) {
			chosen[c] = append(chosen[c], e)
		}
	}
	slices.SortFunc(out, func(a, b *event) int { return older(a.Entry, b.Entry) })
	return out
}

// among is the first of events that the sighting may belong to, or nil.
func (s *sighting) among(events []*event, soon bool) *event {
	for _, e := range events {
		if (!soon || s.At.Sub(e.start) <= same) && !slices.ContainsFunc(e.sightings, func(x *sighting) bool { return x.Node == s.Node }) {
			return e
		}
	}
	return nil
}

func (e *event) absorb(s *sighting) {
	quorum := e.Quorum || s.Quorum
	if s.ID < e.ID {
		e.Event = s.Event
	}
	e.Quorum = quorum
	e.Told = union(e.Told, s.Told)
	if s.heard.Before(e.heard) {
		e.heard = s.heard
	}
	e.sightings = append(e.sightings, s)
}

func older(a, b Entry) int {
	return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID))
}

func earlier(a, b *sighting) int { return older(a.Entry, b.Entry) }

// union is a and b, sorted, each name once. It returns a where b adds nothing.
func union(a, b []string) []string {
	if !slices.ContainsFunc(b, func(s string) bool { return !slices.Contains(a, s) }) {
		return a
	}
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}
