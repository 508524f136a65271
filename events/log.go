package events

import (
	"crypto/rand"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/livens/livens/failover"
	"github.com/livens/livens/zones"
)

// Bounds of a Log.
const (
	ring          = 1000           // events kept
	ringSightings = 4 * ring       // sightings kept; most events have one, because later ones of a known event are not added
	shareLimit    = 256            // sightings sent to others at a time
	shareFor      = time.Minute    // how long others are sent what changed here
	futureLimit   = 24 * time.Hour // how far ahead of this clock a sighting of another nameserver may be dated
)

// Log is what happened, as far as this nameserver knows: the last 1000 events, and which hooks have been told. Several
// goroutines may use it. The time is passed in.
type Log struct {
	mu          sync.Mutex
	limit       int // sightings kept; the newest ones
	sightings   map[string]*sighting
	events      []*event             // the sightings as events, oldest first
	debts       []debt               // whom events are owed to
	since       map[string]time.Time // by hook: from when on it is told
	subscribers []chan struct{}
}

// NewLog is an empty one that is not kept anywhere.
func NewLog() *Log {
	return &Log{limit: ringSightings, sightings: map[string]*sighting{}, since: map[string]time.Time{}}
}

// Add takes an event that this nameserver has seen. An empty ID is replaced by a random one, a zero At by now. With
// what others see of the same (kind, pool, deployment, To, and From of a switch, within 5 s) it is one event.
func (l *Log) Add(e failover.Event, now time.Time) { l.AddAll([]failover.Event{e}, now) }

// AddAll takes several at once. A thousand pools may switch together: what is known is gone through once for all of them.
func (l *Log) AddAll(list []failover.Event, now time.Time) {
	if len(list) == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range list {
		l.add(e, now)
	}
	l.settle(now)
}

func (l *Log) add(e failover.Event, now time.Time) {
	if e.ID == "" {
		e.ID = rand.Text()
	}
	if e.At.IsZero() {
		e.At = now
	}
	e.At = e.At.Round(0).UTC() // as it will be when it has been sent
	l.sightings[e.ID] = &sighting{Entry{Event: e}, now, now}
}

// Merge takes what other nameservers sent. Order and repeats do not matter. Whoever sent less than is known here will be
// sent it by Pending again. Entries without an ID, or dated more than a day ahead, are left out.
func (l *Log) Merge(entries []Entry, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	news := false
	for _, e := range entries {
		if e.ID != "" && e.At.Before(now.Add(futureLimit)) && l.merge(e, now) {
			news = true
		}
	}
	if news {
		l.settle(now)
	}
}

// merge says whether the entry changed something, or something should be sent again.
func (l *Log) merge(e Entry, now time.Time) bool {
	known := l.sightings[e.ID]
	if known == nil {
		e.Told = union(nil, e.Told)
		l.sightings[e.ID] = &sighting{e, now, now}
		return true
	}
	told := union(known.Told, e.Told)
	behind := len(union(e.Told, known.Told)) > len(e.Told) && now.Sub(known.changed) > shareFor
	if len(told) == len(known.Told) && !behind {
		return false
	}
	known.Told, known.changed = told, now
	return true
}

// Told marks an event as told to a hook.
func (l *Log) Told(id, hook string, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s := l.sightings[id]; s != nil {
		s.Told, s.changed = union(s.Told, []string{hook}), now
		l.settle(now)
	}
}

// settle makes the events anew after a change, and signals it. What was told of one sighting was told of all sightings
// of that event: they are marked, so that it stays so should an older sighting, heard later, regroup them.
func (l *Log) settle(now time.Time) {
	l.prune()
	l.events = fold(slices.Collect(maps.Values(l.sightings)))
	for _, e := range l.events {
		for _, s := range e.sightings {
			if len(s.Told) < len(e.Told) {
				s.Told, s.changed = e.Told, now
			}
		}
	}
	l.events = l.events[max(0, len(l.events)-ring):]
	for _, c := range l.subscribers {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

// prune keeps the newest sightings. "The newest of all" merges well: nobody's cut changes what another keeps.
func (l *Log) prune() {
	if len(l.sightings) <= l.limit {
		return
	}
	sorted := slices.SortedFunc(maps.Values(l.sightings), earlier)
	for _, s := range sorted[:len(sorted)-l.limit] {
		delete(l.sightings, s.ID)
	}
}

// Recent are the last n events (at most 1000; n < 0: all), newest last. Told names the hooks that have it.
func (l *Log) Recent(n int) []Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	from := 0
	if n >= 0 {
		from = max(0, len(l.events)-n)
	}
	out := make([]Entry, 0, len(l.events)-from)
	for _, e := range l.events[from:] {
		out = append(out, e.Entry)
	}
	return out
}

// Happened is an event as it is shown: Told names the hooks that have it, Owed those that are yet to be told.
type Happened struct {
	Entry
	Owed []string `json:"pending,omitempty"`
}

// Last are the last n events (n < 0: all that are kept), newest last: of one pool, or ("") of all.
func (l *Log) Last(n int, pool string) []Happened {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := []Happened{}
	for _, e := range slices.Backward(l.events) {
		if len(out) == n {
			break
		}
		if pool != "" && e.Pool != pool {
			continue
		}
		h := Happened{Entry: e.Entry}
		for _, d := range l.debts {
			if l.owes(e, d) {
				h.Owed = append(h.Owed, d.hook)
			}
		}
		out = append(out, h)
	}
	slices.Reverse(out)
	return out
}

// Pending is what other nameservers are to be sent: the sightings of events that a hook has yet to be told, and those
// that changed here during the last minute; the newest 256, oldest first. What others still ask for, by sending it with
// fewer marks than are known here, is sent for another minute.
func (l *Log) Pending(now time.Time) []Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []Entry
	for _, e := range l.events {
		owed := slices.ContainsFunc(l.debts, func(d debt) bool { return l.owes(e, d) })
		for _, s := range e.sightings {
			if owed || now.Sub(s.changed) <= shareFor {
				out = append(out, s.Entry)
			}
		}
	}
	slices.SortFunc(out, older)
	return out[max(0, len(out)-shareLimit):]
}

// Changes makes a channel that signals every change; signals coalesce. It is never closed.
func (l *Log) Changes() <-chan struct{} {
	c := make(chan struct{}, 1)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.subscribers = append(l.subscribers, c)
	return c
}

// Use says whom events are owed to from now on. A hook that was not there before is told nothing older than now.
func (l *Log) Use(hooks []zones.HookConfig, now time.Time) {
	debts := []debt{startDebt}
	for _, h := range hooks {
		debts = append(debts, hookDebt(h))
	}
	since := map[string]time.Time{}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, d := range debts {
		since[d.hook] = now
		if t, known := l.since[d.hook]; known {
			since[d.hook] = t
		}
	}
	l.debts, l.since = debts, since
	l.settle(now)
}
