package cluster

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/livens/livens/checker"
	"github.com/livens/livens/failover"
	"github.com/livens/livens/zones"
)

// watch samples how long connected nameservers answer differently, from now on.
func (w *world) watch() (longest func() time.Duration) {
	var began time.Time
	var worst time.Duration
	w.checks = append(w.checks, func(w *world) {
		differ := false
		for _, n := range w.nodes {
			for _, m := range w.group(n) {
				differ = differ || n.up && !n.stopped && n.answers != nil && m.answers != nil && !slices.Equal(n.answers[:2], m.answers[:2])
			}
		}
		switch {
		case !differ:
			began = time.Time{}
		case began.IsZero():
			began = w.now
		default:
			worst = max(worst, w.now.Sub(began))
		}
	})
	return func() time.Duration { return worst }
}

// After any single fault connected nameservers answer alike within 300 ms of one another (median), 1 s (99th), on links of
// 5 to 45 ms that lose one message in 20.
func TestOneFaultOneAnswer(t *testing.T) {
	faults := map[string]func(*world){
		"the active one dies":          func(w *world) { w.dead["primary"] = true },
		"the standby dies":             func(w *world) { w.dead["redundant"] = true },
		"a nameserver dies":            func(w *world) { w.nodes[1].kill() },
		"a nameserver is frozen":       func(w *world) { w.nodes[2].stopped = true },
		"a nameserver stops":           func(w *world) { w.nodes[0].stop() },
		"one sees the active one dead": func(w *world) { w.blind[[2]string{"ns2", "primary"}] = true },
		"two see the active one dead": func(w *world) {
			w.blind[[2]string{"ns2", "primary"}], w.blind[[2]string{"ns3", "primary"}] = true, true
		},
		"two nameservers are cut apart": func(w *world) { w.cut[[2]string{"ns1", "ns2"}], w.cut[[2]string{"ns2", "ns1"}] = true, true },
		"one way between them is cut":   func(w *world) { w.cut[[2]string{"ns1", "ns2"}] = true },
		"an order is given":             func(w *world) { w.must(w.nodes[1].give(drainPrimary)) },
		"a site is lost":                func(w *world) { w.dead["primary"] = true; w.nodes[0].kill() },
		"the active one half dies": func(w *world) {
			w.blind[[2]string{"ns1", "primary"}], w.blind[[2]string{"ns2", "primary"}] = true, true
		},
		"the active one dies for 700 ms": func(w *world) {
			w.dead["primary"] = true
			w.after(700*time.Millisecond, func() { w.dead["primary"] = false })
		},
	}
	var all []time.Duration
	for _, name := range names(faults) {
		for seed := range uint64(20) {
			w := newWorld(t, seed+1, "a", "b", "c")
			w.delay, w.jitter, w.loss = 5*time.Millisecond, 40*time.Millisecond, 0.05
			w.start()
			w.run(20 * time.Second)
			longest := w.watch()
			faults[name](w)
			w.change("%s", name)
			w.run(20 * time.Second)
			all = append(all, longest())
		}
	}
	slices.Sort(all)
	median, high := all[len(all)/2], all[len(all)*99/100]
	t.Logf("%d faults: apart for %v in the median, %v in 99 of 100, %v at worst", len(all), median, high, all[len(all)-1])
	if median > 300*time.Millisecond || high > time.Second {
		t.Errorf("apart for %v in the median, %v in 99 of 100", median, high)
	}
}

var drainPrimary = failover.Order{Verb: failover.DoDrain, Pool: "chat", Deployment: "primary", Who: "alice"}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// One observer that is cut off from one deployment moves nobody, wherever the observers are: unless it is the only one
// outside the deployment's site, for then the outside view is all that there is.
func TestOneBlindObserverMovesNobody(t *testing.T) {
	for _, sites := range [][]string{{"", "", ""}, {"a", "b", "c"}, {"a", "b", "b"}, {"", "", "", ""}, {"a", "b", "c", "d", "e"}} {
		for blind := range sites {
			t.Run(fmt.Sprintf("%v, ns%d", sites, blind+1), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, 1, sites...)
				w.start()
				w.run(20 * time.Second)
				w.blind[[2]string{w.nodes[blind].name, "primary"}] = true
				w.change("blind")
				epoch := w.nodes[0].decision().Epoch
				w.run(time.Minute)
				for _, n := range w.nodes {
					if n.decision().Epoch != epoch {
						w.fail("%s has switched", n.name)
					}
				}
			})
		}
	}
}

// The survivor of two switches at most 1.5 s later than the others would have.
func TestSurvivorOfTwo(t *testing.T) {
	w := newWorld(t, 1, "a", "b")
	w.start()
	w.run(20 * time.Second)
	w.nodes[0].kill()
	w.dead["primary"] = true
	w.change("site a is lost")
	w.run(1500*time.Millisecond + time.Second)
	if got := w.nodes[1].answers[0]; got != "redundant" || w.nodes[1].decision().Provisional {
		w.fail("it answers %s, provisional %t", got, w.nodes[1].decision().Provisional)
	}
}

// An order that is given while the nameservers are apart takes effect where it is given, and everywhere once they meet.
func TestOrderInAPartition(t *testing.T) {
	for _, side := range []int{0, 1} { // in the majority, in the minority
		w := newWorld(t, 1, "", "", "")
		w.verbose = testing.Verbose()
		w.start()
		w.run(20 * time.Second)
		giver := w.nodes[2*side]
		w.apart(split{sides: []string{"ns1 ns2", "ns3"}, keeps: true, dnsCut: true})
		w.mendWays()
		w.run(5 * time.Second)
		w.must(giver.give(failover.Order{Verb: failover.DoFailover, Pool: "chat", Deployment: "redundant", Who: "alice"}))
		if giver.answers[0] != "redundant" {
			w.fail("%s does not obey", giver.name)
		}
		w.run(20 * time.Second)
		w.mend()
		w.run(time.Second)
		for _, n := range w.nodes {
			if n.answers[0] != "redundant" {
				w.fail("after healing %s answers %v", n.name, n.answers)
			}
		}
	}
}

// mendWays lets every observer see every deployment.
func (w *world) mendWays() { clear(w.blind) }

// A nameserver that was in the minority while the others switched has no say when it is first to meet one of them again,
// who has just been restarted: what it held without a quorum is older than what the other brings.
func TestStaleMinorityHasNoSay(t *testing.T) {
	w := newWorld(t, 1, "", "", "")
	w.failback(zones.Manual)
	w.start()
	w.run(20 * time.Second)
	w.apart(split{sides: []string{"ns1 ns2", "ns3"}, keeps: true})
	w.mendWays()
	w.run(2 * time.Second)
	w.dead["primary"] = true
	w.run(3 * time.Second)
	w.dead["primary"] = false
	w.run(30 * time.Second)
	w.node("ns1").kill()
	w.node("ns2").kill()
	w.node("ns2").start()
	w.mend()
	w.run(5 * time.Second)
	for _, name := range []string{"ns2", "ns3"} {
		if x := w.node(name); x.answers[0] != "redundant" {
			w.fail("%s answers %v", name, x.answers)
		}
	}
}

// A whole cluster that is restarted goes on where it was, and so does one that has lost a state folder.
func TestAllRestart(t *testing.T) {
	for _, lost := range []bool{false, true} {
		w := newWorld(t, 1, "", "", "")
		w.failback(zones.Manual)
		w.start()
		w.run(20 * time.Second)
		w.dead["primary"] = true
		w.run(5 * time.Second)
		w.dead["primary"] = false
		w.run(20 * time.Second)
		for _, n := range w.nodes {
			n.kill()
		}
		if lost {
			w.nodes[0].kept, w.nodes[0].highest = failover.Memory{}, 0
		}
		for _, n := range w.nodes {
			n.start()
		}
		w.change("all restarted")
		w.run(10 * time.Second)
		for _, n := range w.nodes {
			if n.answers[0] != "redundant" {
				w.fail("%s answers %v (a state folder lost: %t)", n.name, n.answers, lost)
			}
		}
	}
}

// Nameservers that cannot reach each other directly still do through a third: votes count, a change is passed on at once,
// and a death is noticed.
func TestThroughAThird(t *testing.T) {
	w := newWorld(t, 1, "", "", "")
	w.jitter = 0
	w.start()
	w.run(5 * time.Second)
	w.cut[[2]string{"ns1", "ns3"}], w.cut[[2]string{"ns3", "ns1"}] = true, true
	w.change("ns1 and ns3 cannot reach each other")
	w.run(5 * time.Second)
	w.checks = append(w.checks, func(w *world) {
		if n := w.nodes[2]; w.nodes[0].up && len(n.core.reached()) != 2 {
			w.fail("ns3 reaches %d others", len(n.core.reached()))
		}
	})
	w.run(20 * time.Second)
	ns1, ns3 := w.nodes[0], w.nodes[2]
	key := names(ns1.probes)[0]
	ns1.probes[key].State, ns1.probes[key].Streak = checker.Down, -4
	ns1.observe()
	w.run(3 * time.Millisecond) // two ways of a millisecond each
	if got := ns3.core.find("ns1").report.Votes[key].State; got != checker.Down {
		w.fail("two ways later ns3 believes that ns1 says %v", got)
	}
	ns1.probes[key].Reason = "connect: refused" // a change that nobody passes on is asked for where it is known
	ns3.core.find("ns1").version++
	ns1.observe()
	w.run(3 * heartbeat)
	if got := ns3.core.find("ns1"); got.lacks() {
		w.fail("ns3 still lacks a report that ns2 has")
	}
	ns1.kill()
	w.run(lapse + 2*heartbeat)
	if len(ns3.core.reached()) != 1 {
		w.fail("ns3 still reaches ns1, which is dead")
	}
}

// When one observer begins to doubt, the others ask at once: all verdicts fall together, not each at its own interval.
func TestDoubtIsShared(t *testing.T) {
	for seed := range uint64(20) {
		w := newWorld(t, seed+1, "", "", "")
		w.start()
		w.run(20 * time.Second)
		var first time.Time
		w.checks = append(w.checks, func(w *world) {
			down := 0
			for _, n := range w.nodes {
				for _, p := range n.probes {
					down += bit(p.State == checker.Down)
				}
			}
			if down > 0 && first.IsZero() {
				first = w.now
			}
			if down > 0 && down < 3 && w.now.Sub(first) > 450*time.Millisecond {
				w.fail("%d of 3 observers know, %v after the first", down, w.now.Sub(first))
			}
		})
		w.dead["primary"] = true
		w.run(3 * time.Second)
	}
}

// A joiner adopts what is running before it answers, whatever its state folder holds.
func TestJoinerAdoptsFirst(t *testing.T) {
	for _, kept := range []bool{false, true} {
		w := newWorld(t, 1, "", "", "")
		w.failback(zones.Manual)
		w.start()
		w.run(20 * time.Second)
		ns3 := w.nodes[2]
		ns3.kill() // it remembers the primary
		w.run(5 * time.Second)
		w.dead["primary"] = true
		w.run(5 * time.Second)
		w.dead["primary"] = false
		w.run(20 * time.Second)
		if !kept {
			ns3.kept, ns3.highest = failover.Memory{}, 0
		}
		ns3.start()
		w.change("ns3 joins")
		began := w.now
		w.checks = append(w.checks, func(w *world) {
			switch {
			case ns3.answers != nil && ns3.answers[0] != "redundant":
				w.fail("the joiner answers %v", ns3.answers)
			case ns3.answers == nil && w.now.Sub(began) > joinWait:
				w.fail("the joiner does not answer")
			}
		})
		w.run(30 * time.Second)
	}
}

// An observer that is restarted sends nobody there and back, though its vote was what kept traffic away.
func TestRestartedObserverMovesNobody(t *testing.T) {
	w := newWorld(t, 1, "a", "b")
	w.start()
	w.run(20 * time.Second)
	w.blind[[2]string{"ns2", "primary"}] = true
	w.run(30 * time.Second)
	w.nodes[1].stop()
	w.nodes[1].start()
	w.change("ns2 is restarted")
	epoch := w.nodes[0].decision().Epoch
	w.run(20 * time.Second)
	if got := w.nodes[0].decision(); got.Epoch != epoch || got.Active[0] != "redundant" {
		w.fail("ns1 answers %v, epoch %d after %d", got.Active, got.Epoch, epoch)
	}
}

// What nameservers notice of one another happens once, and ends.
func TestSilenceAndReturnAreEvents(t *testing.T) {
	w := newWorld(t, 1, "", "", "")
	w.start()
	w.run(20 * time.Second)
	told := func(n *simNode) (out []string) {
		for _, e := range n.core.Happened() {
			out = append(out, e.To)
		}
		return out
	}
	ns1, ns3 := w.nodes[0], w.nodes[2]
	if got := told(ns1); got != nil {
		t.Errorf("at the start: %v", got)
	}
	ns3.kill()
	w.run(10 * time.Second)
	ns3.start()
	w.run(10 * time.Second)
	ns3.stop()
	w.run(time.Second)
	ns3.start()
	w.run(10 * time.Second)
	if got := told(ns1); !slices.Equal(got, []string{"ns3 silent", "ns3 reached", "ns3 stopped", "ns3 reached"}) {
		t.Errorf("told %q", got)
	}
	ns2 := w.nodes[1]
	told(ns2)
	known := ns2.core.find("ns1")
	said, held := *known.report, *known.report.Held["chat"]
	held.Active = []string{"redundant"} // what would be a fault in livens
	said.Held, said.Version = map[string]*failover.Decision{"chat": &held}, known.version
	before := known.report
	known.report = &said
	w.run(2 * time.Second)
	if !ns2.alerts("divergence", "pool chat, nameserver ns1") {
		t.Error("no alert tells of the divergence")
	}
	known.report = before
	w.run(time.Second)
	if got := told(ns2); !slices.Equal(got, []string{"apart", "agreed"}) {
		t.Errorf("told %q", got)
	}
}

// A nameserver that was frozen while the other one of two switched asks first, and undoes nothing.
func TestFrozenUndoesNothing(t *testing.T) {
	for seed := range uint64(20) {
		w := newWorld(t, seed+1, "", "")
		w.failback(zones.Manual)
		w.start()
		w.run(20 * time.Second)
		w.nodes[0].stopped = true
		w.change("ns1 is frozen")
		w.run(2 * time.Second)
		w.dead["primary"] = true
		w.run(3 * time.Second)
		w.dead["primary"] = false
		w.run(15 * time.Second)
		w.nodes[0].stopped = false
		w.change("ns1 is thawed")
		w.run(20 * time.Second)
		for _, n := range w.nodes {
			if n.answers[0] != "redundant" {
				w.fail("%s answers %v without an order", n.name, n.answers)
			}
		}
	}
}

// After a tie has moved traffic, the restart of one of those who said down does not bring it back.
func TestRestartAfterATie(t *testing.T) {
	w := newWorld(t, 1, "", "")
	w.start()
	w.run(20 * time.Second)
	w.blind[[2]string{"ns1", "primary"}] = true
	w.change("a tie")
	w.run(25 * time.Second)
	w.nodes[0].stop()
	w.run(500 * time.Millisecond)
	w.nodes[0].start()
	w.change("ns1 is restarted")
	for range 100 {
		if got := w.nodes[1].answers[0]; got != "redundant" {
			w.fail("ns2 answers %s", got)
		}
		w.run(100 * time.Millisecond)
	}
}

// The cluster's time does not jump because a nameserver with a right clock goes while one is an hour ahead: an order ends when
// it was to end.
func TestTimeDoesNotJump(t *testing.T) {
	w := newWorld(t, 1, "", "", "")
	w.nodes[2].skew += time.Hour
	w.start()
	w.run(20 * time.Second)
	drain := drainPrimary
	drain.For = 10 * time.Minute
	w.must(w.nodes[0].give(drain))
	w.run(30 * time.Second)
	w.nodes[1].kill()
	w.change("ns2 is gone")
	w.run(time.Minute)
	for _, n := range []*simNode{w.nodes[0], w.nodes[2]} {
		if !n.drained("primary") {
			w.fail("at %s the drain has ended", n.name)
		}
	}
}

// Nameservers that do not know of the same others do not contradict each other again and again.
func TestPeersThatDiffer(t *testing.T) {
	w := newWorld(t, 1, "", "", "")
	w.nodes[1].peers = []string{"ns1"}
	w.start()
	w.run(20 * time.Second)
	w.blind[[2]string{"ns2", "primary"}] = true
	w.change("ns2 is blind")
	w.run(time.Minute)
	for _, n := range w.nodes {
		if n.answers[0] != "primary" {
			w.fail("%s answers %v", n.name, n.answers)
		}
	}
}

// A nameserver whose peers are too many takes the quorum of nobody but itself, and is named; that holds as well while another
// one is away.
func TestTooManyPeersCostNobodyElse(t *testing.T) {
	w := newWorld(t, 1, "", "", "")
	w.nodes[1].peers = append(w.nodes[1].peers, "ns1", "ns1", "ns3")
	w.start()
	w.run(20 * time.Second)
	look := func(names ...string) {
		t.Helper()
		for _, name := range names {
			n := w.node(name)
			if quorum := n.core.quorum(n.clock()); quorum != (name != "ns2") {
				w.fail("%s has a quorum: %t", name, quorum)
			}
		}
	}
	look("ns1", "ns2", "ns3")
	if !w.nodes[0].alerts("cluster-size", "nameserver ns2") {
		w.fail("ns2 is not named")
	}
	w.nodes[2].kill()
	w.dead["primary"] = true
	w.change("ns3 and the primary die")
	w.run(3 * time.Second)
	look("ns1", "ns2")
	if n := w.nodes[0]; n.answers[0] != "redundant" || n.decision().Provisional {
		w.fail("ns1 answers %v, provisional %t", n.answers, n.decision().Provisional)
	}
}

// alerts says whether a nameserver raises an alert about somebody.
func (n *simNode) alerts(code, affects string) bool {
	return slices.ContainsFunc(n.core.Status(n.clock()).Alerts(n.clock()), func(a failover.Alert) bool { return a.Code == code && a.Affects == affects })
}
