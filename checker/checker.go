package checker

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// Options are what a Checker is made with.
type Options struct {
	Name      string       // this observer: said in the User-Agent
	Version   string       // of livens: said in the User-Agent
	MaxProbes int          // probes under way at once, exec checks aside; default 1000
	MaxExec   int          // commands of exec checks at once; default 16
	Log       *slog.Logger // transitions and self-doubt; nil: nowhere
	// Dial opens the connections of probes and watches, in place of a net.Dialer; nil: that. With it a test puts
	// deployments on a network in memory.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Heard is when another nameserver elsewhere was last heard; nil: there is none. While one is heard, silent targets are
	// no ground for self-doubt.
	Heard func() time.Time
	// Jitter is where in its range each random delay falls, in [0, 1); nil: anywhere.
	Jitter func() float64
}

// agent is the User-Agent of probes over HTTP.
func (o Options) agent() string { return fmt.Sprintf("livens/%s (+%s)", o.Version, o.Name) }

// Checker probes targets and holds their verdicts. Its methods may be called at any time from any goroutine; probes
// are sent while Run runs.
type Checker struct {
	opts    Options
	prober  func(Target) prober
	changes chan struct{} // holds at most one signal
	wake    chan struct{} // tells Run that something may be due earlier; holds at most one
	work    sync.WaitGroup

	mu       sync.Mutex
	running  bool
	entries  map[string]*entry
	network  lane // probes over the network
	local    lane // exec: each costs a process
	lates    lates
	looks    time.Time // when Run looks next by itself
	opening  int       // probes under way that open a connection to be kept
	behind   lag       // of the newest probe
	changed  map[string]struct{}
	restored map[string]Verdict // until the next Update claims them
	doubt    string             // why this observer doubts itself; empty: it does not
	doubtAt  time.Time
	witness  time.Time // when witnesses were last called
	begun    []begun   // to be sent once mu is free
	lines    []line    // to be logged once mu is free
}

// entry is a target and all that is known of it.
type entry struct {
	Target
	machine
	prober prober
	lane   *lane
	ctx    context.Context // ends when the target is removed or Run ends
	cancel context.CancelFunc
	gone   bool      // the target was removed
	slot   int       // in the lane's heap
	next   time.Time // when it is due there
	waited bool      // the probe that is due found its lane full
	stuck  int       // probes that outlasted their timeout and have not come back
	faulty bool      // a panic of its prober has been logged
	shown  facts
	logged State
	turns  uint64
	watch  watch
}

// New makes a Checker without targets.
func New(o Options) *Checker {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.MaxProbes <= 0 {
		o.MaxProbes = 1000
	}
	if o.MaxExec <= 0 {
		o.MaxExec = 16
	}
	if o.Heard == nil {
		o.Heard = func() time.Time { return time.Time{} }
	}
	if o.Jitter == nil {
		o.Jitter = rand.Float64
	}
	c := &Checker{
		opts:    o,
		changes: make(chan struct{}, 1),
		wake:    make(chan struct{}, 1),
		entries: make(map[string]*entry),
		network: lane{limit: o.MaxProbes},
		local:   lane{limit: o.MaxExec},
		changed: make(map[string]struct{}),
	}
	c.prober = func(t Target) prober { return newProber(t, o.agent(), &c.work) }
	return c
}

// Update replaces the list of targets. Targets whose keys were there keep all that is known of them; the others stop
// at once, and what their probes under way find is dropped; new ones are first probed within 100 ms, or where they are more than
// a thousand, within 100 ms for each thousand, and later where that is more connections to be kept than this host has processors for.
// Targets with equal keys are one target.
func (c *Checker) Update(targets []Target) {
	c.mu.Lock()
	defer c.unlock()
	now := time.Now()
	keep := make(map[string]bool, len(targets))
	var fresh []Target
	for _, t := range targets {
		if !keep[t.Key] && c.entries[t.Key] == nil {
			fresh = append(fresh, t)
		}
		keep[t.Key] = true
	}
	for _, t := range fresh {
		c.add(t, now, max(firstDelay, time.Duration(len(fresh))*firstDelay/1000))
	}
	for key, e := range c.entries {
		if !keep[key] {
			c.remove(e)
		}
	}
	c.restored = nil
	if c.doubt != "" && !c.severalPlaces() {
		c.endDoubt(now)
	}
	c.nudge()
}

// firstDelay spreads the first probes of up to a thousand new targets: those of many more at once would time out for want of a processor.
const firstDelay = 100 * time.Millisecond

// add begins to probe a target within the delay.
func (c *Checker) add(t Target, now time.Time, within time.Duration) {
	t.dialer = c.opts.Dial
	delay := time.Duration(c.opts.Jitter() * float64(min(t.Check.Interval, within)))
	e := &entry{Target: t, machine: newMachine(t.Check, now.Add(delay)), prober: c.prober(t), lane: c.laneOf(t)}
	e.ctx, e.cancel = context.WithCancel(context.Background())
	if s, ok := e.prober.(sentinel); ok {
		s.tellLoss(func() { c.lost(e) })
	}
	if a, ok := e.prober.(asker); ok {
		a.answerTo(func(f flight, a answer) { c.answered(e, f, a) })
	}
	if v, ok := c.restored[t.Key]; ok {
		e.restore(v)
		e.logged = e.judged
	}
	if c.doubt != "" && remote(t.Check.Kind) {
		e.hold(now, c.doubt)
	}
	c.entries[t.Key] = e
	e.lane.push(e)
	c.note(e)
}

func (c *Checker) remove(e *entry) {
	e.gone = true
	e.cancel()
	end(e.prober)
	e.lane.remove(e)
	delete(c.entries, e.Key)
	delete(c.changed, e.Key)
}

// Restore gives the verdicts from before a restart, by target key. It is for the start: they are taken by targets that
// have no result yet, those there are and those of the next Update. They hold with a full streak behind them: it takes
// fall failures or rise successes to overturn one. Verdicts that are unknown are ignored.
func (c *Checker) Restore(verdicts map[string]Verdict) {
	c.mu.Lock()
	defer c.unlock()
	c.restored = maps.Clone(verdicts)
	for key, e := range c.entries {
		if v, ok := c.restored[key]; ok && e.at.IsZero() {
			e.restore(v)
			e.logged = e.judged
			c.note(e)
		}
	}
}

// Verdicts are the verdicts on all targets, by key. While this observer doubts itself, those on targets that it probes
// over the network are unknown.
func (c *Checker) Verdicts() map[string]Verdict {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make(map[string]Verdict, len(c.entries))
	for key, e := range c.entries {
		all[key] = e.verdict()
	}
	return all
}

// Unclear says that there is a target with results of which none tells whether it is up.
func (c *Checker) Unclear() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range c.entries {
		if e.shown.state == Unknown && e.shown.known {
			return true
		}
	}
	return false
}

// Hurry has targets probed at once, as far as their fast_interval allows: somebody else has begun to doubt them. Keys that
// are no target's are ignored.
func (c *Checker) Hurry(keys []string) {
	c.mu.Lock()
	defer c.unlock()
	for _, key := range keys {
		if e := c.entries[key]; e != nil {
			e.hurry()
			e.lane.fix(e)
		}
	}
	c.nudge()
}

// Changes signals that Changed has something new. Signals coalesce.
func (c *Checker) Changes() <-chan struct{} { return c.changes }

// Changed takes the verdicts that changed, in what a decision could read, since it was last called: State, Doubt,
// Drain, the first result, the first success or failure after the other, and the reason for not being up.
func (c *Checker) Changed() map[string]Verdict {
	c.mu.Lock()
	defer c.mu.Unlock()
	taken := make(map[string]Verdict, len(c.changed))
	for key := range c.changed {
		taken[key] = c.entries[key].verdict()
	}
	clear(c.changed)
	return taken
}

// SelfDoubt is why and since when this observer doubts its own verdicts; an empty reason: it does not.
func (c *Checker) SelfDoubt() (reason string, since time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.doubt, c.doubtAt
}

// Counters are one target's figures since it was added.
type Counters struct {
	Probes      uint64        // started
	Failures    uint64        // probes that failed
	Transitions uint64        // verdicts turned, self-doubt and the first one aside
	Latency     time.Duration // of successful probes, smoothed; zero: none yet
}

// Stats are figures for metrics.
type Stats struct {
	Targets  map[string]Counters // by key
	UnderWay int                 // probes now
	Waited   uint64              // probes that started late because too many were under way, or were opening connections
	Late     uint64              // probes that started more than 100 ms after their time, for whatever reason
}

// Stats gives the figures for metrics.
func (c *Checker) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := Stats{
		Targets:  make(map[string]Counters, len(c.entries)),
		UnderWay: c.network.busy + c.local.busy,
		Waited:   c.network.waited + c.local.waited,
		Late:     c.network.late.Load() + c.local.late.Load(),
	}
	for key, e := range c.entries {
		s.Targets[key] = Counters{Probes: e.last, Failures: e.failed, Transitions: e.turns, Latency: e.usual.mean}
	}
	return s
}

// facts are what of a verdict a decision could read.
type facts struct {
	state  State
	doubt  bool
	drain  bool
	known  bool // there is a result
	good   bool // the newest streak is of successes
	reason string
}

// note registers a change of the entry's verdict for Changed, and a transition for the log.
func (c *Checker) note(e *entry) {
	v := e.verdict()
	f := facts{state: v.State, doubt: v.Doubt, drain: v.Drain, known: !v.At.IsZero(), good: v.Streak > 0}
	if v.State != Up {
		f.reason = v.Reason
	}
	if f != e.shown {
		e.shown = f
		c.changed[e.Key] = struct{}{}
		select {
		case c.changes <- struct{}{}:
		default:
		}
	}
	c.transition(e, v)
}

// addresses of the targets that are probed over the network: are there two at least?
func (c *Checker) severalPlaces() bool {
	var one *entry
	for _, e := range c.entries {
		if !remote(e.Check.Kind) {
			continue
		}
		if one == nil {
			one = e
		} else if one.place().apart(e.place()) {
			return true
		}
	}
	return false
}
