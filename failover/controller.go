package failover

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/livens/livens/checker"
	"github.com/livens/livens/zones"
)

// Options are what a Controller is made of.
type Options struct {
	Name      string            // this nameserver
	State     string            // the state folder; it must exist to keep anything
	Checker   *checker.Checker  // its targets and restored verdicts are the controller's to set
	Observers Observers         // what is decided on; nil: Alone(Checker)
	TieHold   time.Duration     // see EngineOptions
	Publish   func(Publication) // called by the one goroutine, first of all, whenever an answer changed; it must not block
	Tell      func(*Status)     // called by it after every change, for other nameservers; nil: nobody; it must not block
	Happened  func([]Event)     // called by it with what happened; nil: nobody; it must not block
	Log       *slog.Logger
}

// Controller is the only writer of decisions: an Engine in a goroutine, with the checker, the clock and the disk around it.
// It takes verdicts, orders, new Sets and what other nameservers decided, and hands on what follows from them. It publishes
// before it writes to disk: a slow or full disk delays no switch.
type Controller struct {
	options Options
	saver   *saver
	sets    chan load
	orders  chan request
	looks   chan func()  // read the engine and change nothing
	ahead   sync.RWMutex // held for writing while the answers are ahead of status
	status  atomic.Pointer[Status]

	// Owned by the goroutine of Run.
	engine  *Engine
	shown   map[string]*Decision // what was logged of each pool
	shownOf *zones.Set           // whose those are
	waiting []load               // Sets whose first publication is to come
	pending *request             // the order whose overrides are being written
	obeyed  *request             // the order that is to be answered once its effects are out
	learnt  bool                 // registers changed meanwhile
}

// load is a new Set on its way.
type load struct {
	set  *zones.Set
	done chan struct{}
}

// NewController reads the state folder. Damaged files are set aside and reported as alerts; they stop nothing.
func NewController(o Options) *Controller {
	if o.Observers == nil {
		o.Observers = Alone(o.Checker)
	}
	c := &Controller{options: o, saver: newSaver(o.State), sets: make(chan load), orders: make(chan request), looks: make(chan func()), shown: map[string]*Decision{}}
	var overrides []Override
	var m Memory
	if err := readState(o.State, memoryFile, &m); err != nil {
		c.saver.report("state-damaged", "decisions and verdicts of before the start", err)
		m = Memory{}
	}
	if err := readState(o.State, overridesFile, &overrides); err != nil {
		c.saver.report("state-damaged", "orders of before the start", err)
		overrides = nil
	}
	_, lone := o.Observers.(*alone)
	c.engine = NewEngine(EngineOptions{Node: o.Name, Alone: lone, TieHold: o.TieHold, Memory: m, Overrides: overrides}, time.Now())
	c.status.Store(c.engine.Status())
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
			c.waiting = append(c.waiting, l)
			c.engine.Use(l.set, time.Now())
		case <-c.options.Observers.Changes():
			c.engine.Hear(c.options.Observers.News(), time.Now())
		case r := <-orders:
			c.take(r)
		case look := <-c.looks:
			look()
		case err := <-c.saver.overridesDone:
			c.commit(err)
		case <-timer.C:
			c.engine.Wake(time.Now())
		}
		c.carryOut(c.engine.Take())
		timer.Reset(c.untilNext())
	}
}

// Use makes set the one that is decided for. It returns once the first publication for it is out, which waits until this
// nameserver has joined the others.
func (c *Controller) Use(ctx context.Context, set *zones.Set) error {
	l := load{set, make(chan struct{})}
	select {
	case c.sets <- l:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-l.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// untilNext is how long time alone changes nothing.
func (c *Controller) untilNext() time.Duration {
	next := c.engine.Next()
	if next.IsZero() {
		return time.Hour
	}
	return min(time.Hour, max(0, time.Until(next)))
}

// carryOut does what the engine asks for: answers first, the disk last.
func (c *Controller) carryOut(e Effects) {
	p := e.Publication
	c.publish(e)
	if e.Retarget {
		all, known := c.engine.Targets()
		c.options.Checker.Restore(known)
		c.options.Checker.Update(all)
	}
	if p != nil {
		for _, l := range c.waiting {
			close(l.done)
		}
		c.waiting = nil
		c.logSwitches(p)
	}
	if c.obeyed != nil {
		c.obeyed.done <- c.obeyed.err
		c.obeyed = nil
	}
	if e.Status && c.options.Tell != nil {
		c.options.Tell(c.engine.Status())
	}
	if len(e.Events) > 0 && c.options.Happened != nil {
		c.options.Happened(e.Events)
	}
	if e.Status && c.engine.Status().Set != nil { // before the first Set there is nothing new
		c.saver.keep(c.engine.Memory())
	}
	if c.learnt = c.learnt || e.Orders; c.learnt && c.pending == nil {
		c.learnt = false
		c.saver.keepLearnt(c.engine.Status().Registers)
	}
}

// publish gives what is answered, and then tells of it: who has seen an answer finds it in Status as well.
func (c *Controller) publish(e Effects) {
	c.ahead.Lock()
	defer c.ahead.Unlock()
	if e.Publication != nil {
		c.options.Publish(*e.Publication)
	}
	if e.Status {
		c.status.Store(c.engine.Status())
	}
}

// logSwitches logs a publication, and keeps of it what the next is compared with.
func (c *Controller) logSwitches(p *Publication) {
	for _, d := range p.Decisions {
		c.logSwitch(c.shown[d.Pool], d)
	}
	if c.shownOf != p.Set {
		c.shown, c.shownOf = make(map[string]*Decision, len(p.Decisions)), p.Set
	}
	maps.Copy(c.shown, p.Decisions)
}

func (c *Controller) logSwitch(before, next *Decision) {
	if before == next {
		return // as of nearly all pools of a new Set
	}
	log := c.options.Log.With("pool", next.Pool, "active", next.Active, "addresses", next.Addresses, "epoch", next.Epoch)
	alike := before != nil && (before.Epoch == next.Epoch || sameChoice(before, next))
	switch {
	case before == nil:
		log.Info("pool answers", "reason", next.Reason)
	case next.AllDown && !before.AllDown:
		log.Error("every deployment is down", "from", before.Active, "reason", next.Reason)
	case alike && before.AllDown && !next.AllDown:
		log.Warn("live again", "reason", next.Reason)
	case alike:
		// nothing that a resolver could see
	case slices.Equal(before.Active, next.Active):
		log.Warn("addresses changed", "reason", next.Reason)
	default:
		log.Warn("switch", "from", before.Active, "reason", next.Reason)
	}
}
