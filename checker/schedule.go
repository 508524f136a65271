package checker

import (
	"container/heap"
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/livens/livens/zones"
)

// hangGrace is how long after its timeout a probe that has not come back is given up: a command or a file system that
// hangs must not look like a probe that is still under way.
const hangGrace = time.Second

// maxStuck bounds a target's probes that have been given up and still not come back. Then no more are started, and
// each that would be due counts as failed.
const maxStuck = 2

// lane is a queue of targets by when they are next due, and a bound on their probes under way.
type lane struct {
	queue  []turn // a heap
	limit  int
	busy   int
	waited uint64
	late   atomic.Uint64
}

// turn is when an entry is due: here as well as in the entry, since to look into very many of these is slow.
type turn struct {
	at    time.Time
	entry *entry
}

// lateStart is how long after its time a probe starts that is counted as late.
const lateStart = 100 * time.Millisecond

func (l *lane) Len() int           { return len(l.queue) }
func (l *lane) Less(i, j int) bool { return l.queue[i].at.Before(l.queue[j].at) }
func (l *lane) Swap(i, j int) {
	l.queue[i], l.queue[j] = l.queue[j], l.queue[i]
	l.queue[i].entry.slot, l.queue[j].entry.slot = i, j
}
func (l *lane) Push(x any) {
	e := x.(*entry)
	e.slot = len(l.queue)
	l.queue = append(l.queue, turn{e.next, e})
}
func (l *lane) Pop() any {
	last := len(l.queue) - 1
	e := l.queue[last].entry
	l.queue[last] = turn{}
	l.queue = l.queue[:last]
	return e
}

func (l *lane) push(e *entry) {
	e.next = e.wakeAt()
	heap.Push(l, e)
}
func (l *lane) remove(e *entry) { heap.Remove(l, e.slot) }

// fix must follow whatever may change when the entry is due.
func (l *lane) fix(e *entry) {
	if at := e.wakeAt(); !at.Equal(e.next) {
		e.next, l.queue[e.slot].at = at, at
		heap.Fix(l, e.slot)
	}
}

// never is later than anything that is due.
var never = time.Unix(1<<40, 0)

// wakeAt is when the entry is next due; a target with enough probes under way is so when one of them ends.
func (e *entry) wakeAt() time.Time {
	if at, ok := e.due(); ok {
		return at
	}
	return never
}

// laneOf keeps exec checks apart: their bound is lower, and it must not hold up the others.
func (c *Checker) laneOf(t Target) *lane {
	if t.Check.Kind == zones.Exec {
		return &c.local
	}
	return &c.network
}

// late is a moment at which a probe that is still under way becomes late or, if hung, is given up.
type late struct {
	at    time.Time
	entry *entry
	probe uint64
	hung  bool
}

// lates is a heap by at. Probes that have come back by then are skipped when their moment comes.
type lates []late

func (l lates) Len() int           { return len(l) }
func (l lates) Less(i, j int) bool { return l[i].at.Before(l[j].at) }
func (l lates) Swap(i, j int)      { l[i], l[j] = l[j], l[i] }
func (l *lates) Push(x any)        { *l = append(*l, x.(late)) }
func (l *lates) Pop() any {
	last := len(*l) - 1
	x := (*l)[last]
	(*l)[last] = late{}
	*l = (*l)[:last]
	return x
}

// Run probes until ctx is done; then it stops all probes and waits for them. It can be called once.
func (c *Checker) Run(ctx context.Context) error {
	c.mu.Lock()
	if c.running {
		c.mu.Unlock()
		return errors.New("checker: Run was called before")
	}
	c.running = true
	c.mu.Unlock()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			c.stop()
			return nil
		case <-timer.C:
		case <-c.wake:
		}
		timer.Reset(time.Until(c.step(time.Now())))
	}
}

// stop ends all probes and watches. One that hangs for good is left behind.
func (c *Checker) stop() {
	c.mu.Lock()
	for _, e := range c.entries {
		e.cancel()
		end(e.prober)
	}
	c.mu.Unlock()
	done := make(chan struct{})
	go func() {
		c.work.Wait()
		close(done)
	}()
	grace := time.NewTimer(hangGrace)
	defer grace.Stop()
	select {
	case <-done:
	case <-grace.C:
		c.opts.Log.Warn("a probe hangs and is left behind")
	}
}

// nudge makes Run look again if something is due before it would: of very many probes that end, few bring anything forward.
func (c *Checker) nudge() {
	if !c.earliest().Before(c.looks) {
		return
	}
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// earliest is when there is something to do next: a start that has room, or a probe that becomes late.
func (c *Checker) earliest() time.Time {
	next := never
	for _, l := range []*lane{&c.network, &c.local} {
		if len(l.queue) > 0 && l.busy < l.limit && l.queue[0].at.Before(next) {
			next = l.queue[0].at
		}
	}
	if len(c.lates) > 0 && c.lates[0].at.Before(next) {
		next = c.lates[0].at
	}
	return next
}

// step starts what is due and returns when something is next.
func (c *Checker) step(now time.Time) time.Time {
	next := c.look(now)
	for _, b := range c.begun {
		c.send(b.entry, b.flight)
	}
	clear(c.begun)
	c.begun = c.begun[:0]
	return next
}

// look decides what is to be sent.
func (c *Checker) look(now time.Time) time.Time {
	c.mu.Lock()
	defer c.unlock()
	for len(c.lates) > 0 && !c.lates[0].at.After(now) {
		c.overdue(now, heap.Pop(&c.lates).(late))
	}
	if c.doubt != "" && c.opts.Heard().After(c.doubtAt) {
		c.endDoubt(now)
	}
	c.startDue(now, &c.network)
	c.startDue(now, &c.local)
	c.looks = c.earliest()
	return c.looks
}

// startDue starts the lane's due probes, the longest due first. While the lane is full they wait: the next probe that
// ends wakes Run.
func (c *Checker) startDue(now time.Time, l *lane) {
	for len(l.queue) > 0 && !l.queue[0].at.After(now.Add(l.queue[0].entry.company(now))) {
		e := l.queue[0].entry
		if l.busy >= l.limit {
			l.waits(e)
			return
		}
		if c.putOff(now, e) {
			l.waits(e)
			l.fix(e)
			continue
		}
		c.start(now, e)
	}
}

// waits counts a probe that is to start later than it is due, once.
func (l *lane) waits(e *entry) {
	if !e.waited {
		e.waited = true
		l.waited++
	}
}

func (c *Checker) start(now time.Time, e *entry) {
	e.waited = false
	due := e.next
	probe, lateAt := e.machine.start(now, c.opts.Jitter())
	e.lane.fix(e)
	if e.stuck >= maxStuck {
		c.count(now, e, probe, failure("earlier probes hang"))
		return
	}
	e.lane.busy++
	opens := e.opens()
	if opens {
		c.opening++
	}
	heap.Push(&c.lates, late{lateAt, e, probe, false})
	c.work.Add(1)
	c.begun = append(c.begun, begun{e, flight{probe: probe, due: due, start: now, opens: opens}})
}

// begun is a probe that has been started and is to be sent.
type begun struct {
	entry  *entry
	flight flight
}

// send asks, if no goroutine is needed for it.
func (c *Checker) send(e *entry, f flight) {
	if a, ok := e.prober.(asker); ok {
		f.began = time.Now()
		if a.request(f) {
			c.sent(e, f)
			return
		}
	}
	go func() {
		f.began = time.Now()
		c.sent(e, f)
		c.probe(e, f, e.prober)
	}()
}

// sent notes how late a probe began.
func (c *Checker) sent(e *entry, f flight) {
	c.behind.note(f.began, f.began.Sub(f.start))
	if f.began.Sub(f.due) > lateStart {
		e.lane.late.Add(1)
	}
}

// answered takes the answer to a probe that was asked.
func (c *Checker) answered(e *entry, f flight, a answer) {
	if a.rest != nil {
		go c.probe(e, f, a.rest)
		return
	}
	defer c.work.Done()
	c.mu.Lock()
	defer c.unlock()
	c.landed(e, f, a.Result, a.fault)
}

// probe runs in a goroutine of its own.
func (c *Checker) probe(e *entry, f flight, p prober) {
	defer c.work.Done()
	ctx := &lazyDeadline{Context: e.ctx, at: f.began.Add(e.timeout)}
	var fault []byte
	r := guarded(ctx, p, func(stack []byte) { fault = stack })
	ctx.stop()
	c.mu.Lock()
	defer c.unlock()
	c.landed(e, f, r, fault)
}

// landed takes the result of a probe that has come back.
func (c *Checker) landed(e *entry, f flight, r Result, fault []byte) {
	now := time.Now()
	r = excused(r, e.Target, now.Sub(f.began))
	if fault != nil && !e.faulty {
		e.faulty = true
		c.say(slog.LevelError, r.Reason, "target", e.Target.String(), "stack", string(fault))
	}
	e.lane.busy--
	if f.opens {
		c.opening--
	}
	if !e.gone && e.ctx.Err() == nil {
		if !e.underWay(f.probe) {
			e.stuck--
		}
		c.count(now, e, f.probe, r)
	}
	c.nudge()
}

// overdue handles a probe that is still under way at a moment of importance.
func (c *Checker) overdue(now time.Time, l late) {
	e := l.entry
	if e.gone || !e.underWay(l.probe) {
		return
	}
	over, ends := c.giveUp(now, l)
	if over {
		return
	}
	if more := c.excuse(now, l.at); more > 0 {
		l.at = earlier(now.Add(more), ends)
		if !l.hung {
			e.wait(l.probe, l.at)
		}
		heap.Push(&c.lates, l)
		return
	}
	hangs := e.started(l.probe).Add(e.timeout + hangGrace)
	switch {
	case l.hung && now.Before(hangs): // a goroutine has it now: the poller handed on what it could not judge, and its timeout is its own
		l.at = earlier(hangs, ends)
		heap.Push(&c.lates, l)
		return
	case l.hung:
		e.stuck++
		c.count(now, e, l.probe, failure("the probe hangs"))
		return
	}
	heap.Push(&c.lates, late{earlier(hangs, ends), e, l.probe, true})
	e.settle(now)
	c.after(now, e)
}

// giveUp ends a probe for which no goroutine waits, once its timeout is over; else ends is when that is. never: a goroutine waits,
// and ends it.
func (c *Checker) giveUp(now time.Time, l late) (over bool, ends time.Time) {
	a, ok := l.entry.prober.(asker)
	if !ok {
		return false, never
	}
	if ends, ok = a.ends(l.probe); !ok {
		return false, never
	}
	if now.Before(ends) {
		return false, ends
	}
	r, f, ok := a.giveUp(l.probe)
	if !ok { // its answer has just come
		return false, never
	}
	c.landed(l.entry, f, r, nil)
	c.work.Done()
	return true, ends
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// count takes a result.
func (c *Checker) count(now time.Time, e *entry, probe uint64, r Result) {
	heard := r.Outcome == Success || r.Outcome == Failure && !r.Silent
	if c.doubt != "" && heard && remote(e.Check.Kind) {
		c.endDoubt(now)
	}
	e.finish(now, probe, r, func() bool { return c.beginDoubt(now, e) })
	c.after(now, e)
}

// after draws the conclusions from whatever happened to a target.
func (c *Checker) after(now time.Time, e *entry) {
	e.lane.fix(e)
	c.note(e)
	if e.doubt {
		c.callWitnesses(now, e)
	}
	c.tend(now, e)
}
