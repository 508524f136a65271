package cluster

import (
	"fmt"
	"testing"
	"time"

	"github.com/livens/livens/checker"
)

// atRest are seven nameservers that watch a thousand targets, which are all up.
func atRest(t testing.TB) *circle {
	c := &circle{t: t, now: epoch, cores: map[string]*Core{}}
	for i := range 7 {
		c.names = append(c.names, fmt.Sprint("ns", i+1))
	}
	targets := map[string]Target{}
	for i := range 1000 {
		targets[fmt.Sprintf("%032x", i)] = Target{Fresh: 3 * time.Second}
	}
	for _, name := range c.names {
		c.start(name)
		c.cores[name].Watch(targets, c.now)
	}
	c.rest(3 * time.Second)
	c.whole(c.names...)
	return c
}

// wellAt are an observer's verdicts when all is well and was just probed.
func wellAt(targets map[string]Target, now time.Time) map[string]checker.Verdict {
	own := make(map[string]checker.Verdict, len(targets))
	for key := range targets {
		own[key] = checker.Verdict{State: checker.Up, Streak: 3, At: now}
	}
	return own
}

// rest lets time pass in which probes succeed and heartbeats go.
func (c *circle) rest(d time.Duration) {
	for end := c.now.Add(d); c.now.Before(end); {
		for _, name := range c.names {
			c.cores[name].Observe(wellAt(c.cores[name].targets, c.now), "", c.now)
		}
		c.run(heartbeat)
	}
}

// Seven nameservers with a thousand targets at rest send less than 100 KB a second each, before the library wraps it: what
// this adds TestSevenAtRest measures.
func TestAThousandTargetsAtRest(t *testing.T) {
	c := atRest(t)
	c.said = nil
	const seconds = 10
	c.rest(seconds * time.Second)
	sent := map[string]int{}
	for _, l := range c.said {
		sent[l.from] += len(l.data)
	}
	t.Logf("%.1f KB/s a nameserver, %d messages in all", float64(sent["ns1"])/seconds/1000, len(c.said))
	for _, name := range c.names {
		if rate := sent[name] / seconds; rate == 0 || rate > 100_000 {
			t.Errorf("%s sends %d bytes a second", name, rate)
		}
	}
}

// What an observer's verdicts cost depends on what changed: votes that stay are not written anew.
func TestObservingNothingNewIsCheap(t *testing.T) {
	c := atRest(t)
	core := c.cores["ns1"]
	own := wellAt(core.targets, c.now)
	if n := testing.AllocsPerRun(100, func() { core.Observe(own, "", c.now) }); n > 30 {
		t.Errorf("%v allocations for nothing", n)
	}
	core.Take()
	own[names(own)[0]] = checker.Verdict{State: checker.Down, Streak: -4, At: c.now}
	core.Observe(own, "", c.now)
	for _, o := range core.Take() {
		if d := o.Message.Delta; len(d) != 1 || len(d[0].Set.Votes) != 1 || len(d[0].Removed) > 0 {
			t.Errorf("one vote changed, and %+v is told", d)
		}
	}
	core.Observe(nil, "", c.now)
	if n := len(core.report.Votes); n != 0 {
		t.Errorf("%d votes without verdicts", n)
	}
}

// BenchmarkAtRest says what share of a core a nameserver of seven needs at rest, for all but the network; the bound is 5 %.
func BenchmarkAtRest(b *testing.B) {
	c := atRest(b)
	for b.Loop() {
		c.rest(time.Second)
		c.said = nil
	}
	b.ReportMetric(100*b.Elapsed().Seconds()/float64(b.N)/7, "%core/node")
}

// BenchmarkObserveNothingNew is one round of verdicts on a thousand targets that say what they said before.
func BenchmarkObserveNothingNew(b *testing.B) {
	c := atRest(b)
	core := c.cores["ns1"]
	own := wellAt(core.targets, c.now)
	for b.Loop() {
		core.Observe(own, "", c.now)
	}
}
