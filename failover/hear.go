package failover

import (
	"slices"
	"time"

	"github.com/livens/livens/checker"
	"github.com/livens/livens/zones"
)

// stand takes a new standing, and gives the pools that it concerns.
func (e *Engine) stand(s Standing, now time.Time) []*zones.Pool {
	before := e.standing
	e.standing = s
	if before == s {
		return nil
	}
	if before.Quorum != s.Quorum || before.Joined != s.Joined {
		e.since, e.confirmed = now, false
		e.stale = true
	}
	if e.set != nil && before.Quorum != s.Quorum {
		return e.set.Pools
	}
	if before.Skew == s.Skew || e.set == nil {
		return nil
	}
	return e.ordered()
}

// ordered are the pools with orders, those that are over among them: another time may end one, or let one begin.
func (e *Engine) ordered() []*zones.Pool {
	var out []*zones.Pool
	for i := range e.overrides {
		if p := e.named[e.overrides[i].Pool]; p != nil {
			out = append(out, p)
		}
	}
	return out
}

// learn takes verdicts, and gives the pools that they concern. A lone nameserver hears of targets that were removed
// meanwhile; others may hear of targets that they do not have yet.
func (e *Engine) learn(verdicts View) []*zones.Pool {
	var concerned []*zones.Pool
	for key, v := range verdicts {
		if e.options.Alone && len(e.pools[key]) == 0 {
			continue
		}
		e.view[key] = v
		if v.State != checker.Unknown {
			e.memory[key] = v
		}
		if len(e.pools[key]) > 0 {
			e.asked(key)
			concerned = append(concerned, e.pools[key]...)
		}
	}
	return concerned
}

// learnOrders takes what other nameservers know of orders.
func (e *Engine) learnOrders(overrides []Override, now time.Time) []*zones.Pool {
	concerned, changed := e.merge(soundOnly(overrides, e.clock(now)))
	e.effects.Orders = e.effects.Orders || changed
	return concerned
}

// merge takes registers, and gives the pools that they concern, and whether any changed.
func (e *Engine) merge(overrides []Override) (concerned []*zones.Pool, changed bool) {
	if len(overrides) == 0 {
		return nil, false
	}
	before, next := e.overrides, MergeOverrides(e.overrides, overrides)
	if slices.EqualFunc(before, next, func(a, b Override) bool { return a.compare(&b) == 0 }) {
		return nil, false
	}
	e.overrides, e.unread, e.stale = next, true, true
	if e.set != nil {
		concerned = e.concerned(before, next)
	}
	// An order waits for no adopted decision, unless it was known before: else two views would contradict each other on
	// every message.
	for _, p := range concerned {
		delete(e.stands, p.Name)
	}
	return concerned, true
}

// adoptAll takes over the decisions of other nameservers that are preferred to this one's, and gives the pools.
func (e *Engine) adoptAll(now time.Time) []*zones.Pool {
	best := map[*zones.Pool]*Decision{}
	for _, heard := range e.heard {
		if own := e.decisions[heard.Pool]; own != nil && own.says(heard) {
			continue // nearly always
		}
		if p := e.named[heard.Pool]; p != nil && p.Follow == "" && heard.sound(p, e.clock(now)) {
			if b := best[p]; b == nil || prefer(p, heard, b) > 0 {
				best[p] = heard
			}
		}
	}
	var adopted []*zones.Pool
	for p, heard := range best {
		own := e.decisions[p.Name]
		if own != nil && !overtakes(p, heard, own) {
			continue
		}
		answered := e.published || own != nil && !own.Guess || e.options.Memory.Decisions[p.Name] != nil // by this process, or the one before
		next := adopt(p, own, heard, answered, now)
		words := own != nil && !own.Guess && own.Epoch == next.Epoch && sameChoice(own, next) // are all that is new
		if !words {
			e.stands[p.Name] = now.Add(settle)
		}
		e.released = e.released || allHeld(p, own) != allHeld(p, next)
		e.decisions[p.Name], e.unsaid.pools[p] = next, true
		e.compare(p, own, next, now)
		adopted = append(adopted, p)
	}
	return adopted
}

// says says that d is the same as heard, but for when it was made, and no guess: there is nothing to adopt.
func (d *Decision) says(heard *Decision) bool {
	return d.Epoch == heard.Epoch && d.class() == heard.class() && !d.Guess && d.AllDown == heard.AllDown && d.Reason == heard.Reason && sameChoice(d, heard)
}

// overtakes says that a nameserver that holds own is to adopt heard. Where both choose the same, the later epoch is all that
// is new, or, where they chose in the same second, the words: one reason is to be read everywhere, and the one that comes
// later in the alphabet will do. A guess gives way to what another has decided even so, or its epoch, of which nobody is told,
// would stay its own.
func overtakes(p *zones.Pool, heard, own *Decision) bool {
	if sameChoice(own, heard) {
		words := heard.AllDown == own.AllDown && heard.Reason > own.Reason
		return own.Guess && !heard.Guess || heard.Epoch > own.Epoch || heard.Epoch == own.Epoch && words
	}
	return prefer(p, heard, own) > 0
}

// converge takes over the epochs of pools that follow others: what they answer is derived, and their epochs are agreed
// upon once all answer alike. It says whether any changed.
func (e *Engine) converge(now time.Time) bool {
	changed := false
	for _, heard := range e.heard {
		p := e.named[heard.Pool]
		if p == nil || p.Follow == "" || !heard.sound(p, e.clock(now)) {
			continue
		}
		own := e.decisions[p.Name]
		if sameChoice(own, heard) && heard.Epoch > own.Epoch {
			next := *own
			next.Epoch, next.Since = heard.Epoch, earlier(heard.Since, own.Since)
			e.decisions[p.Name], e.unsaid.pools[p] = &next, true
			changed = true
		}
	}
	return changed
}
