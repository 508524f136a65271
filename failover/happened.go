package failover

import (
	"cmp"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/livens/livens/checker"
	"github.com/livens/livens/zones"
)

// startAgain is how long after a cold deployment was last wanted it is said again, in another doubt.
const startAgain = time.Minute

// happened is what an engine remembers in order to tell of each thing once.
type happened struct {
	number uint64
	starts map[[2]string]start // by pool and deployment
	phase  map[register]phase
	turn   time.Time // the next beginning or end of an order, by the clock of orders; zero: none is to come
	unread bool      // registers changed
}

// start is when a cold deployment was wanted.
type start struct {
	at    time.Time // last told
	told  bool      // in the present doubt
	waits bool      // it is to be told, and was told too lately
}

// The phases of an order, as events tell them.
const (
	planned = "planned"
	inForce = "in force"
	ended   = "ended"
	cleared = "cleared"
)

// phase is where an order stands.
type phase struct{ id, is string }

// phase is where the override stands at now.
func (o *Override) phase(now time.Time) phase {
	is := inForce
	switch {
	case o.Cleared:
		is = cleared
	case !o.pending(now):
		is = ended
	case now.Before(o.From):
		is = planned
	}
	return phase{o.ID(), is}
}

func newHappened() happened {
	return happened{starts: map[[2]string]start{}, phase: map[register]phase{}}
}

// identity is the id of an event that is known by what every nameserver holds of it, so that all give it the same one
// without a word between them. What says all, and only that: another event has another.
func identity(kind EventKind, what ...string) string {
	sum := sha256.Sum256([]byte(string(kind) + "\x00" + strings.Join(what, "\x00")))
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:16])
}

// tell notes an event. One without an ID is this nameserver's sighting of what others may have seen, too.
func (e *Engine) tell(ev Event, now time.Time) {
	e.number++
	ev.ID = cmp.Or(ev.ID, fmt.Sprintf("%s-%d-%d", e.options.Node, now.UnixNano(), e.number))
	inOrder := time.Duration(len(e.effects.Events)) // what happens at one moment
	ev.At, ev.Node, ev.Quorum = e.clock(now).Add(inOrder), e.options.Node, e.standing.Quorum
	e.effects.Events = append(e.effects.Events, ev)
}

// compare tells what changed from one decision on a pool to the next.
func (e *Engine) compare(p *zones.Pool, before, next *Decision, now time.Time) {
	if before != nil && (!sameChoice(before, next) || before.AllDown != next.AllDown) {
		e.tell(switchOf(p, before, next), now)
	}
	if p.Follow != "" {
		return
	}
	for _, s := range next.Deployments {
		was := before.state(s.Name)
		if was.State != s.State && was.State != checker.Unknown && s.State != checker.Unknown {
			e.tell(Event{
				Kind: EventVerdict, Pool: p.Name, Deployment: s.Name, From: was.State.String(), To: s.State.String(),
				Epoch: next.Epoch, Reason: s.Reason,
			}, now)
		}
	}
	e.wantCold(p, next, now)
}

// switchOf is the event of another answer. An epoch names one answer of a pool. That all deployments of it are down, or no
// longer, may come and go under one epoch, and has no name of its own.
func switchOf(p *zones.Pool, before, next *Decision) Event {
	ev := Event{
		Kind: EventSwitch, Pool: p.Name, From: strings.Join(before.Active, ", "), To: strings.Join(next.Active, ", "),
		Epoch: next.Epoch, Reason: next.Reason,
	}
	if !sameChoice(before, next) {
		ev.ID = identity(EventSwitch, p.Zone, p.Name, strconv.FormatUint(next.Epoch, 10), ev.To)
	}
	return ev
}

// wantCold tells of the cold deployments that are wanted now: what answers is in doubt or down.
func (e *Engine) wantCold(p *zones.Pool, d *Decision, now time.Time) {
	why, trouble := d.trouble()
	for _, c := range p.Deployments {
		if !c.Cold {
			continue
		}
		key := [2]string{p.Name, c.Name}
		s := e.starts[key]
		switch {
		case !trouble:
			s.told, s.waits = false, false
		case s.told, d.state(c.Name).State == checker.Up:
			s.waits = false
		case now.Sub(s.at) < startAgain:
			s.waits = true
		default:
			s = start{at: now, told: true}
			e.tell(Event{Kind: EventStart, Pool: p.Name, Deployment: c.Name, Epoch: d.Epoch, Reason: why}, now)
		}
		e.starts[key] = s
	}
}

// trouble says what is wrong with the deployments that answer.
func (d *Decision) trouble() (string, bool) {
	for _, s := range d.Deployments {
		switch {
		case s.Answers && s.State == checker.Down:
			return fmt.Sprintf("%s is down: %s", s.Name, s.Reason), true
		case s.Answers && s.Doubt:
			return fmt.Sprintf("%s is in doubt: %s", s.Name, s.Reason), true
		}
	}
	return "", false
}

// startDue says that a start which was held back is due.
func (e *Engine) startDue(p *zones.Pool, now time.Time) bool {
	return slices.ContainsFunc(p.Deployments, func(d *zones.Deployment) bool {
		if !d.Cold {
			return false
		}
		s := e.starts[[2]string{p.Name, d.Name}]
		return s.waits && now.Sub(s.at) >= startAgain
	})
}

// nextHappening is when something is to be told that time alone brings.
func (e *Engine) nextHappening(skew time.Duration) time.Time {
	var next time.Time
	if !e.turn.IsZero() {
		next = e.turn.Add(-skew)
	}
	for _, s := range e.starts {
		if s.waits {
			next = earlier(s.at.Add(startAgain), next)
		}
	}
	return next
}

// phases tells which orders were given, began, ended or were cleared.
func (e *Engine) phases(now time.Time) {
	clock := e.clock(now)
	if !e.unread && (e.turn.IsZero() || clock.Before(e.turn)) {
		return
	}
	e.unread, e.turn = false, time.Time{}
	for i := range e.overrides {
		o := &e.overrides[i]
		for _, t := range []time.Time{o.From, o.Until} {
			if !o.Cleared && t.After(clock) {
				e.turn = earlier(t, e.turn)
			}
		}
		before, next := e.phase[o.register()], o.phase(clock)
		if before == next {
			continue
		}
		e.stale, e.phase[o.register()] = true, next
		if before.id != "" || next.is == planned || next.is == inForce {
			e.tell(Event{
				ID: identity(EventOverride, next.id, next.is), Kind: EventOverride, Pool: o.Pool, Deployment: o.Deployment,
				From: before.is, To: next.is, Epoch: e.epoch(o.Pool), Reason: o.String(),
			}, now)
		}
	}
}

// epoch is that of the pool's running decision; 0: there is none.
func (e *Engine) epoch(pool string) uint64 {
	if d := e.decisions[pool]; d != nil {
		return d.Epoch
	}
	return 0
}

// concerned are the pools whose registers differ between two lists.
func (e *Engine) concerned(before, next []Override) []*zones.Pool {
	var out []*zones.Pool
	held := make(map[register]*Override, len(before))
	for i := range before {
		held[before[i].register()] = &before[i]
	}
	for i := range next {
		o := &next[i]
		if b := held[o.register()]; b == nil || o.compare(b) != 0 {
			if p := e.named[o.Pool]; p != nil {
				out = append(out, p)
			}
		}
	}
	return out
}
