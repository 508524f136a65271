package checker

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/livens/livens/zones"
)

// simulation runs one machine against a made-up target on a made-up clock, event by event.
type simulation struct {
	m      machine
	rng    *rand.Rand
	answer func(start time.Time) (after time.Duration, r Result)
	now    time.Time
	events lates // hung marks an answer's arrival, the others are moments of lateness
	comes  map[uint64]Result
	turned time.Time // when it was first called down
	starts []time.Time
}

var epoch = time.Unix(1_800_000_000, 0)

func simulate(check zones.Check, seed uint64, answer func(time.Time) (time.Duration, Result)) *simulation {
	return &simulation{
		m: newMachine(&check, epoch), rng: rand.New(rand.NewPCG(seed, 1)), answer: answer, now: epoch,
		comes: make(map[uint64]Result),
	}
}

// until runs all events before end.
func (s *simulation) until(end time.Time) {
	for {
		next := end
		due, ok := s.m.due()
		if ok && due.Before(next) {
			next = due
		}
		if len(s.events) > 0 && s.events[0].at.Before(next) {
			next = s.events[0].at
		}
		if s.now = maxTime(s.now, next); !s.now.Before(end) {
			return
		}
		if len(s.events) > 0 && !s.events[0].at.After(s.now) {
			s.event(heap.Pop(&s.events).(late))
		} else {
			s.start()
		}
	}
}

func (s *simulation) start() {
	probe, lateAt := s.m.start(s.now, s.rng.Float64())
	s.starts = append(s.starts, s.now)
	after, r := s.answer(s.now)
	if after >= s.m.timeout {
		after, r = s.m.timeout, silence("no answer")
	}
	r.Latency = after
	s.comes[probe] = r
	heap.Push(&s.events, late{at: lateAt, probe: probe})
	heap.Push(&s.events, late{at: s.now.Add(after), probe: probe, hung: true})
}

func (s *simulation) event(l late) {
	if l.hung {
		s.m.finish(s.now, l.probe, s.comes[l.probe], func() bool { return false })
	} else {
		s.m.settle(s.now)
	}
	if s.m.shown == Down && s.turned.IsZero() {
		s.turned = s.now
	}
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

const lost = time.Hour

func prompt(r Result) (time.Duration, Result) { return time.Millisecond, r }

// A deployment that drops one probe in 20 at random for 10 minutes switches nobody, in 99 of 100 runs.
func TestRandomLossTurnsNothing(t *testing.T) {
	const runs = 1000
	turned := 0
	for seed := range uint64(runs) {
		loss := rand.New(rand.NewPCG(seed, 2))
		s := simulate(defaults(zones.Check{}), seed, func(time.Time) (time.Duration, Result) {
			if loss.IntN(20) == 0 {
				return lost, Result{}
			}
			return prompt(success("ok"))
		})
		s.m.restore(Verdict{State: Up}) // it is up already: without history the first result decides
		s.until(epoch.Add(10 * time.Minute))
		if !s.turned.IsZero() {
			turned++
		}
	}
	t.Logf("%d of %d runs turned the verdict", turned, runs)
	if turned > runs/100 {
		t.Errorf("%d of %d runs turned the verdict, want at most 1 in 100", turned, runs)
	}
}

// A glitch of 500 ms switches nobody, whatever its phase and however it shows, also when the connection watch notices it at
// once and when more watches break in its course.
func TestGlitchOf500msTurnsNothing(t *testing.T) {
	const glitch = 500 * time.Millisecond
	shows := map[string]func() (time.Duration, Result){
		"refused": func() (time.Duration, Result) { return prompt(failure("refused")) },
		"silent":  func() (time.Duration, Result) { return lost, Result{} },
	}
	for name, show := range shows {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(2000) {
				rng := rand.New(rand.NewPCG(seed, 3))
				from := epoch.Add(5*time.Second + rand.N(time.Second))
				s := simulate(defaults(zones.Check{}), seed, func(at time.Time) (time.Duration, Result) {
					if !at.Before(from) && at.Before(from.Add(glitch)) {
						return show()
					}
					return prompt(success("ok"))
				})
				s.until(from)
				for range rng.IntN(5) {
					s.m.hurry()
					s.until(s.now.Add(time.Duration(rng.Int64N(int64(glitch / 4)))))
				}
				s.until(from.Add(time.Minute))
				if !s.turned.IsZero() {
					t.Fatalf("seed %d: turned %s after the glitch began", seed, s.turned.Sub(from))
				}
			}
		})
	}
}

// A target that falls silent is known to be down within the bound that pace states, whatever the phase.
func TestSilenceIsFoundOutInTime(t *testing.T) {
	for _, tc := range []struct {
		profile string
		check   zones.Check
		usual   time.Duration
		bound   time.Duration
	}{
		{"fast", fastProfile(zones.Check{}), time.Millisecond, 1600 * time.Millisecond},
		{"fast, slow target", fastProfile(zones.Check{}), 90 * time.Millisecond, 1750 * time.Millisecond},
		{"defaults", defaults(zones.Check{}), time.Millisecond, 2100 * time.Millisecond},
		{"defaults, slow target", defaults(zones.Check{}), 90 * time.Millisecond, 2150 * time.Millisecond},
	} {
		t.Run(tc.profile, func(t *testing.T) {
			worst := time.Duration(0)
			for seed := range uint64(2000) {
				from := epoch.Add(20*time.Second + rand.N(time.Second))
				s := simulate(tc.check, seed, func(at time.Time) (time.Duration, Result) {
					if !at.Before(from) {
						return lost, Result{}
					}
					return tc.usual, success("ok")
				})
				s.until(from.Add(10 * time.Second))
				if s.turned.IsZero() {
					t.Fatalf("seed %d: never found out", seed)
				}
				worst = max(worst, s.turned.Sub(from))
			}
			if worst > tc.bound {
				t.Errorf("found out within %s, want %s", worst, tc.bound)
			}
		})
	}
}

// A killed process refuses connections: with the watch, down takes fall-1 times fast_interval, and at most one more.
func TestRefusalIsFoundOutInTime(t *testing.T) {
	for name, check := range map[string]zones.Check{"fast": fastProfile(zones.Check{}), "defaults": defaults(zones.Check{})} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(2000) {
				from := epoch.Add(5*time.Second + rand.N(time.Second))
				s := simulate(check, seed, func(at time.Time) (time.Duration, Result) {
					if !at.Before(from) {
						return prompt(failure("refused"))
					}
					return prompt(success("ok"))
				})
				s.until(from)
				s.m.hurry()
				s.until(from.Add(10 * time.Second))
				if bound := time.Duration(check.Fall)*check.FastInterval + 5*time.Millisecond; s.turned.Sub(from) > bound {
					t.Fatalf("seed %d: found out after %s, want %s", seed, s.turned.Sub(from), bound)
				}
			}
		})
	}
}

// Up is slow: a target that is down is probed every interval, also after its first successes.
func TestRiseIsNotHurried(t *testing.T) {
	check := fastProfile(zones.Check{})
	back := epoch.Add(10 * time.Second)
	s := simulate(check, 1, func(at time.Time) (time.Duration, Result) {
		if at.Before(back) {
			return prompt(failure("refused"))
		}
		return prompt(success("ok"))
	})
	var first time.Time
	for s.now.Before(epoch.Add(20*time.Second)) && s.m.shown != Up {
		s.until(s.now.Add(10 * time.Millisecond))
		s.m.hurry() // witnesses and broken watches change nothing once it rises
		if first.IsZero() && s.m.streak > 0 {
			first = s.now
		}
	}
	if took := s.now.Sub(first); took < 1800*time.Millisecond || took > 2020*time.Millisecond {
		t.Errorf("up %s after the first success, want two intervals", took)
	}
	for i := 1; i < len(s.starts); i++ {
		if gap := s.starts[i].Sub(s.starts[i-1]); gap < check.FastInterval {
			t.Errorf("probe %d starts %s after the one before, less than fast_interval", i, gap)
		}
	}
}

func Example_patience() {
	p := pace{fast: 100 * time.Millisecond, timeout: 500 * time.Millisecond}
	fmt.Println("no history:", p.patience())
	for range 50 {
		p.usual.add(time.Millisecond)
	}
	fmt.Println("prompt:", p.patience())
	p.usual.add(400 * time.Millisecond)
	fmt.Println("prompt, one outlier:", p.patience())
	for range 50 {
		p.usual.add(120 * time.Millisecond)
	}
	fmt.Println("slow:", p.patience().Round(time.Millisecond))
	for range 100 {
		p.usual.add(400 * time.Millisecond)
	}
	fmt.Println("very slow:", p.patience())
	// Output:
	// no history: 100ms
	// prompt: 100ms
	// prompt, one outlier: 250ms
	// slow: 240ms
	// very slow: 500ms
}
