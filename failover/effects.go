package failover

import (
	"maps"
	"slices"
	"time"
)

// Effects are what is to be done because of what an Engine was told.
type Effects struct {
	Publication *Publication // the answers that changed; nil: none did
	Retarget    bool         // Targets changed
	Status      bool         // it changed
	Orders      bool         // registers changed other than by Obey: they are to be kept
	Events      []Event      // oldest first
}

// Take gives what is to be done because of the calls since it was last called.
func (e *Engine) Take() Effects {
	taken := e.effects
	e.effects = Effects{}
	return taken
}

// finish notes that there is something new to show.
func (e *Engine) finish(now time.Time) {
	e.phases(now)
	e.stale = false
	e.status, e.finished, e.effects.Status = nil, now, true
}

// Status is what the engine holds now. It is made when it is asked for, which may wait until the answers are out: it
// describes every pool, however few changed.
func (e *Engine) Status() *Status {
	if e.status != nil {
		return e.status
	}
	e.status = &Status{
		Set: e.set, Standing: e.standing, Stands: e.since, Registers: slices.Clone(e.overrides), Overrides: e.pending(e.finished),
		Serials: make(map[string]uint32, len(e.serials)), Given: make([]ZoneSerial, 0, len(e.serials)), Waiting: len(e.unasked), ReadyBy: e.readyBy,
	}
	if e.set != nil { // until then they are only remembered
		e.status.Decisions = maps.Clone(e.decisions)
	}
	for zone, s := range e.serials {
		e.status.Serials[zone] = s.Serial
		e.status.Given = append(e.status.Given, s)
	}
	return e.status
}

// pending are the orders that count or may count later.
func (e *Engine) pending(now time.Time) []Override {
	clock := e.clock(now)
	return slices.DeleteFunc(slices.Clone(e.overrides), func(o Override) bool { return !o.pending(clock) })
}

// Memory is what must outlive a restart, besides the registers.
func (e *Engine) Memory() Memory {
	return Memory{Decisions: e.Status().Decisions, Verdicts: maps.Clone(e.memory), Serials: maps.Clone(e.serials)}
}
