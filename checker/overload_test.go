package checker

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/livens/livens/zones"
)

// slow is a checker with one target that is up and has a probe under way, and its moment of being late.
func slow(t *testing.T) (c *Checker, e *entry, l late) {
	t.Helper()
	c = New(Options{Jitter: func() float64 { return 0.5 }})
	check := fastProfile(zones.Check{Kind: zones.File, File: "/nowhere"})
	target := NewTarget("chat", "primary", loopback, &check)
	c.Update([]Target{target})
	e = c.entries[target.Key]
	probe, _ := e.machine.start(at(0), 0)
	e.finish(at(1), probe, success(""), nil)
	probe, lateAt := e.machine.start(at(1000), 0)
	return c, e, late{at: lateAt, entry: e, probe: probe}
}

// TestWhoIsLateDoubtsNobody: a probe without an answer is excused by as much as this observer is behind, in looking or in starting
// probes; else it is doubted at its moment. The excuse ends.
func TestWhoIsLateDoubtsNobody(t *testing.T) {
	for name, c := range map[string]struct {
		looks, starts time.Duration
		excused       bool
	}{
		"in time":               {0, 0, false},
		"as late as is usual":   {busy, busy, false},
		"looks late":            {300 * time.Millisecond, 0, true},
		"probes start too late": {0, 300 * time.Millisecond, true},
	} {
		checker, e, l := slow(t)
		now := l.at.Add(c.looks)
		checker.behind.note(now, c.starts)
		checker.overdue(now, l)
		if e.doubt == c.excused {
			t.Errorf("%s: doubt is %t", name, e.doubt)
		}
		if !c.excused {
			continue
		}
		if again := checker.lates[0].at; !again.Equal(now.Add(300 * time.Millisecond)) {
			t.Errorf("%s: it is late %s after the look", name, again.Sub(now))
		}
		checker.behind.note(now, 0)
		l = checker.lates[0]
		if checker.overdue(l.at, l); !e.doubt {
			t.Errorf("%s: never doubted again", name)
		}
	}
}

func TestTimeoutThatWasServedLateIsUnclear(t *testing.T) {
	check := &zones.Check{Kind: zones.HTTP, Timeout: time.Second}
	target := NewTarget("chat", "primary", loopback, check)
	for name, c := range map[string]struct {
		r    Result
		took time.Duration
		want Outcome
	}{
		"in time":               {failure("x"), time.Second, Failure},
		"a little late":         {silence("x"), time.Second + lateStart, Failure},
		"late":                  {silence("x"), time.Second + lateStart + 1, Unclear},
		"late, and yet a reply": {success("x"), 5 * time.Second, Success},
	} {
		if got := excused(c.r, target, c.took); got.Outcome != c.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
	command := NewTarget("chat", "primary", loopback, &zones.Check{Kind: zones.Exec, Timeout: time.Second})
	if got := excused(failure("x"), command, time.Minute); got.Outcome != Failure {
		t.Errorf("a command that ends late: %+v", got)
	}
}

// TestNewTargetsWaitForProcessors, if a connection of theirs is to be kept, unless nothing is under way; those that were probed before
// never do.
func TestNewTargetsWaitForProcessors(t *testing.T) {
	c, _, _ := slow(t)
	check := fastProfile(zones.Check{Kind: zones.HTTP, Method: "GET", Path: "/", KeepAlive: time.Hour})
	target := NewTarget("chat", "redundant", loopback, &check)
	c.add(target, at(0), time.Second)
	fresh := c.entries[target.Key]
	fresh.lane.busy = 1
	for behind, want := range map[time.Duration]bool{0: false, busy: false, busy + 1: true} {
		c.behind.note(at(0), behind)
		if got := c.putOff(at(0), fresh); got != want {
			t.Errorf("behind by %s: put off %t", behind, got)
		}
	}
	if want := at(0).Add(busy + check.Interval/2); !fresh.first.Equal(want) {
		t.Errorf("first probe at %s, want %s", fresh.first, want)
	}
	fresh.prober.(*httpProber).kept.life = 0
	if c.putOff(at(0), fresh) {
		t.Error("put off though it keeps no connection")
	}
	fresh.prober.(*httpProber).kept.life = time.Hour
	fresh.lane.busy = 0
	if c.putOff(at(0), fresh) {
		t.Error("put off though nothing is under way that could tell that there are processors again")
	}
	fresh.lane.busy = 1
	fresh.machine.start(at(0), 0)
	if c.putOff(at(0), fresh) {
		t.Error("put off though it was probed before")
	}
}

// TestWhoIsUpIsNeverPutOff: a verdict from before a restart is no ground to wait with its first probe, nor is one who is doubted elsewhere.
func TestWhoIsUpIsNeverPutOff(t *testing.T) {
	c, _, _ := slow(t)
	check := fastProfile(zones.Check{Kind: zones.HTTP, Method: "GET", Path: "/", KeepAlive: time.Hour})
	check.Interval = time.Hour
	target := NewTarget("chat", "redundant", loopback, &check)
	c.add(target, at(0), time.Second)
	e := c.entries[target.Key]
	e.lane.busy = 1
	c.behind.note(at(0), time.Second)
	if !c.putOff(at(0), e) || e.first.After(at(0).Add(busy+mostPutOff)) {
		t.Errorf("a new target is put off to %s after now, want a second at most", e.first.Sub(at(0)))
	}
	e.hurried = true
	if c.putOff(at(0), e) {
		t.Error("put off though it is to be looked at at once")
	}
	e.hurried, e.judged = false, Up
	if c.putOff(at(0), e) {
		t.Error("put off though it was up before the restart")
	}
}

// TestProbeIsNotSaidToHangAtItsTimeout: that is when the goroutine which has taken it over from the poller ends it.
func TestProbeIsNotSaidToHangAtItsTimeout(t *testing.T) {
	c, e, l := slow(t)
	l.hung = true
	started := e.started(l.probe)
	l.at = started.Add(e.timeout)
	c.overdue(l.at, l)
	if e.stuck != 0 || !e.underWay(l.probe) || len(c.lates) == 0 || !c.lates[len(c.lates)-1].hung {
		t.Fatalf("given up at its timeout: %d stuck, %d moments to come", e.stuck, len(c.lates))
	}
	l = c.lates[len(c.lates)-1]
	if want := started.Add(e.timeout + hangGrace); !l.at.Equal(want) {
		t.Errorf("looked at again at %s, want %s", l.at, want)
	}
	c.overdue(l.at, l)
	if e.stuck != 1 {
		t.Error("not given up when its grace is over")
	}
}

// TestConnectionsAreOpenedOneAfterTheOther: beyond so many, who is not up waits; who is up or hurried does not, nor who keeps nothing.
func TestConnectionsAreOpenedOneAfterTheOther(t *testing.T) {
	c := New(Options{Jitter: func() float64 { return 0 }})
	opening := c.network.limit / openingShare
	check := fastProfile(zones.Check{Kind: zones.HTTP, Method: "GET", Path: "/", KeepAlive: time.Hour})
	target := NewTarget("chat", "primary", loopback, &check)
	c.Update([]Target{target})
	e := c.entries[target.Key]
	e.machine.start(at(0), 0)
	for name, w := range map[string]struct {
		opening int
		judged  State
		hurried bool
		life    time.Duration
		want    bool
	}{
		"room":         {opening - 1, Down, false, time.Hour, false},
		"down":         {opening, Down, false, time.Hour, true},
		"unknown":      {opening, Unknown, false, time.Hour, true},
		"up":           {opening, Up, false, time.Hour, false},
		"hurried":      {opening, Down, true, time.Hour, false},
		"nothing kept": {opening, Down, false, 0, false},
	} {
		c.opening, e.judged, e.hurried, e.prober.(*httpProber).kept.life = w.opening, w.judged, w.hurried, w.life
		if got := c.putOff(at(1000), e); got != w.want {
			t.Errorf("%s: put off %t", name, got)
		}
	}
	e.hurried = false
	if due, _ := e.due(); !due.Equal(at(1000).Add(busy)) {
		t.Errorf("put off to %s", due)
	}
}

// TestPutOffIsForThisLook, however long the interval is: what is put off is not looked at again and again.
func TestPutOffIsForThisLook(t *testing.T) {
	asked := 0
	c := New(Options{Jitter: func() float64 {
		if asked++; asked > 100 {
			panic("a look that does not end")
		}
		return 0.5
	}})
	check := fastProfile(zones.Check{Kind: zones.HTTP, Method: "GET", Path: "/", KeepAlive: time.Hour})
	check.Interval = time.Hour
	target := NewTarget("chat", "primary", loopback, &check)
	c.Update([]Target{target})
	e := c.entries[target.Key]
	probe, _ := e.machine.start(at(0), 0)
	e.finish(at(1), probe, failure("no"), func() bool { return false })
	e.lane.fix(e)
	c.opening = c.network.limit
	now := at(0).Add(check.Interval)
	c.look(now)
	if e.judged != Down || !e.next.After(now) || e.lane.busy > 0 || e.lane.waited != 1 {
		t.Fatalf("%s, due in %s, %d under way, %d waited", e.judged, e.next.Sub(now), e.lane.busy, e.lane.waited)
	}
	c.opening = 0
	c.look(e.next.Add(-1))
	if e.lane.busy > 0 {
		t.Error("it comes earlier than it was put off to")
	}
	c.look(e.next)
	if e.lane.busy != 1 {
		t.Error("it does not come when it was put off to")
	}
	for _, l := range c.begun { // never sent
		l.entry.cancel()
	}
}

func TestLazyDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		parent, cancel := context.WithCancel(t.Context())
		d := &lazyDeadline{Context: parent, at: time.Now().Add(time.Second)}
		if d.Err() != nil {
			t.Error("it begins ended")
		}
		time.Sleep(time.Second)
		if d.Err() != context.DeadlineExceeded || d.made != nil {
			t.Errorf("nobody waited: %v, timer %v", d.Err(), d.made)
		}
		d = &lazyDeadline{Context: parent, at: time.Now().Add(time.Second)}
		child, stop := context.WithCancel(d)
		defer stop()
		began := time.Now()
		if <-child.Done(); time.Since(began) != time.Second || d.Err() != context.DeadlineExceeded {
			t.Errorf("ended after %s: %v", time.Since(began), d.Err())
		}
		d = &lazyDeadline{Context: parent, at: time.Now().Add(time.Hour)}
		done := d.Done()
		cancel()
		if <-done; d.Err() != context.Canceled {
			t.Errorf("its parent ended: %v", d.Err())
		}
		d.stop()
	})
}

// TestCompany: a calm target may be probed a little early beside others, one in doubt never, nor within fast_interval of its last probe.
func TestCompany(t *testing.T) {
	m := newMachine(&zones.Check{Interval: time.Second, FastInterval: 100 * time.Millisecond, Timeout: time.Second}, at(0))
	if m.company(at(0)) != 0 {
		t.Error("the first probe comes early")
	}
	m.start(at(0), 0)
	if got := m.company(at(99)); got != 0 {
		t.Errorf("%s within fast_interval", got)
	}
	if got := m.company(at(100)); got != 5*time.Millisecond {
		t.Errorf("%s", got)
	}
	m.hurry()
	if got := m.company(at(100)); got != 0 {
		t.Errorf("%s early though hurried", got)
	}
}

// TestOldLagExcusesNobody: with few targets a delay long gone would be the newest for as long as an interval.
func TestOldLagExcusesNobody(t *testing.T) {
	c, e, l := slow(t)
	c.behind.note(l.at.Add(-lagHolds-1), 300*time.Millisecond)
	if c.overdue(l.at, l); !e.doubt {
		t.Error("it is excused")
	}
}
