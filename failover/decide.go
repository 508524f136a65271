package failover

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/livens/livens/checker"
	"github.com/livens/livens/zones"
)

// Input is all that one pool's decision depends on.
type Input struct {
	Pool      *zones.Pool
	View      View
	Overrides []Override // of this pool; those no longer in force do not count
	Previous  *Decision  // nil: none is known
	Followed  *Decision  // the decision of Pool.Follow; nil if and only if that is ""
	Now       time.Time
	// Skew is the clock by which orders begin and end, minus Now.
	Skew time.Duration
	// Minority says that too few observers are reached: what is decided now is provisional.
	Minority bool
	// Stands is until when Previous, which another nameserver or an earlier process decided, is contradicted only by a forced
	// order; and so it is for as long as nothing is known of any deployment but from memory. Zero: Previous is this one's own.
	Stands time.Time
	// TieHold is how long a tie among the observers may last on what answers while another deployment is up; 0: no time.
	TieHold time.Duration
}

// clock is the time by which orders are judged.
func (in *Input) clock() time.Time { return in.Now.Add(in.Skew) }

// local is this host's time when the clock of orders shows t.
func (in *Input) local(t time.Time) time.Time { return t.Add(-in.Skew) }

// Decide says which deployment answers for a pool, and why. It is a pure function: the same input gives the same
// decision. Without a change in what it is given it repeats Previous, apart from what it says of the deployments.
func Decide(in Input) *Decision {
	w := weigh(in)
	w.lookAhead()
	d := w.decision()
	if in.Followed == nil && allHeld(in.Pool, d) < allHeld(in.Pool, in.Previous) { // what was let go of counts no more
		in.Previous = d
		return Decide(in)
	}
	return d
}

func weigh(in Input) *weighing {
	w := &weighing{Input: in}
	if in.Followed != nil {
		w.follow()
		return w
	}
	w.observeAll()
	w.choose()
	switch {
	case w.order != nil && slices.Contains(w.active, w.order.Deployment):
		w.waits = ""
	case w.waits != "":
		w.pending = "the planned switch waits: " + w.waits
	}
	return w
}

// rank orders what deployments have to offer; lower is better.
type rank int

const (
	live              rank = iota
	liveDrained            // only when no other is live
	recovering             // down, and its last probe succeeded: enough when nothing is live
	recoveringDrained      //
	unproven               // never had a verdict
	unprovenDrained        //
	contested              // as many observers call it down as up, while another is up beyond doubt
	dead
)

// weighing is one run of Decide.
type weighing struct {
	Input
	candidates []candidate // in the pool's order
	active     []string    // the choice
	reason     string
	pending    string
	due        time.Time // when a switch is expected; zero: none
	recheck    time.Time
	allDown    bool
	returned   bool      // the failback rule moves the choice from a live deployment to a better one
	forced     bool      // the choice is an operator's, whatever the state
	order      *Override // the operator's preference in force; nil: none
	stood      bool      // the choice is another nameserver's, and stands
	waits      string    // why a planned switch that is due does not come yet
	steps      []string
}

func (w *weighing) step(format string, args ...any) {
	w.steps = append(w.steps, fmt.Sprintf(format, args...))
}

// wakeAt asks for another decision at t.
func (w *weighing) wakeAt(t time.Time) {
	if t.After(w.Now) && (w.recheck.IsZero() || t.Before(w.recheck)) {
		w.recheck = t
	}
}

func (w *weighing) observeAll() {
	for _, d := range w.Pool.Deployments {
		c := observe(&w.Input, d)
		w.candidates = append(w.candidates, c)
		w.step("%s is %s since %s: %s", c.Name, c.State, utc(c.Since), c.Reason)
		if c.Drained != "" {
			w.step("%s is drained %s", c.Name, c.Drained)
		}
		if c.Gate == Shut {
			w.step("%s is not in sync since %s: %s", c.Name, utc(c.GateSince), c.GateWhy)
		}
	}
	for _, c := range w.candidates {
		if !c.tied.IsZero() {
			w.step("as many observers call %s down as up since %s", c.Name, utc(c.tied))
			w.wakeAt(c.tied.Add(w.TieHold))
		}
	}
	for i := range w.Overrides {
		if o := &w.Overrides[i]; !o.Cleared {
			w.wakeAt(w.local(o.From))
			w.wakeAt(w.local(o.Until))
		}
	}
}

// rank is what c offers now. A deployment that became active on one success counts as live until its next failure.
func (w *weighing) rank(c *candidate) rank {
	r := dead
	switch {
	case w.contested(c):
		return contested
	case c.State == checker.Up, c.recovering && w.isActive(c.Name) && w.Previous.Revived:
		r = live
	case c.recovering:
		r = recovering
	case c.State == checker.Unknown:
		r = unproven
	}
	if c.Drained != "" && r != dead {
		r++
	}
	return r
}

// contested says that the observers have been divided on c for too long, while they agree that another is up.
func (w *weighing) contested(c *candidate) bool {
	return !c.tied.IsZero() && !w.Now.Before(c.tied.Add(w.TieHold)) && slices.ContainsFunc(w.candidates, func(o candidate) bool {
		return o.Name != c.Name && o.State == checker.Up && o.known && o.Drained == ""
	})
}

func (w *weighing) isActive(name string) bool {
	return w.Previous != nil && slices.Contains(w.Previous.Active, name)
}

// best is the first of the preferred deployments in the best rank.
func (w *weighing) best(order *Override) *candidate {
	wanted := w.preference(order)
	return slices.MinFunc(wanted, func(a, b *candidate) int { return int(w.rank(a)) - int(w.rank(b)) })
}

func (w *weighing) choose() {
	order := w.preferring()
	best := w.best(order)
	w.allDown = w.rank(best) == dead
	switch {
	case order != nil && order.Force:
		w.forced = true
		w.take(order.String(), order.Deployment)
	case w.stands():
		w.wakeAt(w.Stands)
		w.stood = true
		w.active, w.reason, w.allDown = w.Previous.Active, w.Previous.Reason, w.Previous.AllDown
	case w.allDown:
		w.chooseAmongDead()
	case w.Pool.Policy == zones.AllLive:
		w.chooseAll(w.rank(best))
	default:
		w.chooseOne(order, best)
	}
}

// stands says that the previous decision must not be contradicted yet by what this nameserver sees: the observers whose
// view it was made on may be ahead of it. They are for as long as it sees nothing, and only remembers; but when nothing is live
// one success is enough.
func (w *weighing) stands() bool {
	switch {
	case w.Previous == nil || w.Stands.IsZero():
		return false
	case slices.ContainsFunc(w.Previous.Active, func(name string) bool { return w.Pool.Deployment(name) == nil }):
		return false
	case w.Now.Before(w.Stands):
		w.step("another nameserver decided this: it stands until %s", utc(w.Stands))
	case slices.ContainsFunc(w.candidates, func(c candidate) bool { return c.seen() || c.recovering && w.Previous.AllDown }):
		return false
	default:
		w.step("another nameserver decided this: it stands until something is known here of a deployment")
	}
	return true
}

// take makes the choice; an unchanged one keeps the reason for which it was first made.
func (w *weighing) take(reason string, names ...string) {
	w.active, w.reason = names, reason
	if w.Previous != nil && slices.Equal(w.Previous.Active, names) && w.Previous.AllDown == w.allDown {
		w.reason = w.Previous.Reason
	}
}

// chooseAmongDead applies the pool's all_down: no deployment is live.
func (w *weighing) chooseAmongDead() {
	w.step("no deployment is live: all_down = %s", w.Pool.AllDown)
	names := []string{w.candidates[0].Name}
	switch w.Pool.AllDown {
	case zones.LastGood:
		if kept := w.lastGood(); len(kept) > 0 {
			names = kept
		}
	case zones.All:
		names = names[:0]
		for _, c := range w.candidates {
			names = append(names, c.Name)
		}
	}
	why := make([]string, len(w.candidates))
	for i, c := range w.candidates {
		why[i] = c.Name + ": " + c.Reason
	}
	w.take(fmt.Sprintf("every deployment is down (%s); all_down = %s", strings.Join(why, "; "), w.Pool.AllDown), names...)
}

// lastGood are the deployments that answered while they were live for the last time, as far as they are still configured.
func (w *weighing) lastGood() []string {
	if w.Previous == nil {
		return nil
	}
	var out []string
	for _, name := range w.Previous.LastGood {
		if w.Pool.Deployment(name) != nil {
			out = append(out, name)
		}
	}
	return out
}

// chooseAll is the policy all-live: every deployment of the best rank; one that returns enters by the failback rule, and
// one that answers without a verdict yet is not left for another's.
func (w *weighing) chooseAll(best rank) {
	var names []string
	for i := range w.candidates {
		c := &w.candidates[i]
		if r := w.rank(c); r != best && !(r == unproven && best == live && w.isActive(c.Name)) {
			continue
		}
		if w.Previous == nil || w.Previous.AllDown || w.isActive(c.Name) || w.mayReturn(c) != "" {
			names = append(names, c.Name)
		}
	}
	if len(names) == 0 { // those that answered are gone, and no other may wait for a rule
		w.pending, w.due = "", time.Time{}
		for i := range w.candidates {
			if w.rank(&w.candidates[i]) == best {
				names = append(names, w.candidates[i].Name)
			}
		}
	}
	w.take(fmt.Sprintf("policy all-live: %s", strings.Join(names, ", ")), names...)
}

// chooseOne is the policy failover.
func (w *weighing) chooseOne(order *Override, best *candidate) {
	current := w.current()
	switch {
	case w.Previous == nil:
		w.take(w.whyBest(best, "start"), best.Name)
	case current == nil:
		w.take(w.whyBest(best, w.whyNoCurrent()), best.Name)
	case best == current:
		w.step("%s stays: nothing better is live", current.Name)
		w.take(w.Previous.Reason, current.Name)
		switch {
		case w.Previous.AllDown:
			w.reason = w.whyBest(best, "first to return")
		case w.Previous.state(best.Name).State == checker.Unknown && best.State != checker.Unknown:
			w.reason = w.whyBest(best, "start") // its first verdict
		}
	case w.rank(current) == unproven && w.rank(best) < unproven && !w.ordered(order, best):
		w.step("%s stays: it has no verdict yet", current.Name)
		w.take(w.Previous.Reason, current.Name)
	case w.rank(best) != w.rank(current):
		w.take(w.whyLeave(current, best, order), best.Name)
	case w.ordered(order, best):
		w.take(order.String(), best.Name)
	default:
		if reason := w.mayReturn(best); reason != "" {
			w.take(reason, best.Name)
			return
		}
		w.step("%s stays: %s", current.Name, w.pending)
		w.take(w.Previous.Reason, current.Name)
	}
}

// current is the one deployment that answers now, or nil.
func (w *weighing) current() *candidate {
	if w.Previous == nil || len(w.Previous.Active) != 1 {
		return nil
	}
	i := slices.IndexFunc(w.candidates, func(c candidate) bool { return c.Name == w.Previous.Active[0] })
	if i < 0 {
		return nil
	}
	return &w.candidates[i]
}

// lastSwitch is when the active deployment last changed, this choice included.
func (w *weighing) lastSwitch() time.Time {
	if w.Previous == nil || w.active != nil && !slices.Equal(w.active, w.Previous.Active) {
		return w.Now
	}
	return w.Previous.Since
}
