package checker

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/livens/livens/zones"
)

// oracle is the verdict machine written naively: it keeps everything and counts anew each time.
type oracle struct {
	fall, rise int
	flying     map[int]bool
	results    map[int]Outcome
	state      State
	restored   int // streak before the first result
	outOfReach bool
}

func (o *oracle) finish(probe int, r Outcome) {
	delete(o.flying, probe)
	o.results[probe] = r
	s := o.streak(func(int) bool { return true })
	oldest := 1 << 30
	for p := range o.flying {
		oldest = min(oldest, p)
	}
	settled := o.streak(func(p int) bool { return p < oldest })
	switch o.state {
	case Unknown:
		if s > 0 {
			o.state = Up
		} else if s < 0 {
			o.state = Down
		}
	case Up:
		if s <= -o.fall {
			o.state = Down
		}
	case Down:
		if settled >= o.rise {
			o.state = Up
		}
	}
	newest := 0
	for p := range o.results {
		newest = max(newest, p)
	}
	o.outOfReach = o.results[newest] == Unclear
}

// streak is the run of equal clear results at the end, in the order of starts.
func (o *oracle) streak(counts func(int) bool) int {
	var order []int
	for p, r := range o.results {
		if r != Unclear && counts(p) {
			order = append(order, p)
		}
	}
	slices.Sort(order)
	slices.Reverse(order)
	streak := 0
	for _, p := range order {
		ok := o.results[p] == Success
		if streak > 0 && !ok || streak < 0 && ok {
			return streak
		}
		if ok {
			streak++
		} else {
			streak--
		}
	}
	if o.restored > 0 && streak >= 0 || o.restored < 0 && streak <= 0 {
		streak += o.restored
	}
	return streak
}

func (o *oracle) shown() State {
	if o.outOfReach {
		return Unknown
	}
	return o.state
}

func TestMachineAgreesWithOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		check := zones.Check{
			Interval: time.Second, FastInterval: 100 * time.Millisecond, Timeout: 5 * time.Second,
			Fall: rapid.IntRange(1, 5).Draw(t, "fall"), Rise: rapid.IntRange(1, 5).Draw(t, "rise"),
		}
		m := newMachine(&check, epoch)
		o := &oracle{fall: check.Fall, rise: check.Rise, flying: map[int]bool{}, results: map[int]Outcome{}}
		if before := rapid.SampledFrom([]State{Unknown, Up, Down}).Draw(t, "restored"); before != Unknown {
			m.restore(Verdict{State: before, Since: epoch})
			o.state, o.restored = before, map[State]int{Up: check.Rise, Down: -check.Fall}[before]
		}
		now := epoch
		for range rapid.IntRange(1, 80).Draw(t, "steps") {
			now = now.Add(time.Millisecond)
			if len(o.flying) == 0 || rapid.Bool().Draw(t, "start") {
				probe, _ := m.start(now, 0)
				o.flying[int(probe)] = true
				continue
			}
			var flying []int
			for p := range o.flying {
				flying = append(flying, p)
			}
			slices.Sort(flying)
			probe := rapid.SampledFrom(flying).Draw(t, "probe")
			r := Result{
				Outcome: rapid.SampledFrom([]Outcome{Success, Failure, Failure, Unclear}).Draw(t, "outcome"),
				Silent:  rapid.Bool().Draw(t, "silent"),
			}
			m.finish(now, uint64(probe), r, func() bool { return false })
			o.finish(probe, r.Outcome)
			v := m.verdict()
			if v.State != o.shown() || v.Streak != o.streak(func(int) bool { return true }) {
				t.Fatalf("machine says %s with streak %d, oracle %s with %d", v.State, v.Streak, o.shown(),
					o.streak(func(int) bool { return true }))
			}
		}
	})
}

// script drives a machine by hand: probes are started and finished at given milliseconds.
type script struct {
	machine
	t *testing.T
}

func newScript(t *testing.T, c zones.Check) *script {
	return &script{newMachine(&c, epoch), t}
}

func at(ms int) time.Time { return epoch.Add(time.Duration(ms) * time.Millisecond) }

func (s *script) begin(ms int) uint64 {
	probe, _ := s.machine.start(at(ms), 0)
	return probe
}

func (s *script) end(ms int, probe uint64, r Result) {
	s.finish(at(ms), probe, r, func() bool { return false })
}

// once is a probe that is answered at once.
func (s *script) once(ms int, r Result) { s.end(ms, s.begin(ms), r) }

func (s *script) want(state State, streak int, doubt bool) {
	s.t.Helper()
	if v := s.verdict(); v.State != state || v.Streak != streak || v.Doubt != doubt {
		s.t.Fatalf("got %s, streak %d, doubt %t; want %s, %d, %t", v.State, v.Streak, v.Doubt, state, streak, doubt)
	}
}

var (
	good    = success("ok")
	refused = failure("connect: refused")
	dropped = silence("connect: no answer in 500ms")
	noRoute = unclear("no route from here")
)

func TestFirstResultDecidesAtOnce(t *testing.T) {
	s := newScript(t, defaults(zones.Check{}))
	s.want(Unknown, 0, false)
	s.once(0, good)
	s.want(Up, 1, false)
	s = newScript(t, defaults(zones.Check{}))
	s.once(0, refused)
	s.want(Down, -1, false)
}

func TestLaterSuccessOverrulesAnEarlierSilence(t *testing.T) {
	s := newScript(t, fastProfile(zones.Check{}))
	s.once(0, good)
	silent := s.begin(1000)
	s.settle(at(1100))
	s.want(Up, 1, true)
	s.once(1100, good)
	s.want(Up, 2, false)
	s.end(1500, silent, dropped)
	s.want(Up, 1, false) // in the order of starts the success came last
}

func TestRefusalsDoNotWaitForAnEarlierSilence(t *testing.T) {
	s := newScript(t, fastProfile(zones.Check{}))
	s.once(0, good)
	s.begin(1000)
	s.once(1100, refused)
	s.once(1200, refused)
	s.want(Down, -2, false)
}

func TestRiseWaitsForAnEarlierSilence(t *testing.T) {
	c := fastProfile(zones.Check{})
	c.Timeout = 5 * time.Second
	s := newScript(t, c)
	s.once(0, refused)
	s.once(1000, good)
	silent := s.begin(2000)
	s.once(3000, good)
	s.once(4000, good)
	s.want(Down, 3, false)
	s.end(7000, silent, dropped)
	s.want(Down, 2, false)
	s.once(8000, good)
	s.want(Up, 3, false)
}

func TestUnansweredProbeRaisesDoubtAndHastens(t *testing.T) {
	s := newScript(t, fastProfile(zones.Check{}))
	s.once(0, good)
	s.begin(1000)
	s.settle(at(1099))
	s.want(Up, 1, false)
	s.settle(at(1100))
	s.want(Up, 1, true)
	if due, _ := s.due(); !due.Equal(at(1100)) {
		t.Errorf("next probe at %s, want at once", due.Sub(epoch))
	}
	if v := s.verdict(); v.Reason == "ok" {
		t.Errorf("reason is %q", v.Reason)
	}
}

func TestUnclearIsUnknownAndOverturnsNothing(t *testing.T) {
	s := newScript(t, defaults(zones.Check{}))
	s.once(0, good)
	s.once(1000, noRoute)
	s.want(Unknown, 1, false)
	if v := s.verdict(); v.Reason != "no route from here" || !v.Since.Equal(at(1000)) {
		t.Errorf("got %+v", v)
	}
	s.once(2000, refused) // one bad probe after it does not turn it down
	s.want(Up, -1, true)
	s = newScript(t, defaults(zones.Check{}))
	s.once(0, refused)
	s.once(1000, noRoute)
	s.once(2000, good) // nor one good probe up
	s.want(Down, 1, false)
}

func TestRestoredVerdictHolds(t *testing.T) {
	c := defaults(zones.Check{})
	s := newScript(t, c)
	s.restore(Verdict{State: Up, Since: at(-5000), Drain: true, Reason: "ok"})
	s.want(Up, c.Rise, false)
	for i := range c.Fall - 1 {
		s.once(200*i, refused)
		s.want(Up, -i-1, true)
	}
	if v := s.verdict(); !v.Since.Equal(at(-5000)) || !v.Drain {
		t.Errorf("got %+v", v)
	}
	s.once(2000, refused)
	s.want(Down, -c.Fall, false)

	s = newScript(t, c)
	s.restore(Verdict{State: Down, Since: at(-5000)})
	s.want(Down, -c.Fall, false)
	s.once(0, good)
	s.once(1000, good)
	s.want(Down, 2, false)
	s.once(2000, good)
	s.want(Up, 3, false)
}

func TestDrainOutlastsAFailure(t *testing.T) {
	s := newScript(t, defaults(zones.Check{}))
	s.once(0, Result{Outcome: Success, Drain: true})
	s.once(1000, failure("state file is empty")) // being rewritten
	if !s.verdict().Drain {
		t.Error("drain is forgotten")
	}
	s.once(1200, good)
	if s.verdict().Drain {
		t.Error("drain is not taken back")
	}
}

func TestEarlierSuccessThatComesLateOverrulesNothing(t *testing.T) {
	s := newScript(t, defaults(zones.Check{}))
	slow := s.begin(0)
	s.once(100, Result{Outcome: Success, Drain: true, Reason: "drain"})
	s.end(400, slow, Result{Outcome: Success, Reason: "up", Latency: 400 * time.Millisecond})
	if v := s.verdict(); !v.Drain || v.Reason != "drain" {
		t.Errorf("got %+v", v)
	}
}

func TestSelfDoubtVoidsWhatFailedMeanwhile(t *testing.T) {
	c := fastProfile(zones.Check{})
	s := newScript(t, c)
	s.once(0, good)
	a, b := s.begin(1000), s.begin(1100)
	s.end(1500, a, dropped)
	cutOff := func() bool { s.hold(at(1600), "self-doubt"); return true }
	s.finish(at(1600), b, dropped, cutOff)
	s.want(Unknown, -2, false)
	if v := s.verdict(); v.Reason != "self-doubt" {
		t.Errorf("reason is %q", v.Reason)
	}
	for ms := 2600; ms < 6000; ms += 1000 {
		s.once(ms, dropped)
	}
	pending := s.begin(6000)
	s.release(at(6100))
	s.want(Up, 0, false)
	s.end(6500, pending, dropped)
	s.want(Up, 0, false)
	s.once(7000, dropped)
	s.want(Up, -1, true)
	s.once(7100, dropped)
	s.want(Down, -2, false)
}

func TestSecondResultOfAProbeCountsForNothing(t *testing.T) {
	s := newScript(t, defaults(zones.Check{}))
	probe := s.begin(0)
	s.end(1, probe, good)
	s.end(2, probe, refused)
	s.want(Up, 1, false)
}

func TestOverlapIsBounded(t *testing.T) {
	c := defaults(zones.Check{})
	c.Timeout = time.Minute
	s := newScript(t, c)
	s.once(0, good)
	n := 0
	for ms := 1000; ms < 60000; ms += 10 {
		s.settle(at(ms))
		if due, ok := s.due(); ok && !due.After(at(ms)) {
			s.begin(ms)
			n++
		}
	}
	if n != maxOverlap {
		t.Errorf("%d probes under way, want %d", n, maxOverlap)
	}
}
