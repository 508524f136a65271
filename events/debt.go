package events

import (
	"slices"
	"time"

	"github.com/livens/livens/failover"
	"github.com/livens/livens/zones"
)

// StartHook is the name under which start commands of cold deployments are told. No hook may have it.
const StartHook = "start"

// debt is that a hook is to be told certain events.
type debt struct {
	hook  string
	wants func(failover.Event) bool
}

// startDebt: a start acts, so a quorum must stand behind it.
var startDebt = debt{StartHook, func(e failover.Event) bool { return e.Kind == failover.EventStart && e.Quorum }}

// hookDebt: a command may act, so a quorum must stand behind what it is run for; a web hook informs, and is told
// everything of the kinds that it asks for.
func hookDebt(h zones.HookConfig) debt {
	return debt{h.Name, func(e failover.Event) bool {
		return (len(h.Events) == 0 || slices.Contains(h.Events, string(e.Kind))) && (h.URL != "" || e.Quorum)
	}}
}

// owes says whether the hook is yet to be told. l.mu is held.
func (l *Log) owes(e *event, d debt) bool {
	since, used := l.since[d.hook]
	return used && !slices.Contains(e.Told, d.hook) && !e.heard.Before(since) && d.wants(e.Event)
}

// waits says whether any hook is yet to be told. l.mu is held.
func (l *Log) waits(e *event) bool {
	return slices.ContainsFunc(l.debts, func(d debt) bool { return l.owes(e, d) })
}

// owed are the events that are yet to be told, oldest first.
func (l *Log) owed(d debt) []owed {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []owed
	for _, e := range l.events {
		if l.owes(e, d) {
			out = append(out, owed{e.Event, e.heard})
		}
	}
	return out
}

// owed is an event that is yet to be told.
type owed struct {
	failover.Event
	heard time.Time
}

// age is the event's own or that of its hearing, whichever is longer: neither a clock that is ahead nor a late joiner
// makes an old event young.
func (o owed) age(now time.Time) time.Duration { return max(now.Sub(o.At), now.Sub(o.heard)) }
