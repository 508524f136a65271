package failover

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/livens/livens/checker"
	"github.com/livens/livens/zones"
)

// Options are what a Controller is made of.
type Options struct {
	State   string            // the state folder; it must exist to keep anything
	Checker *checker.Checker  // its targets and restored verdicts are the controller's to set
	Publish func(Publication) // called by the one goroutine, whenever an answer changed; it must not block
	Log     *slog.Logger
}

// Controller is the only writer of decisions. Its one goroutine takes verdicts, orders, new Sets and the clock, and
// hands on what follows from them. It publishes before it writes to disk: a slow or full disk delays no switch.
type Controller struct {
	options Options
	saver   *saver
	sets    chan load
	orders  chan request
	status  atomic.Pointer[Status]

	// Owned by the goroutine of Run.
	set       *zones.Set
	view      View // verdicts of this process
	memory    View // the last verdict on each target that was not unknown: for the next start
	decisions map[string]*Decision
	overrides []Override
	serials   map[string]zoneSerial
	given     map[string]uint32        // the serials last published
	pools     map[string][]*zones.Pool // by target key: whom a verdict concerns
	followers map[string][]*zones.Pool // by the followed pool's name
	started   time.Time
	readyBy   time.Time // when the first Set's targets have had time for a result
	pending   *request  // the order whose overrides are being written
}

// load is a new Set on its way.
type load struct {
	set  *zones.Set
	done chan struct{}
}

// NewController reads the state folder. Damaged files are set aside and reported as alerts; they stop nothing.
func NewController(o Options) *Controller {
	c := &Controller{
		options: o, saver: newSaver(o.State), sets: make(chan load), orders: make(chan request),
		decisions: map[string]*Decision{}, serials: map[string]zoneSerial{},
	}
	var m memory
	if err := readState(o.State, memoryFile, &m); err != nil {
		c.saver.report("state-damaged", "decisions and verdicts of before the start", err)
		m = memory{}
	}
	if err := readState(o.State, overridesFile, &c.overrides); err != nil {
		c.saver.report("state-damaged", "orders of before the start", err)
		c.overrides = nil
	}
	if m.Decisions != nil {
		c.decisions = m.Decisions
		for _, d := range c.decisions {
			d.clamp(time.Now())
		}
	}
	if m.Serials != nil {
		c.serials = m.Serials
	}
	c.started, c.view, c.memory = time.Now(), View{}, m.Verdicts
	if c.memory == nil {
		c.memory = View{}
	}
	c.status.Store(&Status{})
	return c
}

// Run decides until ctx is done. Then it writes what it knows to the state folder.
func (c *Controller) Run(ctx context.Context) error {
	saved := make(chan struct{})
	go func() { c.saver.run(); close(saved) }()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		orders := c.orders
		if c.pending != nil {
			orders = nil // one at a time: the next is judged by what this one leaves
		}
		select {
		case <-ctx.Done():
			close(c.saver.stop)
			<-saved
			return nil
		case l := <-c.sets:
			c.use(l.set)
			close(l.done)
		case <-c.options.Checker.Changes():
			c.learn(c.options.Checker.Changed())
		case r := <-orders:
			c.take(r)
		case err := <-c.saver.overridesDone:
			c.commit(err)
		case <-timer.C:
			c.decideDue(time.Now())
		}
		timer.Reset(c.untilNext())
	}
}

// Use makes set the one that is decided for. It returns once the first publication for it is out.
func (c *Controller) Use(ctx context.Context, set *zones.Set) error {
	l := load{set, make(chan struct{})}
	select {
	case c.sets <- l:
	case <-ctx.Done():
		return ctx.Err()
	}
	<-l.done
	return nil
}

// use switches to a new Set: what is known about unchanged pools and targets stays.
func (c *Controller) use(set *zones.Set) {
	if c.set == nil {
		c.readyBy = time.Now().Add(firstResults(set))
	}
	c.set = set
	c.followers = map[string][]*zones.Pool{}
	for _, p := range set.Pools {
		if p.Follow != "" {
			c.followers[p.Follow] = append(c.followers[p.Follow], p)
		}
	}
	c.retarget()
	now := time.Now()
	before := c.decisions
	c.decisions = make(map[string]*Decision, len(set.Pools))
	for _, p := range set.Pools {
		c.decisions[p.Name] = before[p.Name]
	}
	for _, p := range set.Pools {
		if p.Follow == "" {
			c.decide(p, now)
		}
	}
	c.publish()
	c.keep()
	c.retarget() // the first decisions may have let go of addresses that were held
}

// learn takes changed verdicts and decides for the pools that they concern.
func (c *Controller) learn(changed map[string]checker.Verdict) {
	var concerned []*zones.Pool
	for key, v := range changed {
		if len(c.pools[key]) == 0 || v.At.Before(c.started) {
			continue // of a target that was removed meanwhile, or what the checker was told itself
		}
		c.view[key] = v
		if v.State != checker.Unknown {
			c.memory[key] = v
		}
		for _, p := range c.pools[key] {
			if !slices.Contains(concerned, p) {
				concerned = append(concerned, p)
			}
		}
	}
	c.decideFor(concerned)
}

// decideDue decides again for the pools that asked to be woken.
func (c *Controller) decideDue(now time.Time) {
	if c.set == nil {
		return
	}
	var due []*zones.Pool
	for _, d := range c.decisions {
		if !d.Recheck.IsZero() && !now.Before(d.Recheck) {
			due = append(due, c.set.Pool(d.Pool))
		}
	}
	c.decideFor(due)
}

// untilNext is how long time alone changes nothing.
func (c *Controller) untilNext() time.Duration {
	wait := time.Hour
	if c.set == nil {
		return wait
	}
	now := time.Now()
	for _, d := range c.decisions {
		if !d.Recheck.IsZero() {
			wait = min(wait, max(0, d.Recheck.Sub(now)))
		}
	}
	return wait
}

func (c *Controller) decideFor(pools []*zones.Pool) {
	if len(pools) == 0 {
		return
	}
	now := time.Now()
	changed, released := false, false
	for _, p := range pools {
		before := allHeld(p, c.decisions[p.Name])
		changed = c.decide(p, now) || changed
		released = released || allHeld(p, c.decisions[p.Name]) != before
	}
	c.overrides = slices.DeleteFunc(c.overrides, func(o Override) bool {
		p := c.set.Pool(o.Pool)
		return o.Kind == ToFailback && p != nil && o.spent(p, c.decisions[o.Pool])
	})
	if changed {
		c.publish()
	}
	c.keep()
	if released {
		c.retarget()
	}
}

// decide makes a pool's next decision and its followers', and says whether what is published of them changed.
func (c *Controller) decide(p *zones.Pool, now time.Time) bool {
	before := c.decisions[p.Name]
	in := Input{Pool: p, View: c.view, Overrides: c.overridesOf(p), Previous: before, Now: now}
	if p.Follow != "" {
		in.Followed = c.decisions[p.Follow]
	}
	next := Decide(in)
	c.decisions[p.Name] = next
	c.logSwitch(before, next)
	changed := before == nil || before.Epoch != next.Epoch || before.TTL != next.TTL || before.AllDown != next.AllDown || before.Reason != next.Reason
	for _, f := range c.followers[p.Name] {
		changed = c.decide(f, now) || changed
	}
	return changed
}

func (c *Controller) overridesOf(p *zones.Pool) []Override {
	var out []Override
	for _, o := range c.overrides {
		if o.Pool == p.Name {
			out = append(out, o)
		}
	}
	return out
}

func (c *Controller) logSwitch(before, next *Decision) {
	log := c.options.Log.With("pool", next.Pool, "active", next.Active, "addresses", next.Addresses, "epoch", next.Epoch)
	switch {
	case before == nil:
		log.Info("pool answers", "reason", next.Reason)
	case next.AllDown && !before.AllDown:
		log.Error("every deployment is down", "from", before.Active, "reason", next.Reason)
	case before.Epoch == next.Epoch && before.AllDown == next.AllDown:
		// nothing that a resolver could see
	case slices.Equal(before.Active, next.Active):
		log.Warn("addresses changed", "reason", next.Reason)
	default:
		log.Warn("switch", "from", before.Active, "reason", next.Reason)
	}
}

// publish hands on the decisions: an answer changed, or the Set is new.
func (c *Controller) publish() {
	c.serials = serials(c.set, c.decisions, c.serials, time.Now())
	c.given = make(map[string]uint32, len(c.serials))
	for zone, s := range c.serials {
		c.given[zone] = s.Serial
	}
	c.options.Publish(Publication{Set: c.set, Decisions: maps.Clone(c.decisions), Serials: c.given})
}

// keep shows what is decided, and has it saved.
func (c *Controller) keep() {
	decisions := maps.Clone(c.decisions)
	c.status.Store(&Status{
		Set: c.set, Decisions: decisions, Overrides: slices.Clone(c.overrides), Serials: c.given,
		Waiting: c.waiting(), ReadyBy: c.readyBy,
	})
	c.saver.keep(memory{Decisions: decisions, Verdicts: maps.Clone(c.memory), Serials: c.serials})
}
