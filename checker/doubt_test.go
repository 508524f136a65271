package checker

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/livens/livens/zones"
)

func TestAlone(t *testing.T) {
	const window = 2 * time.Second
	ev := func(address string, heard, silent int) evidence {
		e := evidence{place: place{address: netip.MustParseAddr(address)}, heard: at(heard), window: window}
		if silent > 0 {
			e.silent = at(silent)
		}
		return e
	}
	of := func(deployment string, e evidence) evidence {
		e.deployment = deployment
		return e
	}
	self := of("primary", ev("192.0.2.1", 9000, 10000))
	for _, tc := range []struct {
		name   string
		others []evidence
		want   bool
	}{
		{"the only target", nil, false},
		{"the other fell silent with it", []evidence{ev("192.0.2.2", 9500, 10400)}, true},
		{"the other fell silent before it, in the same window", []evidence{ev("192.0.2.2", 8000, 8500)}, true},
		{"the other was heard since", []evidence{ev("192.0.2.2", 10100, 0)}, false},
		{"the other was heard before and not asked since", []evidence{ev("192.0.2.2", 9900, 0)}, false},
		{"the other has been silent for long", []evidence{ev("192.0.2.2", 1000, 2000)}, false},
		{"two fell silent, a third has been for long", []evidence{ev("192.0.2.2", 1000, 2000), ev("192.0.2.3", 9500, 10100)}, true},
		{"two fell silent, a third was heard since", []evidence{ev("192.0.2.2", 9500, 10400), ev("192.0.2.3", 10500, 0)}, false},
		{"two fell silent, a third is not asked since", []evidence{ev("192.0.2.2", 9500, 10400), ev("192.0.2.3", 9900, 0)}, true},
		{"its own deployment's other address", []evidence{of("primary", ev("2001:db8::1", 9500, 10400))}, false},
		{"another deployment", []evidence{of("redundant", ev("192.0.2.2", 9500, 10400))}, true},
		{"another check of the same address", []evidence{ev("192.0.2.1", 9500, 10400)}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := alone(self, slices.Values(tc.others)); got != tc.want {
				t.Errorf("got %t", got)
			}
		})
	}
}

// cutOff is a bench with some targets, all of them up.
func cutOff(t *testing.T, n int, check zones.Check) (*bench, []Target) {
	b := newBench(Options{})
	var targets []Target
	for i := range n {
		targets = append(targets, on(fmt.Sprintf("192.0.2.%d", i+1), check))
	}
	b.Update(targets)
	b.run()
	time.Sleep(10 * time.Second)
	synctest.Wait()
	for _, target := range targets {
		b.want(t, target, Up)
	}
	return b, targets
}

func (b *bench) setAll(answer func(context.Context, time.Time) Result) {
	for _, f := range b.fakes {
		f.set(answer)
	}
}

// watchFor runs for a while and returns every state that any target was shown in.
func (b *bench) watchFor(d time.Duration) map[State]bool {
	seen := make(map[State]bool)
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(time.Millisecond) {
		for _, v := range b.Verdicts() {
			seen[v.State] = true
		}
	}
	return seen
}

func TestObserverThatIsCutOffTurnsNothingDown(t *testing.T) {
	for _, n := range []int{2, 3, 40} {
		for name, profile := range map[string]func(zones.Check) zones.Check{"fast": fastProfile, "defaults": defaults} {
			t.Run(fmt.Sprintf("%d targets, %s", n, name), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					b, targets := cutOff(t, n, profile(zones.Check{}))
					b.Changed()
					b.setAll(silent)
					if seen := b.watchFor(20 * time.Second); seen[Down] || !seen[Unknown] {
						t.Errorf("seen %v", seen)
					}
					reason, since := b.SelfDoubt()
					if reason == "" || time.Since(since) < 15*time.Second {
						t.Errorf("self-doubt is %q since %s", reason, since)
					}
					if v := b.Changed()[targets[0].Key]; v.State != Unknown || v.Reason != reason {
						t.Errorf("changed to %+v", v)
					}
					b.setAll(slowly(20*time.Millisecond, good))
					if seen := b.watchFor(10 * time.Second); seen[Down] {
						t.Error("a target is down after the outage")
					}
					for _, target := range targets {
						b.want(t, target, Up)
					}
					if reason, _ := b.SelfDoubt(); reason != "" {
						t.Errorf("self-doubt stays: %s", reason)
					}
					b.stop(t)
					if s := b.log.String(); strings.Count(s, "doubts itself") != 1 || strings.Count(s, "trusts itself") != 1 ||
						strings.Contains(s, "target down") {
						t.Errorf("logged:\n%s", s)
					}
				})
			})
		}
	}
}

// A target that is probed rarely is asked as a witness, or it could not tell in time.
func TestWitnessesAreAskedBeforeAVerdictTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		often, seldom := defaults(zones.Check{}), defaults(zones.Check{})
		seldom.Interval = time.Hour
		targets := []Target{on("192.0.2.1", often), on("192.0.2.2", seldom)}
		b := newBench(Options{})
		b.Update(targets)
		b.run()
		time.Sleep(10 * time.Second)
		b.want(t, targets[1], Up)
		b.setAll(silent)
		if seen := b.watchFor(10 * time.Second); seen[Down] || !seen[Unknown] {
			t.Errorf("seen %v", seen)
		}
		b.stop(t)
	})
}

func TestOneDeadTargetIsNoSelfDoubt(t *testing.T) {
	for _, n := range []int{2, 40} {
		synctest.Test(t, func(t *testing.T) {
			b, targets := cutOff(t, n, fastProfile(zones.Check{}))
			b.fake("192.0.2.1").set(silent)
			began := time.Now()
			for b.Verdicts()[targets[0].Key].State == Up {
				<-b.Changes()
			}
			b.want(t, targets[0], Down)
			if took := time.Since(began); took > 1600*time.Millisecond {
				t.Errorf("took %s", took)
			}
			if reason, _ := b.SelfDoubt(); reason != "" {
				t.Error(reason)
			}
			b.stop(t)
		})
	}
}

func TestLastHealthyTargetGoingSilentLaterIsNoSelfDoubt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, targets := cutOff(t, 2, defaults(zones.Check{}))
		b.fake("192.0.2.1").set(silent)
		time.Sleep(30 * time.Second)
		b.fake("192.0.2.2").set(silent)
		time.Sleep(5 * time.Second)
		synctest.Wait()
		b.want(t, targets[0], Down)
		b.want(t, targets[1], Down)
		b.stop(t)
	})
}

func TestRefusalsAreHeardAndNoSelfDoubt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, targets := cutOff(t, 3, defaults(zones.Check{}))
		b.setAll(answers(refused))
		time.Sleep(3 * time.Second)
		synctest.Wait()
		for _, target := range targets {
			b.want(t, target, Down)
		}
		b.stop(t)
	})
}

func TestOneTargetHeardEndsSelfDoubtAndTheDeadGoDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, targets := cutOff(t, 3, defaults(zones.Check{}))
		b.setAll(silent)
		time.Sleep(5 * time.Second)
		b.want(t, targets[0], Unknown)
		b.fake("192.0.2.2").set(answers(refused)) // heard, if not liked
		time.Sleep(4 * time.Second)
		synctest.Wait()
		if reason, _ := b.SelfDoubt(); reason != "" {
			t.Error(reason)
		}
		for _, target := range targets {
			b.want(t, target, Down)
		}
		b.stop(t)
	})
}

func TestFreshServerWithoutNetworkDoubtsItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(Options{})
		targets := []Target{on("192.0.2.1", defaults(zones.Check{})), on("192.0.2.2", defaults(zones.Check{}))}
		b.fake("192.0.2.1").set(silent)
		b.fake("192.0.2.2").set(silent)
		b.Update(targets)
		b.run()
		if seen := b.watchFor(5 * time.Second); seen[Down] {
			t.Error("a target is called down")
		}
		b.Update(targets[:1]) // one address is no ground for doubt
		time.Sleep(3 * time.Second)
		b.want(t, targets[0], Down)
		b.stop(t)
	})
}

func TestSelfDoubtLeavesLocalChecksAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, targets := cutOff(t, 2, defaults(zones.Check{}))
		check := defaults(zones.Check{Kind: zones.File, File: "/state"})
		local := NewTarget("chat", "primary", netip.MustParseAddr("198.51.100.1"), &check)
		b.Update(append(targets, local))
		time.Sleep(time.Second)
		b.fake("192.0.2.1").set(silent)
		b.fake("192.0.2.2").set(silent)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		b.want(t, targets[0], Unknown)
		b.want(t, local, Up) // and its successes do not end the doubt
		b.stop(t)
	})
}
