package failover

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/livens/livens/checker"
	"github.com/livens/livens/zones"
)

func until(t time.Time) func(*Override) { return func(o *Override) { o.Until = t } }

func forced(o *Override) { o.Force = true }

func TestFirstInOrderThatIsUp(t *testing.T) {
	w := newWorld(t)
	w.answers("primary") // nothing is known: the first in order
	w.up("redundant")
	w.answers("primary") // a result of the other alone is no reason to leave
	w.up("primary")
	w.answers("primary")
	w.down("primary")
	if d := w.answers("redundant"); !strings.Contains(d.Reason, "connect: refused") {
		t.Errorf("the reason does not say why: %s", d.Reason)
	}
}

func TestKnownUpBeatsKnownDownAtTheStart(t *testing.T) {
	w := newWorld(t)
	w.down("primary")
	w.up("redundant")
	w.answers("redundant")
}

func TestUnknownKeepsTheAgreedState(t *testing.T) {
	w := newWorld(t)
	w.down("primary")
	w.up("redundant")
	w.answers("redundant")
	w.view = View{} // self-doubt
	d := w.answers("redundant")
	if d.Deployments[0].State != checker.Down || d.Deployments[1].State != checker.Up {
		t.Errorf("agreed states were forgotten: %+v", d.Deployments)
	}
}

func TestOneSuccessIsEnoughWhenNothingIsLive(t *testing.T) {
	w := newWorld(t)
	w.up("primary", "redundant")
	w.answers("primary")
	w.down("primary", "redundant")
	if d := w.answers("primary"); !d.AllDown || d.TTL != 5 {
		t.Fatalf("want all down with the short TTL: %+v", d)
	}
	oneSuccess := checker.Verdict{State: checker.Down, Streak: 1, Reason: "HTTP 200"}
	w.verdict("redundant", w.pool.Checks[0], oneSuccess)
	if d := w.answers("redundant"); d.AllDown {
		t.Fatal("still all down")
	}
	w.verdict("primary", w.pool.Checks[0], oneSuccess)
	w.answers("redundant") // it stays: the other is no better
	w.up("primary")
	w.answers("redundant") // nor now: what answers counts as live until its next failure
	w.down("redundant")
	w.answers("primary")
}

func TestFailbackAuto(t *testing.T) {
	w := newWorld(t)
	w.up("primary", "redundant")
	w.answers("primary")
	w.after(time.Hour)
	w.down("primary")
	w.answers("redundant")
	w.after(4 * time.Second)
	w.up("primary")
	d := w.answers("redundant") // never within 10 s of the last switch
	if want := w.now.Add(6 * time.Second); !d.Recheck.Equal(want) {
		t.Errorf("recheck at %v, want %v", d.Recheck, want)
	}
	if d.TTL != 5 {
		t.Errorf("TTL %d before a planned switch, want 5", d.TTL)
	}
	w.after(6 * time.Second)
	w.answers("primary")
}

func TestFailbackDelay(t *testing.T) {
	w := newWorld(t, func(p *zones.Pool) { p.Failback = zones.Delay })
	w.up("primary", "redundant")
	w.answers("primary")
	w.after(time.Hour)
	w.down("primary")
	w.answers("redundant")
	w.after(10 * time.Minute)
	w.up("primary")
	w.answers("redundant")
	w.after(59 * time.Second)
	if d := w.answers("redundant"); d.TTL != 5 {
		t.Errorf("TTL %d one second before the switch, want 5", d.TTL)
	}
	w.after(time.Second)
	w.answers("primary")
}

func TestFailbackDelayStartsAgainAfterAFlap(t *testing.T) {
	w := newWorld(t, func(p *zones.Pool) { p.Failback = zones.Delay })
	w.up("redundant")
	w.down("primary")
	w.answers("redundant")
	w.up("primary")
	w.answers("redundant")
	w.after(50 * time.Second)
	w.down("primary")
	w.answers("redundant")
	w.after(time.Second)
	w.up("primary")
	w.answers("redundant")
	w.after(59 * time.Second)
	w.answers("redundant")
	w.after(time.Second)
	w.answers("primary")
}

func TestFailbackManual(t *testing.T) {
	w := newWorld(t, func(p *zones.Pool) { p.Failback = zones.Manual })
	w.up("redundant")
	w.down("primary")
	w.answers("redundant")
	w.up("primary")
	w.after(24 * time.Hour)
	if d := w.answers("redundant"); !strings.Contains(d.Pending, "livens failback chat") {
		t.Errorf("pending does not say what to do: %q", d.Pending)
	}
	w.order(ToFailback, "primary")
	w.after(time.Millisecond)
	w.answers("primary")
	w.down("primary")
	w.answers("redundant")
	w.up("primary")
	w.after(time.Hour)
	w.answers("redundant") // the order was carried out; it does not count twice
}

func TestFailbackGated(t *testing.T) {
	w := newWorld(t, gated)
	w.up("primary", "redundant")
	w.sync("primary", checker.Up)
	w.answers("primary")
	w.after(time.Hour)
	w.down("primary")
	w.sync("primary", checker.Down)
	w.answers("redundant")
	w.up("primary")
	w.after(time.Hour)
	if d := w.answers("redundant"); !strings.Contains(d.Pending, "HTTP 503") {
		t.Errorf("pending does not say what is waited for: %q", d.Pending)
	}
	w.sync("primary", checker.Up)
	w.answers("redundant")
	w.after(30 * time.Second)
	w.sync("primary", checker.Down)
	w.answers("redundant")
	w.sync("primary", checker.Up)
	w.answers("redundant")
	w.after(59 * time.Second)
	w.answers("redundant") // passed throughout the delay, or not at all
	w.after(time.Second)
	w.answers("primary")
}

func TestGateNeverBlocksTheOnlyLiveDeployment(t *testing.T) {
	w := newWorld(t, gated)
	w.up("redundant")
	w.down("primary")
	w.answers("redundant")
	w.up("primary")
	w.down("redundant")
	w.answers("primary")
}

func TestFailbackBudget(t *testing.T) {
	w := newWorld(t, func(p *zones.Pool) { p.MaxFailbacks = 2 })
	w.up("primary", "redundant")
	w.answers("primary")
	start := w.now
	for range 2 {
		w.after(time.Minute)
		w.down("primary")
		w.answers("redundant")
		w.after(time.Minute)
		w.up("primary")
		w.answers("primary")
	}
	w.after(time.Minute)
	w.down("primary")
	w.answers("redundant") // leaving a dead one is never refused
	w.up("primary")
	w.after(time.Minute)
	if d := w.answers("redundant"); !strings.Contains(d.Pending, "max_failbacks") {
		t.Errorf("pending: %q", d.Pending)
	}
	w.now = start.Add(2*time.Minute + time.Hour)
	w.answers("primary")
}

func TestAllDown(t *testing.T) {
	for rule, want := range map[zones.AllDown][]string{
		zones.LastGood: {"redundant"}, zones.Primary: {"primary"}, zones.All: {"primary", "redundant"},
	} {
		t.Run(string(rule), func(t *testing.T) {
			w := newWorld(t, func(p *zones.Pool) { p.AllDown = rule })
			w.up("redundant")
			w.down("primary")
			w.answers("redundant")
			w.down("redundant")
			if d := w.answers(want...); !d.AllDown {
				t.Error("not marked")
			}
			w.up("redundant")
			w.answers("redundant")
		})
	}
	t.Run("last-good without history", func(t *testing.T) {
		w := newWorld(t)
		w.down("primary")
		w.answers("redundant") // not known to be dead
		w.down("redundant")
		w.answers("primary")
	})
}

func TestOverrideIsPreferenceNotProtection(t *testing.T) {
	w := newWorld(t)
	w.up("primary", "redundant")
	w.answers("primary")
	w.after(time.Minute)
	w.order(ToFailover, "redundant")
	w.after(time.Second)
	w.answers("redundant")
	w.after(time.Hour)
	w.answers("redundant")
	w.down("redundant")
	w.answers("primary")
	w.after(time.Minute)
	w.up("redundant")
	w.answers("redundant") // by the failback rule: more than 10 s after the last switch
	w.after(time.Minute)
	w.overrides = nil
	w.answers("primary")
}

func TestOverrideExpiresByTheFailbackRule(t *testing.T) {
	w := newWorld(t, func(p *zones.Pool) { p.Failback = zones.Delay })
	w.up("primary", "redundant")
	w.answers("primary")
	w.after(time.Minute)
	end := w.now.Add(2 * time.Hour)
	w.order(ToFailover, "redundant", until(end))
	w.after(time.Second)
	d := w.answers("redundant")
	if !strings.Contains(d.Pending, "primary answers at") {
		t.Errorf("pending: %q", d.Pending)
	}
	w.now = end.Add(-10 * time.Second)
	if d := w.answers("redundant"); d.TTL != 5 {
		t.Errorf("TTL %d ten seconds before the end, want 5", d.TTL)
	}
	w.now = end
	w.answers("primary")
}

func TestForcedOverrideAnswersEvenDead(t *testing.T) {
	w := newWorld(t)
	w.up("primary")
	w.down("redundant")
	w.answers("primary")
	end := w.now.Add(time.Hour)
	w.order(ToFailover, "redundant", forced, until(end))
	w.after(time.Second)
	w.answers("redundant")
	w.now = end
	w.answers("primary")
}

func TestDrainedAnswersOnlyBeforeAllDown(t *testing.T) {
	w := newWorld(t)
	w.up("primary", "redundant")
	w.answers("primary")
	w.order(ToDrain, "primary")
	w.answers("redundant")
	w.down("redundant")
	w.answers("primary")
	w.up("redundant")
	w.answers("redundant")
}

func TestFileCheckDrains(t *testing.T) {
	w := newWorld(t)
	w.up("primary", "redundant")
	w.answers("primary")
	v := verdictOf(checker.Up)
	v.Drain = true
	w.verdict("primary", w.pool.Checks[0], v)
	w.answers("redundant")
}

func TestDeadAddressIsLeftOut(t *testing.T) {
	v4, v6 := netip.MustParseAddr("203.0.113.10"), netip.MustParseAddr("2001:db8:1::10")
	w := newWorld(t, func(p *zones.Pool) { p.Deployments[0].Addresses = []netip.Addr{v4, v6} })
	w.up("primary", "redundant")
	w.addresses(v4, v6)
	w.at("primary", v6, w.pool.Checks[0], verdictOf(checker.Down))
	w.addresses(v4)
	w.at("primary", v6, w.pool.Checks[0], verdictOf(checker.Unknown))
	w.addresses(v4) // unknown abstains
	w.up("primary")
	w.addresses(v4, v6)
	w.down("primary", "redundant")
	w.addresses(v4, v6) // nothing lives: the answer stays
}

func TestUnreachableFamilyIsAnsweredAllTheSame(t *testing.T) {
	v4, v6 := netip.MustParseAddr("203.0.113.10"), netip.MustParseAddr("2001:db8:1::10")
	w := newWorld(t, func(p *zones.Pool) { p.Deployments[0].Addresses = []netip.Addr{v4, v6} })
	w.up("redundant")
	w.at("primary", v4, w.pool.Checks[0], verdictOf(checker.Up))
	w.at("primary", v6, w.pool.Checks[0], checker.Verdict{Reason: "no route"})
	w.addresses(v4, v6)
	w.at("primary", v4, w.pool.Checks[0], verdictOf(checker.Down))
	w.answers("redundant") // down when no address is up
}

func (w *world) addresses(want ...netip.Addr) {
	w.t.Helper()
	if d := w.decide(); !slices.Equal(d.Addresses, want) {
		w.t.Fatalf("answers %v, want %v", d.Addresses, want)
	}
}

func TestChangedAddressMustProveItself(t *testing.T) {
	old, replaced := netip.MustParseAddr("203.0.113.10"), netip.MustParseAddr("203.0.113.99")
	start := func(t *testing.T) *world {
		w := newWorld(t)
		w.up("primary", "redundant")
		w.addresses(old)
		w.pool.Deployments[0].Addresses = []netip.Addr{replaced}
		w.addresses(old)
		return w
	}
	t.Run("enters once it is up", func(t *testing.T) {
		w := start(t)
		w.at("primary", replaced, w.pool.Checks[0], verdictOf(checker.Down))
		w.addresses(old)
		if keys := Targets(w.pool, w.previous); len(keys) != 3 {
			t.Errorf("%d targets, want the old, the new and the standby's", len(keys))
		}
		w.at("primary", replaced, w.pool.Checks[0], verdictOf(checker.Up))
		w.addresses(replaced)
		if keys := Targets(w.pool, w.previous); len(keys) != 2 {
			t.Errorf("%d targets after it proved itself, want 2", len(keys))
		}
	})
	t.Run("enters when the old one is down", func(t *testing.T) {
		w := start(t)
		w.at("primary", old, w.pool.Checks[0], verdictOf(checker.Down))
		w.down("redundant")
		w.addresses(replaced)
	})
	t.Run("beside one that stays", func(t *testing.T) {
		w := newWorld(t)
		w.up("primary", "redundant")
		w.addresses(old)
		w.pool.Deployments[0].Addresses = []netip.Addr{old, replaced}
		w.addresses(old)
		w.up("primary")
		w.addresses(old, replaced)
	})
}

func TestAllLive(t *testing.T) {
	w := newWorld(t, func(p *zones.Pool) { p.Policy = zones.AllLive })
	w.answers("primary", "redundant")
	w.up("redundant")
	w.answers("primary", "redundant") // a result of the other alone is no reason to leave
	w.up("primary")
	w.answers("primary", "redundant")
	w.down("primary")
	w.answers("redundant")
	w.up("primary")
	w.answers("primary", "redundant")
	w.order(ToDrain, "redundant")
	w.answers("primary")
}

func TestFollowRepeatsTheChoiceByName(t *testing.T) {
	w := newWorld(t)
	w.up("redundant")
	w.down("primary")
	led := w.answers("redundant")
	follower := &zones.Pool{
		Name: "static", Policy: zones.Failover, TTL: 30, TTLMin: 3, Follow: "chat", Deployments: []*zones.Deployment{
			{Name: "redundant", Addresses: []netip.Addr{netip.MustParseAddr("198.51.100.77")}},
			{Name: "primary", Addresses: []netip.Addr{netip.MustParseAddr("203.0.113.77")}},
		},
	}
	d := Decide(Input{Pool: follower, View: w.view, Followed: led, Now: w.now})
	if !slices.Equal(d.Active, []string{"redundant"}) || d.Addresses[0].String() != "198.51.100.77" || d.TTL != 30 {
		t.Errorf("got %v %v TTL %d", d.Active, d.Addresses, d.TTL)
	}
	w.down("redundant")
	d = Decide(Input{Pool: follower, View: w.view, Followed: w.decide(), Previous: d, Now: w.now})
	if d.TTL != 3 || !d.AllDown {
		t.Errorf("trouble of the followed pool does not show: %+v", d)
	}
}

func TestTTLFallsWhileInDoubt(t *testing.T) {
	w := newWorld(t)
	w.up("primary", "redundant")
	if d := w.answers("primary"); d.TTL != 10 {
		t.Fatalf("TTL %d, want 10", d.TTL)
	}
	v := verdictOf(checker.Up)
	v.Doubt = true
	w.verdict("redundant", w.pool.Checks[0], v)
	if d := w.answers("primary"); d.TTL != 10 {
		t.Errorf("doubt about the standby lowers the TTL to %d", d.TTL)
	}
	w.verdict("primary", w.pool.Checks[0], v)
	epoch := w.previous.Epoch
	if d := w.answers("primary"); d.TTL != 5 || d.Epoch != epoch {
		t.Errorf("TTL %d epoch %d, want 5 and the same epoch %d", d.TTL, d.Epoch, epoch)
	}
}

func TestEpoch(t *testing.T) {
	w := newWorld(t)
	w.up("primary", "redundant")
	if d := w.answers("primary"); d.Epoch != uint64(epochStart.Unix()) {
		t.Errorf("first epoch %d, want Unix seconds", d.Epoch)
	}
	w.down("primary")
	if d := w.answers("redundant"); d.Epoch != uint64(epochStart.Unix())+1 {
		t.Errorf("epoch %d within the same second, want previous + 1", d.Epoch)
	}
	w.now = epochStart.Add(-time.Hour) // a clock set back
	w.down("redundant")
	w.up("primary")
	if d := w.answers("primary"); d.Epoch != uint64(epochStart.Unix())+2 {
		t.Errorf("epoch %d after the clock was set back", d.Epoch)
	}
}

func TestRemovedDeploymentIsLeft(t *testing.T) {
	w := newWorld(t)
	w.up("primary", "redundant")
	w.answers("primary")
	w.pool.Deployments = w.pool.Deployments[1:]
	w.answers("redundant")
}

func TestAllLiveReturnsByTheFailbackRule(t *testing.T) {
	w := newWorld(t, func(p *zones.Pool) { p.Policy, p.Failback = zones.AllLive, zones.Delay })
	w.up("primary", "redundant")
	w.answers("primary", "redundant")
	w.down("primary")
	w.answers("redundant")
	w.up("primary")
	w.answers("redundant")
	w.after(time.Minute)
	w.answers("primary", "redundant")
	w.down("primary")
	w.answers("redundant")
	w.up("primary")
	w.down("redundant")
	w.answers("primary") // no rule delays a move to the only live deployment
}
