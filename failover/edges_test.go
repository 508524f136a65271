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

var (
	v4, v6       = netip.MustParseAddr("203.0.113.10"), netip.MustParseAddr("2001:db8:1::10")
	newV4, newV6 = netip.MustParseAddr("203.0.113.99"), netip.MustParseAddr("2001:db8:1::99")
)

// dual gives both deployments an IPv6 address too.
func dual(p *zones.Pool) {
	p.Deployments[0].Addresses = append(p.Deployments[0].Addresses, v6)
	p.Deployments[1].Addresses = append(p.Deployments[1].Addresses, netip.MustParseAddr("2001:db8:2::20"))
}

func third(p *zones.Pool) {
	p.Deployments = append(p.Deployments, &zones.Deployment{Name: "third", Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.30")}})
}

func TestRememberedFamilyKeepsNoDeadDeploymentUp(t *testing.T) {
	w := newWorld(t, dual)
	w.up("primary", "redundant")
	w.answers("primary")
	for _, d := range w.pool.Deployments { // this host loses its IPv6 route
		w.at(d.Name, d.Addresses[1], w.pool.Checks[0], checker.Verdict{Reason: "no route from here", Streak: 3})
	}
	w.addresses(v4, v6)
	w.at("primary", v4, w.pool.Checks[0], verdictOf(checker.Down))
	w.answers("redundant")
}

func TestChangedAddressOfOneFamilyOfTwo(t *testing.T) {
	w := newWorld(t, dual)
	w.up("primary", "redundant")
	w.addresses(v4, v6)
	w.pool.Deployments[0].Addresses = []netip.Addr{newV4, v6}
	w.addresses(v6, v4) // the old IPv4 address answers on
	w.at("primary", newV4, w.pool.Checks[0], verdictOf(checker.Down))
	w.addresses(v6, v4)
	w.at("primary", newV4, w.pool.Checks[0], verdictOf(checker.Up))
	w.addresses(newV4, v6)
	w.pool.Deployments[0].Addresses = []netip.Addr{newV4, newV6}
	w.addresses(newV4, v6)
	w.at("primary", v6, w.pool.Checks[0], verdictOf(checker.Down)) // and now the old IPv6 address dies
	w.addresses(newV4, newV6)
}

func TestNewFamilyEntersOnceItIsUp(t *testing.T) {
	w := newWorld(t)
	w.up("primary", "redundant")
	w.addresses(v4)
	w.pool.Deployments[0].Addresses = []netip.Addr{v4, v6}
	w.addresses(v4)
	w.at("primary", v6, w.pool.Checks[0], verdictOf(checker.Up))
	w.addresses(v4, v6)
}

func TestNoFamilyVanishesAsADeploymentDies(t *testing.T) {
	doubted := verdictOf(checker.Up)
	doubted.Doubt, doubted.Streak = true, -1
	w := newWorld(t, dual)
	w.up("primary", "redundant")
	w.addresses(v4, v6)
	w.at("primary", v6, w.pool.Checks[0], doubted)
	w.at("primary", v4, w.pool.Checks[0], verdictOf(checker.Down)) // its IPv6 address will follow in a moment
	w.addresses(v4, v6)
	w.at("primary", v6, w.pool.Checks[0], verdictOf(checker.Up)) // or will not
	w.addresses(v6)
	w.down("primary", "redundant")
	w.addresses(v4, v6) // nobody can tell which returns first
}

func TestFamilyDownEverywhereIsAnAlert(t *testing.T) {
	w := newWorld(t, dual)
	w.up("primary", "redundant")
	w.alerts()
	w.at("primary", v6, w.pool.Checks[0], verdictOf(checker.Down))
	w.alerts("warning address-down")
	w.at("redundant", w.pool.Deployments[1].Addresses[1], w.pool.Checks[0], verdictOf(checker.Down))
	w.alerts("critical family-down", "warning address-down", "warning address-down")
}

func TestTimesAheadOfTheClockAreBroughtBack(t *testing.T) {
	w := newWorld(t, gated)
	w.up("primary", "redundant")
	d := w.answers("primary")
	w.now = epochStart.Add(-time.Hour)
	d.clamp(w.now)
	for name, at := range map[string]time.Time{"since": d.Since, "state": d.Deployments[0].Since, "known": d.Deployments[0].Known, "gate": d.Deployments[0].GateSince} {
		if at.After(w.now) {
			t.Errorf("%s is still ahead: %v", name, at)
		}
	}
}

func TestReplacedStandbyIsNotUpByInheritance(t *testing.T) {
	w := newWorld(t, third)
	w.up("primary", "redundant", "third")
	w.answers("primary")
	w.pool.Deployments[1].Addresses = []netip.Addr{newV4}
	w.answers("primary")
	w.refused(Order{Verb: DoFailover, Deployment: "redundant"}, "is unknown (no result yet)")
	w.down("primary")
	w.answers("third")
}

func TestFailbackOrderOfAnAllLivePool(t *testing.T) {
	w := newWorld(t, third, func(p *zones.Pool) { p.Policy, p.Failback = zones.AllLive, zones.Manual })
	w.up("primary", "redundant", "third")
	w.answers("primary", "redundant", "third")
	w.down("redundant", "third")
	w.answers("primary")
	w.up("redundant", "third")
	w.after(time.Hour)
	w.answers("primary")
	w.obeyed(Order{Verb: DoFailback})
	w.answers("primary", "redundant", "third")
}

func TestFailbackOrderSkipsTheDrained(t *testing.T) {
	w := newWorld(t, third, func(p *zones.Pool) { p.Failback = zones.Manual })
	w.up("third")
	w.down("primary", "redundant")
	w.answers("third")
	w.up("primary", "redundant")
	w.answers("third")
	w.obeyed(Order{Verb: DoDrain, Deployment: "primary"})
	w.answers("third")
	w.obeyed(Order{Verb: DoFailback})
	w.answers("redundant")
}

func TestNothingPendingWhenTheOnlyLiveOneIsTaken(t *testing.T) {
	w := newWorld(t, func(p *zones.Pool) { p.Policy, p.Failback = zones.AllLive, zones.Delay })
	w.up("primary")
	w.down("redundant")
	w.answers("primary")
	w.up("redundant")
	w.answers("primary")
	w.down("primary")
	if d := w.answers("redundant"); d.Pending != "" || d.TTL != 10 {
		t.Errorf("pending %q TTL %d", d.Pending, d.TTL)
	}
}

func TestTTLFallsBeforeAnyOverrideEnds(t *testing.T) {
	for name, order := range map[string]Order{
		"failover": {Verb: DoFailover, Deployment: "redundant", For: time.Hour},
		"forced":   {Verb: DoFailover, Deployment: "redundant", For: time.Hour, Force: true},
		"drain":    {Verb: DoDrain, Deployment: "primary", For: time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.up("primary", "redundant")
			w.answers("primary")
			w.after(time.Hour)
			w.obeyed(order)
			d := w.answers("redundant")
			if d.Pending == "" || d.Lowered {
				t.Errorf("an hour ahead: pending %q, TTL %d", d.Pending, d.TTL)
			}
			if want := w.overrides[0].Until.Add(-10 * time.Second); !d.Recheck.Equal(want) {
				t.Errorf("recheck at %v, want a TTL ahead of the end: %v", d.Recheck, want)
			}
			w.now = d.Recheck
			if d := w.answers("redundant"); !d.Lowered {
				t.Errorf("TTL %d ten seconds before the end", d.TTL)
			}
			w.after(10 * time.Second)
			w.answers("primary")
		})
	}
}

func TestForcedWhileAllAreDownIsSaid(t *testing.T) {
	w := newWorld(t)
	w.up("primary", "redundant")
	w.answers("primary")
	w.after(time.Minute)
	w.obeyed(Order{Verb: DoFailover, Deployment: "redundant", For: time.Hour, Force: true})
	w.answers("redundant")
	w.down("primary", "redundant")
	if d := w.answers("redundant"); !d.AllDown || !d.Lowered {
		t.Errorf("all down %v, TTL %d", d.AllDown, d.TTL)
	}
}

func TestOrderIsObeyedWhateverTheClockSays(t *testing.T) {
	w := newWorld(t, func(p *zones.Pool) { p.Failback = zones.Manual })
	w.up("primary", "redundant")
	w.answers("primary")
	w.previous.Since = w.now.Add(time.Hour) // the clock was ahead, and then corrected
	w.obeyed(Order{Verb: DoFailover, Deployment: "redundant"})
	w.answers("redundant")
}

func TestOverrideOfARemovedDeploymentHasNoEffectAndCanBeEnded(t *testing.T) {
	w := newWorld(t, third)
	w.up("primary", "redundant", "third")
	w.answers("primary")
	w.obeyed(Order{Verb: DoDrain, Deployment: "third"})
	w.after(time.Minute)
	w.obeyed(Order{Verb: DoFailover, Deployment: "redundant"})
	w.answers("redundant")
	w.pool.Deployments = slices.Delete(w.pool.Deployments, 1, 3)
	w.answers("primary")
	w.obeyed(Order{Verb: DoUndrain, Deployment: "third"})
	w.refused(Order{Verb: DoUndrain, Deployment: "third"}, `no deployment "third"`)
}

func TestNoReturnOnMemoryAlone(t *testing.T) {
	w := newWorld(t, gated)
	w.up("primary", "redundant")
	w.sync("primary", checker.Up)
	w.down("primary")
	w.answers("redundant")
	w.up("primary")
	w.answers("redundant")
	w.after(30 * time.Second)
	known := w.view
	w.view = View{} // a restart, or self-doubt
	w.after(time.Hour)
	w.answers("redundant")
	w.obeyed(Order{Verb: DoFailback})
	w.answers("redundant")
	w.overrides = nil
	w.view = known
	w.answers("redundant")
	w.after(59 * time.Second)
	w.answers("redundant") // the delay counts from when it was judged anew
	w.after(time.Second)
	w.answers("primary")
}

func TestGatedReturnKeepsTheDelayFromTheLastSwitch(t *testing.T) {
	w := newWorld(t, gated)
	w.up("primary", "redundant")
	w.sync("primary", checker.Up)
	w.sync("redundant", checker.Up)
	w.answers("primary")
	w.after(time.Hour)
	w.obeyed(Order{Verb: DoFailover, Deployment: "redundant"})
	w.answers("redundant")
	w.overrides = nil
	w.after(59 * time.Second)
	w.answers("redundant")
	w.after(time.Second)
	w.answers("primary")
}

func TestChecksGoToTheProbeAddress(t *testing.T) {
	inside := netip.MustParseAddr("10.0.0.10")
	w := newWorld(t, func(p *zones.Pool) { p.Deployments[0].Probe = []netip.Addr{inside} })
	all := Targets(w.pool, nil)
	if len(all) != 2 || all[0].Address != inside {
		t.Fatalf("targets %v", all)
	}
	w.view[all[0].Key] = Agreed{Verdict: verdictOf(checker.Down)}
	w.up("redundant")
	w.answers("redundant")
}

func TestSerialNeverGoesBack(t *testing.T) {
	data := zoneData{"example.com.", "a", 1}
	s := ZoneSerial{}.next(data, 0, epochStart)
	if s.Serial != uint32(epochStart.Unix()) {
		t.Errorf("first serial %d, want Unix seconds", s.Serial)
	}
	if same := s.next(data, 0, epochStart.Add(time.Hour)); same != s {
		t.Errorf("nothing changed, and the serial is %d", same.Serial)
	}
	if next := s.next(zoneData{data.zone, data.hash, 2}, 0, epochStart.Add(-time.Hour)); next.Serial != s.Serial+1 {
		t.Errorf("a new epoch an hour back: %d, want %d", next.Serial, s.Serial+1)
	}
	if next := s.next(zoneData{data.zone, "b", 1}, 0, epochStart); next.Serial != s.Serial+1 {
		t.Errorf("new data in the same second: %d, want %d", next.Serial, s.Serial+1)
	}
	if next := s.next(data, s.Serial+9, epochStart); next.Serial != s.Serial+9 {
		t.Errorf("another gave a higher one for the same: %d, want %d", next.Serial, s.Serial+9)
	}
	if next := s.next(data, s.Serial-9, epochStart); next.Serial != s.Serial {
		t.Errorf("another gave a lower one for the same: %d, want %d", next.Serial, s.Serial)
	}
}

func TestReturnWaitsForDoubtToEnd(t *testing.T) {
	w := newWorld(t)
	w.up("redundant")
	w.down("primary")
	w.answers("redundant")
	w.up("primary")
	w.answers("redundant")
	doubted := verdictOf(checker.Up)
	doubted.Doubt, doubted.Streak = true, -3
	w.verdict("primary", w.pool.Checks[0], doubted)
	w.answers("redundant")
	w.after(time.Minute)
	w.answers("redundant")
	w.up("primary")
	w.answers("primary")
}

func TestFollowerLowersItsOwnTTLInTime(t *testing.T) {
	w := newWorld(t, func(p *zones.Pool) { p.Failback, p.FailbackDelay = zones.Delay, 10*time.Minute })
	follower := *w.pool
	follower.Name, follower.Follow, follower.TTL, follower.Checks = "www", "chat", 60, nil
	w.up("redundant")
	w.down("primary")
	w.answers("redundant")
	w.up("primary")
	led := w.answers("redundant")
	d := Decide(Input{Pool: &follower, Followed: led, Now: w.now})
	if want := led.Due.Add(-time.Minute); d.Lowered || !d.Recheck.Equal(want) {
		t.Fatalf("lowered %v, wakes at %v, want a TTL of its own ahead of the switch: %v", d.Lowered, d.Recheck, want)
	}
	w.now = d.Recheck
	if d := Decide(Input{Pool: &follower, Followed: w.decide(), Previous: d, Now: w.now}); !d.Lowered {
		t.Errorf("TTL %d a minute before the switch", d.TTL)
	}
}

func TestFailbackOrderOfAnAllLivePoolWaitsForEach(t *testing.T) {
	w := newWorld(t, third, func(p *zones.Pool) { p.Policy, p.Failback = zones.AllLive, zones.Manual })
	w.up("primary")
	w.down("redundant", "third")
	w.answers("primary")
	w.obeyed(Order{Verb: DoFailback})
	w.answers("primary")
	w.up("redundant")
	w.answers("primary", "redundant")
	w.after(time.Second)
	w.up("third")
	w.answers("primary", "redundant", "third")
}

func TestAllLiveEntriesWaitForNobody(t *testing.T) {
	w := newWorld(t, third, func(p *zones.Pool) { p.Policy, p.Failback, p.MaxFailbacks = zones.AllLive, zones.Delay, 1 })
	w.up("primary")
	w.down("redundant", "third")
	w.answers("primary")
	w.up("redundant")
	w.answers("primary")
	w.after(30 * time.Second)
	w.up("third")
	w.answers("primary")
	w.after(29 * time.Second)
	if d := w.answers("primary"); !d.Lowered {
		t.Errorf("TTL %d a second before redundant enters; pending %q", d.TTL, d.Pending)
	}
	w.after(time.Second)
	w.answers("primary", "redundant")
	w.after(30 * time.Second)
	w.answers("primary", "redundant", "third") // neither the entry before nor the budget holds it up
}

func TestTTLFallsBeforeTheEarlierOfTwoSwitches(t *testing.T) {
	w := newWorld(t, third, func(p *zones.Pool) { p.Failback, p.FailbackDelay = zones.Delay, 10*time.Minute })
	w.up("primary", "redundant", "third")
	w.answers("primary")
	w.after(time.Hour)
	w.obeyed(Order{Verb: DoDrain, Deployment: "primary", For: time.Hour})
	w.answers("redundant")
	w.down("redundant")
	w.answers("third")
	end := w.overrides[0].Until
	w.now = end.Add(-2 * time.Minute)
	w.up("redundant")
	w.answers("third")
	w.now = end.Add(-10 * time.Second)
	if d := w.answers("third"); !d.Lowered {
		t.Errorf("TTL %d before the drain ends; pending %q", d.TTL, d.Pending)
	}
	w.now = end
	w.answers("primary")
}

func TestAddressThatMovesBetweenDeployments(t *testing.T) {
	w := newWorld(t, func(p *zones.Pool) { p.Policy = zones.AllLive })
	w.up("primary", "redundant")
	w.answers("primary", "redundant")
	w.pool.Deployments = []*zones.Deployment{
		{Name: "primary", Addresses: []netip.Addr{newV4}}, {Name: "redundant", Addresses: []netip.Addr{v4}},
	}
	if d := w.decide(); len(d.Addresses) != 1 {
		t.Errorf("addresses %v", d.Addresses)
	}
}

func TestWithdrawnFamilyStopsAnswering(t *testing.T) {
	w := newWorld(t, dual)
	w.up("primary", "redundant")
	w.addresses(v4, v6)
	w.pool.Deployments[0].Addresses = []netip.Addr{v6}
	w.addresses(v6)
}

func TestATieOnWhatAnswersCountsAsDownAfterAWhile(t *testing.T) {
	w := newWorld(t)
	w.up("primary", "redundant")
	w.answers("primary")
	w.tieHold = 10 * time.Second
	w.after(time.Minute)
	w.tie("primary")
	w.tie("redundant")
	w.after(time.Minute)
	w.answers("primary") // of the other it is not known either
	w.up("primary", "redundant")
	w.answers("primary")
	w.tie("primary")
	began := w.now
	d := w.answers("primary")
	if !d.Lowered || !d.Recheck.Equal(began.Add(10*time.Second)) {
		t.Errorf("lowered %v, asks to be woken at %v", d.Lowered, d.Recheck)
	}
	w.after(10*time.Second - time.Millisecond)
	w.answers("primary")
	w.after(time.Millisecond)
	if d := w.answers("redundant"); !strings.Contains(d.Reason, "as many observers called primary down as up since "+utc(began)) {
		t.Errorf("reason: %s", d.Reason)
	}
	w.after(time.Hour)
	w.answers("redundant") // no return on memory
	w.down("redundant")
	w.answers("primary") // divided is better than dead
	w.up("primary", "redundant")
	w.answers("primary")
}

func TestATieLeavesAnAllLivePool(t *testing.T) {
	w := newWorld(t, func(p *zones.Pool) { p.Policy = zones.AllLive })
	w.up("primary", "redundant")
	w.answers("primary", "redundant")
	w.tieHold = 10 * time.Second
	w.tie("primary")
	w.answers("primary", "redundant")
	w.after(10 * time.Second)
	w.answers("redundant")
}
