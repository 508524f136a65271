package failover

import (
	"slices"
	"time"

	"github.com/livens/livens/zones"
)

// Forecast is what an order would bring as things stand: as if no deployment changed its state. Times are by the clock of
// orders.
type Forecast struct {
	Pool     string    `json:"pool"`
	Before   []string  `json:"before"`            // the deployments that answer now
	After    []string  `json:"after"`             // those that would answer because of the order
	Reason   string    `json:"reason"`            // why After, in words
	Waits    string    `json:"waits,omitempty"`   // what the order would wait for; "" once Switch is known
	Lowered  time.Time `json:"lowered,omitzero"`  // when the TTL falls ahead of the switch; zero: it does not
	Switch   time.Time `json:"switch,omitzero"`   // zero: nothing would change
	Followed time.Time `json:"followed,omitzero"` // when no cache holds what was answered before, followers included
	Ends     time.Time `json:"ends,omitzero"`     // of the order; zero: when it is ended
	Returns  time.Time `json:"returns,omitzero"`  // when traffic would go elsewhere after that; zero: not by itself
	Return   string    `json:"return,omitempty"`  // why then, or what a return would wait for
}

// maxTurns bounds how many decisions a forecast looks ahead.
const maxTurns = 1000

// Preview is what an order would bring, or an error that wraps ErrRefused. It changes nothing.
func (e *Engine) Preview(o Order, now time.Time) (*Forecast, error) {
	registers, err := e.Plan(o, now)
	if err != nil {
		return nil, err
	}
	p := e.named[o.Pool]
	v := &preview{engine: e, root: p, overrides: ofPool(registers, p), now: now, lowered: map[string]time.Time{}, decisions: map[string]*Decision{}}
	for _, p := range append([]*zones.Pool{p}, e.followers[p.Name]...) {
		v.pools = append(v.pools, p)
		v.decisions[p.Name] = e.decisions[p.Name]
		if v.decisions[p.Name].Lowered {
			v.lowered[p.Name] = now
		}
	}
	v.forecast = Forecast{Pool: p.Name, Before: v.decisions[p.Name].Active, After: v.decisions[p.Name].Active}
	for i := range v.overrides {
		if x := &v.overrides[i]; string(x.Kind) == string(o.Verb) && (o.Deployment == "" || x.Deployment == o.Deployment) && !x.Cleared {
			v.forecast.Ends = x.Until
		}
	}
	v.run()
	return &v.forecast, nil
}

// preview is one look ahead.
type preview struct {
	engine    *Engine
	root      *zones.Pool
	pools     []*zones.Pool // root and its followers
	overrides []Override    // of root, the order included
	now       time.Time
	decisions map[string]*Decision
	lowered   map[string]time.Time // since when a pool's TTL has been low, as far as is known
	forecast  Forecast
}

// run decides as the engine would, from one time that changes something to the next, until traffic is back.
func (v *preview) run() {
	for range maxTurns {
		v.step()
		next := v.next()
		if next.IsZero() || !v.forecast.Returns.IsZero() {
			break
		}
		v.now = next
	}
	f, d := &v.forecast, v.decisions[v.root.Name]
	switch {
	case f.Switch.IsZero():
		f.Reason, f.Waits = d.Reason, d.Pending
	case f.Returns.IsZero():
		f.Return = d.Pending
	}
}

// step makes the decisions of one moment and notes what they bring.
func (v *preview) step() {
	before := v.decisions[v.root.Name]
	for _, p := range v.pools {
		in := v.engine.input(p, v.now)
		in.Overrides, in.Previous, in.Stands = v.overrides, v.decisions[p.Name], time.Time{}
		if p != v.root {
			in.Overrides, in.Followed = nil, v.decisions[v.root.Name]
		}
		v.decisions[p.Name] = Decide(in)
	}
	retire(v.overrides, v.root, v.decisions[v.root.Name])
	if d := v.decisions[v.root.Name]; !slices.Equal(d.Active, before.Active) {
		v.note(d)
	}
	for _, p := range v.pools {
		switch _, was := v.lowered[p.Name]; {
		case !v.decisions[p.Name].Lowered:
			delete(v.lowered, p.Name)
		case !was:
			v.lowered[p.Name] = v.now
		}
	}
}

// note takes down a switch: the first is the order's, one after the order's end is the return.
func (v *preview) note(d *Decision) {
	f, at := &v.forecast, v.engine.clock(v.now)
	switch {
	case f.Switch.IsZero():
		f.After, f.Reason, f.Switch, f.Followed = d.Active, d.Reason, at, v.engine.clock(v.followed())
		if low, ok := v.lowered[v.root.Name]; ok && low.Before(v.now) {
			f.Lowered = v.engine.clock(low)
		}
	case !f.Ends.IsZero() && !at.Before(f.Ends):
		f.Returns, f.Return = at, d.Reason
	}
}

// followed is when no cache holds what was answered before now: what was given while the TTL was low lasts that long from
// now, and what was given before, the whole TTL from then.
func (v *preview) followed() time.Time {
	var last time.Time
	for _, p := range v.pools {
		full, low := time.Duration(p.TTL)*time.Second, time.Duration(p.TTLMin)*time.Second
		if since, ok := v.lowered[p.Name]; ok {
			last = later(last, later(since.Add(full), v.now.Add(low)))
		} else {
			last = later(last, v.now.Add(full))
		}
	}
	return last
}

// next is when time alone changes something; zero: never.
func (v *preview) next() time.Time {
	var next time.Time
	for _, d := range v.decisions {
		next = earlier(d.Recheck, next)
	}
	return next
}
