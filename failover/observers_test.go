package failover

import (
	"log/slog"
	"os"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/livens/livens/checker"
)

// others stand for a cluster: a test says what they have to say.
type others struct {
	changes chan struct{}
	mu      sync.Mutex
	news    News
}

func (o *others) Changes() <-chan struct{} { return o.changes }

func (o *others) News() News {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := o.news
	o.news.Verdicts = nil
	return n
}

func (o *others) say(n News) {
	o.mu.Lock()
	o.news = n
	o.mu.Unlock()
	o.changes <- struct{}{}
	synctest.Wait()
}

// inCluster runs a rig whose controller listens to others, and gives what it told them last.
func inCluster(t *testing.T, f func(t *testing.T, r *rig, o *others, told func() *Status)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r, o := newRig(t), &others{changes: make(chan struct{})}
		var mu sync.Mutex
		var last *Status
		r.options = func(options *Options) {
			options.Name, options.Observers = "ns1", o
			options.Tell = func(s *Status) {
				mu.Lock()
				defer mu.Unlock()
				last = s
			}
		}
		r.start()
		defer func() { r.stop() }()
		f(t, r, o, func() *Status {
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			return last
		})
	})
}

func TestUseWaitsUntilTheNameserverHasJoined(t *testing.T) {
	inCluster(t, func(t *testing.T, r *rig, o *others, told func() *Status) {
		used := make(chan error)
		go func() { used <- r.controller.Use(t.Context(), r.zones()) }()
		synctest.Wait()
		if n := len(r.all()); n != 0 {
			t.Errorf("%d publications before it has joined", n)
		}
		if n := len(r.controller.options.Checker.Verdicts()); n != 2 {
			t.Errorf("%d targets: they are probed meanwhile", n)
		}
		runs := Decision{
			Pool: "chat", Active: []string{"redundant"}, Addresses: r.zones().Pools[0].Deployments[1].Addresses, Epoch: 7,
			Since: time.Now().Add(-time.Hour), Reason: "primary went down",
		}
		o.say(News{Standing: joined, Held: []*Decision{&runs}})
		if err := <-used; err != nil {
			t.Fatal(err)
		}
		if first := r.all()[0].Decisions["chat"]; !slices.Equal(first.Active, runs.Active) || first.Epoch != 7 || first.Reason != runs.Reason {
			t.Errorf("the first answer: %+v", first)
		}
		if held := told().Held(); len(held) != 2 {
			t.Errorf("it told %+v", held)
		}
	})
}

func TestOrdersOfOthersAreKeptAndObeyedEvenIfTheyCannotBeKept(t *testing.T) {
	inCluster(t, func(t *testing.T, r *rig, o *others, told func() *Status) {
		o.say(News{Standing: joined})
		r.use(r.zones())
		verdicts := View{}
		for _, target := range Targets(r.zones().Pools[0], nil) {
			verdicts[target.Key] = Agreed{Verdict: checker.Verdict{State: checker.Up, Streak: 3, At: time.Now(), Reason: "up"}}
		}
		o.say(News{Standing: joined, Verdicts: verdicts})
		r.answers("primary")
		order := Override{Kind: ToFailover, Pool: "chat", Deployment: "redundant", Who: "bob", Clock: 5, Node: "ns2"}
		o.say(News{Standing: joined, Overrides: []Override{order}})
		r.answers("redundant")
		var kept []Override
		if err := readState(r.state, overridesFile, &kept); err != nil || len(kept) != 1 || kept[0].Who != "bob" {
			t.Errorf("kept %+v, %v", kept, err)
		}
		if err := os.RemoveAll(r.state); err != nil {
			t.Fatal(err)
		}
		order.Clock, order.Cleared = 6, true
		o.say(News{Standing: joined, Overrides: []Override{order}})
		time.Sleep(time.Minute)
		r.answers("primary")
		if !slices.ContainsFunc(r.controller.Alerts(time.Now()), func(a Alert) bool { return a.Code == "state-unwritable" }) {
			t.Error("no alert says that the orders are not kept")
		}
		if registers := told().Registers; len(registers) != 1 || !registers[0].Cleared {
			t.Errorf("it told %+v", registers)
		}
		if err := os.Mkdir(r.state, 0o700); err != nil {
			t.Fatal(err)
		}
		time.Sleep(saveRetry + time.Second)
		if err := readState(r.state, overridesFile, &kept); err != nil || len(kept) != 1 || !kept[0].Cleared {
			t.Errorf("not written after the disk came back: %+v, %v", kept, err)
		}
	})
}

func TestALoneCheckerAgreesWithItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		c := checker.New(checker.Options{Name: "test", Log: slog.New(slog.DiscardHandler)})
		o := Alone(c)
		targets := Targets(r.zones().Pools[0], nil)
		c.Restore(map[string]checker.Verdict{targets[0].Key: {State: checker.Up, At: time.Now().Add(-time.Hour)}})
		c.Update(targets)
		n := o.News()
		if n.Standing != joined || len(n.Verdicts) != 0 {
			t.Errorf("what it was told itself is no news: %+v", n)
		}
	})
}
