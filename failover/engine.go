package failover

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/livens/livens/zones"
)

// EngineOptions are what an Engine starts from.
type EngineOptions struct {
	Node      string        // this nameserver's name: it stands in orders and events
	Alone     bool          // there is no other nameserver to hear from
	TieHold   time.Duration // see Input.TieHold; default 10 s
	Memory    Memory        // what an engine before it left; the zero value: nothing
	Overrides []Override    // the registers that it left
}

// Engine holds the decisions of all pools and makes the next ones from what it is told. It has no goroutine, does no I/O
// and reads no clock: each call is given the time, which must not go back. It is not safe for concurrent use.
//
// After every call Take has what is to be done outside, and Next says when time alone makes another call of Wake due.
type Engine struct {
	options   EngineOptions
	set       *zones.Set // nil before the first Use
	standing  Standing
	since     time.Time // of the quorum
	view      View
	memory    View // the last verdict on each target that was not unknown: for the next start
	decisions map[string]*Decision
	heard     []*Decision          // what other nameservers hold
	stands    map[string]time.Time // see Input.Stands
	overrides []Override
	serials   map[string]ZoneSerial
	told      map[zoneData]uint32      // serials that other nameservers gave
	pools     map[string][]*zones.Pool // by target key: whom a verdict concerns
	named     map[string]*zones.Pool   // the pools of set by name
	followers map[string][]*zones.Pool // by the followed pool's name
	zones     map[string]*zones.Zone   // of set, by name
	zoneOf    map[*zones.Pool]*zones.Zone
	unasked   map[string]bool // the targets, by key, that never had a result
	unsaid    unsaid
	readyBy   time.Time // when the first Set's targets have had time for a result
	released  bool      // addresses that were held have been let go, or the other way round
	confirmed bool      // what was provisional has been decided again since the standing changed
	published bool      // an answer has been given
	stale     bool      // what is shown is
	status    *Status   // nil: to be made
	finished  time.Time // as of when
	effects   Effects
	happened
}

// NewEngine makes an Engine without a Set.
func NewEngine(o EngineOptions, now time.Time) *Engine {
	o.TieHold = cmp.Or(o.TieHold, 10*time.Second)
	e := &Engine{
		options: o, view: View{}, memory: View{}, decisions: map[string]*Decision{}, stands: map[string]time.Time{},
		overrides: MergeOverrides(nil, soundOnly(o.Overrides, now)), serials: map[string]ZoneSerial{}, told: map[zoneData]uint32{},
		standing: Standing{Quorum: o.Alone, Joined: o.Alone}, since: now.Add(-settle), happened: newHappened(),
	}
	maps.Copy(e.memory, o.Memory.Verdicts)
	maps.Copy(e.serials, o.Memory.Serials)
	for name, d := range o.Memory.Decisions {
		restored := *d
		restored.Failbacks, restored.Deployments = slices.Clone(d.Failbacks), slices.Clone(d.Deployments)
		restored.clamp(now)
		restored.Provisional = restored.Provisional || !o.Alone
		e.decisions[name] = &restored
		if !o.Alone { // others may have gone on meanwhile
			e.stands[name] = now
		}
	}
	e.status = &Status{Standing: e.standing}
	e.unread = true
	e.phases(now)
	e.effects = Effects{} // nothing has happened yet
	return e
}

// Use switches to a new Set: what is known about unchanged pools and targets stays.
func (e *Engine) Use(set *zones.Set, now time.Time) {
	if e.set == nil {
		e.readyBy = now.Add(firstResults(set))
	}
	e.set, e.unsaid = set, unsaidSet(set)
	e.zones, e.zoneOf = make(map[string]*zones.Zone, len(set.Zones)), make(map[*zones.Pool]*zones.Zone, len(set.Pools))
	for _, z := range set.Zones {
		e.zones[z.Name] = z
		for _, p := range z.Pools {
			e.zoneOf[p] = z
		}
	}
	e.named, e.followers = make(map[string]*zones.Pool, len(set.Pools)), map[string][]*zones.Pool{}
	for _, p := range set.Pools {
		e.named[p.Name] = p
		if p.Follow != "" {
			e.followers[p.Follow] = append(e.followers[p.Follow], p)
		}
	}
	before := e.decisions
	e.decisions = make(map[string]*Decision, len(set.Pools))
	for _, p := range set.Pools {
		if d := before[p.Name]; d != nil {
			e.decisions[p.Name] = d
		}
	}
	e.retarget()
	e.adoptAll(now)
	for _, p := range set.Pools {
		if p.Follow == "" {
			e.decide(p, now)
		}
	}
	e.converge(now)
	e.retarget() // the first decisions may have let go of addresses that were held
	e.publish(now)
	e.finish(now)
}

// Hear takes what the observers and the other nameservers have to say. Their decisions are adopted before any is made.
func (e *Engine) Hear(n News, now time.Time) {
	joined := n.Standing.Joined && !e.standing.Joined
	concerned := e.stand(n.Standing, now)
	concerned = append(concerned, e.learnOrders(n.Overrides, now)...)
	concerned = append(concerned, e.learn(n.Verdicts)...)
	e.heard = n.Held
	newer := e.learnSerials(n.Serials)
	if e.set == nil {
		e.finish(now)
		return
	}
	e.phases(now) // that an order was given is told before what it brings
	changed := false
	if adopted := e.adoptAll(now); len(adopted) > 0 {
		concerned, changed = append(concerned, adopted...), true
	}
	if joined {
		concerned, changed = e.set.Pools, true
	}
	e.decideFor(concerned, changed || newer, now)
}

// Obey takes the registers that Plan gave, once they are kept.
func (e *Engine) Obey(overrides []Override, now time.Time) {
	concerned, _ := e.merge(overrides)
	if e.set != nil {
		e.decideFor(concerned, false, now)
	}
}

// Plan is what the registers would be after an order, or an error that wraps ErrRefused. It changes nothing.
func (e *Engine) Plan(o Order, now time.Time) ([]Override, error) {
	if e.set == nil {
		return nil, refuse("no zones are loaded yet")
	}
	return o.plan(e.desk(now))
}

func (e *Engine) desk(now time.Time) desk {
	return desk{set: e.set, decisions: e.decisions, overrides: e.overrides, node: e.options.Node, now: e.clock(now)}
}

// clock is the time by which orders are judged.
func (e *Engine) clock(now time.Time) time.Time { return now.Add(e.standing.Skew) }

// Wake decides what time alone has changed.
func (e *Engine) Wake(now time.Time) {
	if e.set == nil {
		return
	}
	var due []*zones.Pool
	for _, p := range e.set.Pools {
		d := e.decisions[p.Name]
		confirm := d.Provisional && !e.confirmed && e.firm(now)
		if confirm || !d.Recheck.IsZero() && !now.Before(d.Recheck) || e.startDue(p, now) {
			due = append(due, p)
		}
	}
	e.confirmed = e.firm(now)
	e.decideFor(due, false, now)
}

// Next is when time alone may change something, and Wake is due; zero: never. It may have passed already.
func (e *Engine) Next() time.Time {
	if e.set == nil {
		return time.Time{}
	}
	next := e.nextHappening(e.standing.Skew)
	for _, d := range e.decisions {
		next = earlier(d.Recheck, next)
		if d.Provisional && e.standing.Quorum && e.standing.Joined && !e.confirmed {
			next = earlier(e.since.Add(settle), next)
		}
	}
	return next
}

// firm says that a majority of the observers stands behind what is decided, and that others have had time to object.
func (e *Engine) firm(now time.Time) bool {
	return e.standing.Quorum && e.standing.Joined && !now.Before(e.since.Add(settle))
}

// decideFor makes the next decisions of pools, each once, and of those that follow them.
func (e *Engine) decideFor(pools []*zones.Pool, changed bool, now time.Time) {
	e.phases(now)
	done := make(map[string]bool, len(pools))
	for _, p := range pools {
		if done[p.Name] {
			continue
		}
		done[p.Name] = true
		before := allHeld(p, e.decisions[p.Name])
		changed = e.decide(p, now) || changed
		e.released = e.released || allHeld(p, e.decisions[p.Name]) != before
	}
	changed = e.converge(now) || changed
	if e.released {
		e.retarget()
	}
	if changed {
		e.publish(now)
	}
	if len(done) > 0 || changed || e.stale {
		e.finish(now)
	}
}

// decide makes a pool's next decision and its followers', and says whether what is published of them changed.
func (e *Engine) decide(p *zones.Pool, now time.Time) bool {
	before, next := e.decisions[p.Name], Decide(e.input(p, now))
	e.decisions[p.Name] = next
	if before != nil && !slices.Equal(before.Active, next.Active) {
		delete(e.stands, p.Name) // the choice is this nameserver's own now
	}
	// What was done without a quorum may be undone by those who have one: the order is over only when they have followed.
	if !next.Provisional && retire(e.overrides, p, next) {
		e.effects.Orders, e.unread = true, true
	}
	e.compare(p, before, next, now)
	changed := before == nil || before.Epoch != next.Epoch || before.TTL != next.TTL || before.AllDown != next.AllDown || before.Reason != next.Reason
	if changed {
		e.unsaid.pools[p] = true
	}
	for _, f := range e.followers[p.Name] {
		changed = e.decide(f, now) || changed
	}
	return changed
}

// input is what a pool's next decision depends on.
func (e *Engine) input(p *zones.Pool, now time.Time) Input {
	in := Input{
		Pool: p, View: e.view, Overrides: ofPool(e.overrides, p), Previous: e.decisions[p.Name], Now: now, Skew: e.standing.Skew,
		Minority: !e.firm(now), Stands: e.stands[p.Name], TieHold: e.options.TieHold,
	}
	if p.Follow != "" {
		in.Followed = e.decisions[p.Follow]
	}
	return in
}
