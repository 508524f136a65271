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
	ring          = 1000           // events kept, besides those that are yet to be told
	ringSightings = 4 * ring       // sightings kept, likewise
	waitLimit     = 10 * ring      // events that wait to be told; of more, the oldest are given up
	futureLimit   = 24 * time.Hour // how far ahead of this clock a sighting of another nameserver may be dated
)

// Log is what happened, as far as this nameserver knows: the last 1000 events, older ones that a hook is yet to be told
// (10,000 at most), and which hooks have been told. Several goroutines may use it. The time is passed in.
type Log struct {
	mu          sync.Mutex
	limit       int // sightings kept that wait for nothing; the newest ones
	waiting     int // events kept that are yet to be told; the newest ones
	sightings   map[string]*sighting
	events      []*event          // the sightings as events, oldest first
	of          map[string]*event // by id of any of its sightings
	first       *Entry            // the oldest that waits, while no more can; else nil
	shared      share
	losses      map[string]loss      // by hook
	debts       []debt               // whom events are owed to; nil: not known yet, so that nothing may go
	since       map[string]time.Time // by hook: from when on it is told
	subscribers []chan struct{}
}

// NewLog is an empty one that is not kept anywhere.
func NewLog() *Log {
	return &Log{
		limit: ringSightings, waiting: waitLimit,
		sightings: map[string]*sighting{}, losses: map[string]loss{}, since: map[string]time.Time{}, debts: []debt{},
	}
}

// Add takes an event that this nameserver has seen. An empty ID is replaced by a random one, a zero At by now. With
// what others see of the same (kind, pool, deployment, To, and From of a switch, within 5 s), or under the same ID, it is
// one event.
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
	l.merge(Entry{Event: e}, now)
}

// Merge takes what other nameservers sent. Order and repeats do not matter. Whoever sent less than is known here will be
// sent it by Pending again. Entries without an ID, or dated more than a day ahead, are left out.
func (l *Log) Merge(entries []Entry, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	news := false
	for _, e := range entries {
		if e.ID != "" && later(e.At, e.Last).Before(now.Add(futureLimit)) && !l.beyond(e) && l.merge(e, now) {
			news = true
		}
	}
	if news {
		l.settle(now)
	}
}

// merge says whether the entry changed something, or something should be sent again.
func (l *Log) merge(e Entry, now time.Time) bool {
	e.Seen, e.Told, e.Last = union(union(nil, e.Seen), []string{e.Node}), union(nil, e.Told), later(e.Last, e.At).Round(0).UTC()
	known := l.sightings[e.ID]
	if known == nil {
		l.sightings[e.ID] = &sighting{e, now, now}
		return true
	}
	both := join(known.Entry, e)
	behind := !equal(both, e) && now.Sub(known.changed) > shareFor
	if equal(both, known.Entry) && !behind {
		return false
	}
	known.Entry, known.changed = both, now
	return true
}

// beyond says that there is no room for an entry of another nameserver, older than all that wait here: whoever sent it
// has it, and tells it.
func (l *Log) beyond(e Entry) bool {
	return l.first != nil && l.sightings[e.ID] == nil && older(e, *l.first) < 0
}

// Told marks an event as told to a hook.
func (l *Log) Told(id, hook string, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e := l.of[id]; e != nil {
		e.Told = union(e.Told, []string{hook})
		e.mark(now)
		l.first = nil // there is room
		l.signal()
	}
}

// mark notes what was told of one sighting as told of all, so that it stays so should an older sighting, heard later,
// regroup them.
func (e *event) mark(now time.Time) {
	for _, s := range e.sightings {
		if len(s.Told) < len(e.Told) {
			s.Told, s.changed = e.Told, now
		}
	}
}

// settle makes the events anew after a change, and signals it.
func (l *Log) settle(now time.Time) {
	l.group()
	if l.prune(now) {
		l.group()
	}
	l.trim()
	for _, e := range l.events {
		e.mark(now)
	}
	l.signal()
}

// group makes events of the sightings.
func (l *Log) group() {
	l.events = fold(slices.Collect(maps.Values(l.sightings)))
	l.of = make(map[string]*event, len(l.sightings))
	for _, e := range l.events {
		for _, s := range e.sightings {
			l.of[s.ID] = e
		}
	}
}

func (l *Log) signal() {
	for _, c := range l.subscribers {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

// Recent are the last n events (n < 0: all that are kept), newest last. Told names the hooks that have it.
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
