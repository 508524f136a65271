package failover

import (
	"testing"
	"time"

	"github.com/livens/livens/checker"
	"github.com/livens/livens/zones"
)

// A nameserver that has lost its state folder, and hears too few votes to know anything, contradicts nobody: not even where
// what answers is drained, and the other deployment is not, for it may be dead.
func TestWhoKnowsNothingContradictsNobody(t *testing.T) {
	for _, policy := range []zones.Policy{zones.Failover, zones.AllLive} {
		p := newWorld(t, func(p *zones.Pool) { p.Policy = policy }).pool
		a := start3s(t, "ns1", p)
		a.obey(Order{Verb: DoDrain, Deployment: "primary"})
		a.pass(time.Minute)
		a.agree(map[string]checker.State{"redundant": checker.Down})
		a.pass(time.Minute)
		why := a.answers("primary").Reason

		b := newMember(t, "ns2", p)
		b.now = a.now
		b.Use(b.set, b.now)
		b.hear(News{Standing: Standing{Joined: true}, Held: a.Status().Held(), Overrides: a.Status().Registers})
		epoch := b.answers("primary").Epoch
		b.pass(time.Minute)
		if d := b.answers("primary"); d.Epoch != epoch || d.Reason != why {
			t.Errorf("%s: epoch %d after %d, for the reason: %s", policy, d.Epoch, epoch, d.Reason)
		}
		b.agree(map[string]checker.State{"primary": checker.Down, "redundant": checker.Up})
		b.answers("redundant")
	}
}

// What a nameserver remembers may be over, and what it has adopted knows of that: until it knows something itself it contradicts
// the others on memory neither at once nor after a restart, and obeys whoever orders. When nothing is live one success is enough.
func TestNobodyIsContradictedOnMemory(t *testing.T) {
	p := newWorld(t).pool
	minority := Standing{Joined: true}
	silent := View{}
	for _, tg := range Targets(p, nil) {
		silent[tg.Key] = Agreed{}
	}
	a := start3s(t, "ns1", p)
	a.agree(map[string]checker.State{"primary": checker.Down, "redundant": checker.Up})
	a.answers("redundant")
	b := start3s(t, "ns2", p)
	b.agree(map[string]checker.State{"primary": checker.Up, "redundant": checker.Down})
	b.hear(News{Standing: minority, Verdicts: silent, Held: a.Status().Held()})
	b.pass(time.Minute)
	b.answers("redundant")

	again := newMember(t, "ns2", p, func(o *EngineOptions) { o.Memory = b.Memory() })
	again.now = b.now
	again.Use(again.set, again.now)
	again.hear(News{Standing: minority})
	again.pass(time.Minute)
	again.answers("redundant")
	again.obey(Order{Verb: DoFailover, Deployment: "primary"})
	again.answers("primary")

	a.agree(map[string]checker.State{"primary": checker.Down, "redundant": checker.Down})
	if !a.answers("redundant").AllDown {
		t.Fatal("not all are down")
	}
	c := newMember(t, "ns3", p, func(o *EngineOptions) { o.Memory = a.Memory() })
	c.now = a.now
	c.Use(c.set, c.now)
	c.hear(News{Standing: minority, Held: a.Status().Held()})
	c.answers("redundant")
	c.hear(News{Standing: minority, Verdicts: View{Targets(p, nil)[0].Key: {Verdict: checker.Verdict{Streak: 1, At: c.now}}}})
	c.answers("primary")
}
