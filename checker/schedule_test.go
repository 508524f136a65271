package checker

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/livens/livens/zones"
)

// fake is a target on the bubble's clock.
type fake struct {
	mu     sync.Mutex
	answer func(ctx context.Context, at time.Time) Result
	starts []time.Time
	flying int
	most   int
}

func (f *fake) probe(ctx context.Context) Result {
	f.mu.Lock()
	f.starts = append(f.starts, time.Now())
	f.flying++
	f.most = max(f.most, f.flying)
	answer := f.answer
	f.mu.Unlock()
	r := answer(ctx, time.Now())
	f.mu.Lock()
	f.flying--
	f.mu.Unlock()
	return r
}

func (f *fake) set(answer func(context.Context, time.Time) Result) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answer = answer
}

func answers(r Result) func(context.Context, time.Time) Result {
	return func(context.Context, time.Time) Result { return r }
}

// slowly answers after a while, or is silent where the timeout comes first.
func slowly(d time.Duration, r Result) func(context.Context, time.Time) Result {
	return func(ctx context.Context, _ time.Time) Result {
		select {
		case <-time.After(d):
			return r
		case <-ctx.Done():
			return silence("no answer")
		}
	}
}

var silent = slowly(time.Hour, Result{})

// bench is a checker in a bubble, whose targets are fakes by address.
type bench struct {
	*Checker
	fakes  map[string]*fake
	log    bytes.Buffer
	cancel context.CancelFunc
	ended  chan error
}

func newBench(o Options) *bench {
	b := &bench{fakes: make(map[string]*fake), ended: make(chan error, 1)}
	o.Log = slog.New(slog.NewTextHandler(&b.log, nil))
	b.Checker = New(o)
	b.Checker.prober = func(t Target) prober { return b.fake(t.Address.String()) }
	return b
}

func (b *bench) fake(address string) *fake {
	if b.fakes[address] == nil {
		b.fakes[address] = &fake{answer: answers(good)}
	}
	return b.fakes[address]
}

func (b *bench) run() {
	ctx, cancel := context.WithCancel(context.Background())
	b.cancel = cancel
	go func() { b.ended <- b.Run(ctx) }()
}

// stop ends the checker; the bubble then fails if a goroutine is left.
func (b *bench) stop(t *testing.T) {
	t.Helper()
	b.cancel()
	if err := <-b.ended; err != nil {
		t.Error(err)
	}
}

// on is a target of a kind that is probed over the network and not watched.
func on(address string, check zones.Check) Target {
	check.Kind = zones.DNS
	return NewTarget("chat", address, netip.MustParseAddr(address), &check)
}

func (b *bench) want(t *testing.T, target Target, s State) {
	t.Helper()
	if v := b.Verdicts()[target.Key]; v.State != s {
		t.Fatalf("%s: got %+v, want %s", target, v, s)
	}
}

func TestFirstProbeComesSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(Options{})
		var targets []Target
		for i := range 20 {
			targets = append(targets, on(fmt.Sprintf("192.0.2.%d", i+1), defaults(zones.Check{})))
		}
		b.Update(append(targets, targets[0])) // duplicates are one target
		b.run()
		began := time.Now()
		time.Sleep(firstDelay)
		synctest.Wait()
		first := make(map[time.Time]bool)
		for _, target := range targets {
			b.want(t, target, Up)
			f := b.fake(target.Address.String())
			if len(f.starts) != 1 {
				t.Errorf("%s: %d probes in the first %s", target, len(f.starts), firstDelay)
			}
			first[f.starts[0]] = true
		}
		if len(first) < 10 {
			t.Errorf("20 targets are first probed at %d moments since %s: not spread", len(first), began)
		}
		b.stop(t)
	})
}

func TestProbesKeepTheirIntervalAndDriftApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(Options{})
		b.Update([]Target{on("192.0.2.1", defaults(zones.Check{}))})
		b.run()
		time.Sleep(time.Minute)
		synctest.Wait()
		starts := b.fake("192.0.2.1").starts
		gaps := make(map[time.Duration]bool)
		for i := 1; i < len(starts); i++ {
			gap := starts[i].Sub(starts[i-1])
			gaps[gap] = true
			if gap < 900*time.Millisecond || gap > time.Second {
				t.Errorf("gap of %s, want 0.9–1 s", gap)
			}
		}
		if len(gaps) < 10 {
			t.Errorf("%d different gaps in %d: no jitter", len(gaps), len(starts))
		}
		b.stop(t)
	})
}

func TestSilentTargetIsProbedFastAndOverlapping(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(Options{})
		target, other := on("192.0.2.1", defaults(zones.Check{})), on("192.0.2.2", defaults(zones.Check{}))
		b.Update([]Target{target, other})
		b.run()
		time.Sleep(10 * time.Second)
		synctest.Wait()
		f := b.fake("192.0.2.1")
		before := len(f.starts)
		f.set(silent)
		for b.Verdicts()[target.Key].State == Up {
			<-b.Changes()
		}
		if starts := f.starts[before:]; time.Since(starts[0]) != 1100*time.Millisecond {
			t.Errorf("down %s after the first silent probe, want 3 fast intervals and a timeout", time.Since(starts[0]))
		} else {
			for i := 1; i < len(starts)-1; i++ {
				if gap := starts[i].Sub(starts[i-1]); gap != 200*time.Millisecond {
					t.Errorf("gap of %s in doubt, want fast_interval", gap)
				}
			}
		}
		b.want(t, other, Up)
		synctest.Wait()
		if n := strings.Count(b.log.String(), "target down"); n != 1 {
			t.Errorf("down is logged %d times:\n%s", n, b.log.String())
		}
		b.stop(t)
	})
}

func TestChangedTellsWhatADecisionReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(Options{})
		target := on("192.0.2.1", fastProfile(zones.Check{}))
		f := b.fake("192.0.2.1")
		b.Update([]Target{target})
		b.run()
		step := func(name string, wanted func(Verdict) bool) {
			t.Helper()
			select {
			case <-b.Changes():
			case <-time.After(5 * time.Second):
				t.Fatalf("%s: no change is signalled", name)
			}
			if v, ok := b.Changed()[target.Key]; !ok || !wanted(v) {
				t.Fatalf("%s: got %+v, %t", name, v, ok)
			}
		}
		step("first result", isState(Up))
		time.Sleep(5 * time.Second)
		if len(b.Changes()) > 0 {
			t.Error("equal results are called a change")
		}
		f.set(answers(refused))
		step("doubt", func(v Verdict) bool { return v.State == Up && v.Doubt })
		step("down", func(v Verdict) bool { return v.State == Down && v.Reason == refused.Reason })
		f.set(answers(failure("HTTP 503")))
		step("new reason", func(v Verdict) bool { return v.State == Down && v.Reason == "HTTP 503" })
		f.set(answers(good))
		step("first success while down", func(v Verdict) bool { return v.State == Down && v.Streak == 1 })
		step("up", isState(Up))
		f.set(answers(Result{Outcome: Success, Drain: true}))
		step("drain", func(v Verdict) bool { return v.State == Up && v.Drain })
		f.set(answers(noRoute))
		step("unclear", func(v Verdict) bool { return v.State == Unknown && v.Reason == noRoute.Reason })
		b.stop(t)
		s := b.Stats().Targets[target.Key]
		if s.Transitions != 2 || s.Failures == 0 || s.Probes <= s.Failures {
			t.Errorf("counters are %+v", s)
		}
	})
}

func TestReloadKeepsUnchangedAndStopsRemoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(Options{})
		kept, gone := on("192.0.2.1", defaults(zones.Check{})), on("192.0.2.2", defaults(zones.Check{}))
		b.fake("192.0.2.2").set(func(ctx context.Context, _ time.Time) Result {
			<-ctx.Done() // and then a result that comes too late
			return good
		})
		b.Update([]Target{kept, gone})
		b.run()
		time.Sleep(300 * time.Millisecond)
		synctest.Wait()
		before := b.Verdicts()[kept.Key]
		fresh := on("192.0.2.3", defaults(zones.Check{}))
		b.Update([]Target{kept, fresh})
		synctest.Wait()
		if f := b.fake("192.0.2.2"); f.flying != 0 {
			t.Errorf("%d probes of a removed target are under way", f.flying)
		}
		if v := b.Verdicts(); v[kept.Key] != before || len(v) != 2 {
			t.Errorf("verdicts after the reload: %+v", v)
		}
		if _, ok := b.Changed()[gone.Key]; ok {
			t.Error("a removed target is called changed")
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := len(b.fake("192.0.2.2").starts); n != 1 {
			t.Errorf("%d probes of a removed target", n)
		}
		b.want(t, fresh, Up)
		b.stop(t)
	})
}

func TestRestoredVerdictsHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		check := defaults(zones.Check{})
		up, down, gone := on("192.0.2.1", check), on("192.0.2.2", check), on("192.0.2.3", check)
		b := newBench(Options{})
		since := time.Now().Add(-time.Hour)
		b.Restore(map[string]Verdict{
			up.Key:   {State: Up, Since: since, At: since},
			down.Key: {State: Down, Since: since, At: since, Reason: "connect: refused"},
			gone.Key: {State: Down, Since: since, At: since},
		})
		b.Update([]Target{up, down})
		if v := b.Changed(); v[up.Key].State != Up || v[down.Key].State != Down || len(v) != 2 {
			t.Errorf("restored: %+v", v)
		}
		first := true
		b.fake("192.0.2.1").set(func(context.Context, time.Time) Result {
			defer func() { first = false }()
			if first {
				return refused
			}
			return good
		})
		b.run()
		time.Sleep(150 * time.Millisecond) // one bad and one good probe
		synctest.Wait()
		b.want(t, up, Up)
		b.want(t, down, Down)
		time.Sleep(3 * time.Second)
		synctest.Wait()
		b.want(t, down, Up)
		if v := b.Verdicts()[up.Key]; v.State != Up || !v.Since.Equal(since) {
			t.Errorf("got %+v", v)
		}
		b.Update([]Target{up, down, gone})
		b.want(t, gone, Unknown) // what it was at the restart is stale by now
		b.stop(t)
		if s := b.log.String(); strings.Count(s, "msg=") != 1 || !strings.Contains(s, "target up") {
			t.Errorf("logged:\n%s", s)
		}
	})
}

func TestProbesUnderWayAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(Options{MaxProbes: 2})
		one := &fake{answer: slowly(300*time.Millisecond, good)}
		b.Checker.prober = func(Target) prober { return one }
		var targets []Target
		for i := range 10 {
			check := defaults(zones.Check{})
			targets = append(targets, on(fmt.Sprintf("192.0.2.%d", i+1), check))
		}
		b.Update(targets)
		b.run()
		time.Sleep(20 * time.Second)
		synctest.Wait()
		if one.most != 2 {
			t.Errorf("%d probes at once, want 2", one.most)
		}
		if b.Stats().Waited == 0 {
			t.Error("no probe is said to have waited")
		}
		if s := b.Stats(); s.Late == 0 {
			t.Error("no probe is said to have been late")
		}
		for _, target := range targets {
			b.want(t, target, Up) // to start late is no failure
			if s := b.Stats().Targets[target.Key]; s.Failures > 0 || s.Probes < 5 {
				t.Errorf("%s: %+v", target, s)
			}
		}
		b.stop(t)
	})
}

func TestProbesThatHangCountAsFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(Options{})
		target := on("192.0.2.1", defaults(zones.Check{}))
		b.Update([]Target{target})
		b.run()
		time.Sleep(5 * time.Second)
		b.want(t, target, Up)
		release := make(chan struct{})
		f := b.fake("192.0.2.1")
		f.set(func(context.Context, time.Time) Result { // ignores its context
			<-release
			return good
		})
		time.Sleep(time.Minute)
		synctest.Wait()
		b.want(t, target, Down)
		if f.flying > 16 {
			t.Errorf("%d probes hang", f.flying)
		}
		close(release)
		f.set(answers(good))
		time.Sleep(5 * time.Second)
		b.want(t, target, Up)
		b.stop(t)
	})
}

func TestPanicInAProbeIsUnclear(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(Options{})
		target := on("192.0.2.1", defaults(zones.Check{}))
		b.fake("192.0.2.1").set(func(context.Context, time.Time) Result { panic("oh") })
		b.Update([]Target{target})
		b.run()
		time.Sleep(5 * time.Second)
		b.want(t, target, Unknown)
		if v := b.Verdicts()[target.Key]; !strings.Contains(v.Reason, "fault in the probe itself: oh") {
			t.Errorf("reason %q", v.Reason)
		}
		b.stop(t)
		if s := b.log.String(); strings.Count(s, "level=ERROR") != 1 || !strings.Contains(s, "stack=") {
			t.Errorf("logged:\n%s", s)
		}
	})
}

func TestRunOnlyOnce(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c := New(Options{})
	if err := c.Run(ctx); err != nil {
		t.Error(err)
	}
	if err := c.Run(ctx); err == nil {
		t.Error("a second Run is let through")
	}
}
