package failover

import (
	"maps"
	"slices"
	"time"
)

// Effects are what is to be done because of what an Engine was told.
type Effects struct {
	Publication *Publication // an answer changed; nil: none did
	Retarget    bool         // Targets changed
	Status      *Status      // it changed; nil: it did not
	Orders      bool         // registers changed other than by Obey: they are to be kept
	Events      []Event      // oldest first
}

// Take gives what is to be done because of the calls since it was last called.
func (e *Engine) Take() Effects {
	taken := e.effects
	e.effects = Effects{}
	return taken
}

// publish hands on the decisions: an answer changed, or the Set is new. Before a nameserver has joined the others it
// answers nothing.
func (e *Engine) publish(now time.Time) {
	if !e.standing.Joined {
		return
	}
	e.published, e.serials = true, e.nextSerials(now)
	e.effects.Publication = &Publication{Set: e.set, Decisions: maps.Clone(e.decisions), Serials: e.given()}
}

// finish shows what is decided.
func (e *Engine) finish(now time.Time) {
	e.phases(now)
	e.stale = false
	e.status = &Status{
		Set: e.set, Standing: e.standing, Stands: e.since, Registers: slices.Clone(e.overrides), Overrides: e.pending(now),
		Serials: e.given(), Waiting: e.waiting(), ReadyBy: e.readyBy,
	}
	if e.set != nil { // until then they are only remembered
		e.status.Decisions = maps.Clone(e.decisions)
	}
	for _, s := range e.serials {
		e.status.Given = append(e.status.Given, s)
	}
	e.effects.Status = e.status
}

// pending are the orders that count or may count later.
func (e *Engine) pending(now time.Time) []Override {
	clock := e.clock(now)
	return slices.DeleteFunc(slices.Clone(e.overrides), func(o Override) bool { return !o.pending(clock) })
}

// Status is what the engine holds now.
func (e *Engine) Status() *Status { return e.status }

// Memory is what must outlive a restart, besides the registers.
func (e *Engine) Memory() Memory {
	return Memory{Decisions: e.status.Decisions, Verdicts: maps.Clone(e.memory), Serials: e.serials}
}
