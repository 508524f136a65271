package failover

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/livens/livens/checker"
	"github.com/livens/livens/zones"
)

// rig is a running controller and checker whose deployments' states are files: no network, so that time can be faked.
type rig struct {
	t          *testing.T
	dir        string // of the state files
	state      string
	controller *Controller
	mu         sync.Mutex
	published  []Publication
	stop       func()
	options    func(*Options) // changes them; nil: nothing
}

func newRig(t *testing.T) *rig {
	return &rig{t: t, dir: t.TempDir(), state: t.TempDir()}
}

func (r *rig) start() {
	ctx, cancel := context.WithCancel(r.t.Context())
	c := checker.New(checker.Options{Name: "test"})
	r.mu.Lock()
	r.published = nil
	r.mu.Unlock()
	options := Options{State: r.state, Checker: c, Log: slog.New(slog.DiscardHandler),
		Publish: func(p Publication) {
			r.mu.Lock()
			defer r.mu.Unlock()
			var before *Publication
			if n := len(r.published); n > 0 {
				before = &r.published[n-1]
			}
			r.published = append(r.published, *p.after(before))
		}}
	if r.options != nil {
		r.options(&options)
	}
	r.controller = NewController(options)
	done := make(chan error, 2)
	go func() { done <- c.Run(ctx) }()
	go func() { done <- r.controller.Run(ctx) }()
	r.stop = func() {
		cancel()
		for range 2 {
			if err := <-done; err != nil {
				r.t.Error(err)
			}
		}
	}
}

func (r *rig) set(deployment, state string) {
	if err := os.WriteFile(filepath.Join(r.dir, deployment), []byte(state), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// zones is a Set of a pool chat and a pool www that follows it.
func (r *rig) zones() *zones.Set {
	check := &zones.Check{
		Kind: zones.File, File: r.dir + "/{deployment}", Interval: time.Second, FastInterval: 200 * time.Millisecond,
		Timeout: 500 * time.Millisecond, Fall: 4, Rise: 3,
	}
	pool := func(name, follow, net string, checks ...*zones.Check) *zones.Pool {
		return &zones.Pool{
			Name: name, Zone: "example.com.", Answers: []string{name + ".example.com."}, Policy: zones.Failover, TTL: 10, TTLMin: 5,
			Failback: zones.Auto, AllDown: zones.LastGood, MaxFailbacks: 4, Checks: checks, Follow: follow,
			Deployments: []*zones.Deployment{
				{Name: "primary", Addresses: []netip.Addr{netip.MustParseAddr(net + ".10")}},
				{Name: "redundant", Addresses: []netip.Addr{netip.MustParseAddr(net + ".20")}},
			},
		}
	}
	pools := []*zones.Pool{pool("chat", "", "192.0.2", check), pool("www", "chat", "198.51.100")}
	return &zones.Set{Pools: pools, Zones: []*zones.Zone{{Name: "example.com.", Pools: pools}}}
}

func (r *rig) use(set *zones.Set) {
	r.t.Helper()
	if err := r.controller.Use(r.t.Context(), set); err != nil {
		r.t.Fatal(err)
	}
}

// all are the publications up to now.
func (r *rig) all() []Publication {
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.published)
}

func (r *rig) last() Publication {
	all := r.all()
	return all[len(all)-1]
}

func (r *rig) answers(want string) {
	r.t.Helper()
	synctest.Wait()
	if got := r.last().Decisions["chat"].Active; !slices.Equal(got, []string{want}) {
		r.t.Fatalf("%v answers, want %s: %s", got, want, r.last().Decisions["chat"].Reason)
	}
}

func inBubble(t *testing.T, f func(*testing.T, *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.set("primary", "up")
		r.set("redundant", "up")
		r.start()
		r.use(r.zones())
		time.Sleep(2 * time.Second)
		defer func() { r.stop() }()
		f(t, r)
	})
}

func TestControllerPublishesASwitchOnceWithFollowers(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.answers("primary")
		serial := r.last().Serials["example.com."]
		n, epoch := len(r.all()), r.last().Decisions["chat"].Epoch
		r.set("primary", "down disk full")
		time.Sleep(5 * time.Second)
		r.answers("redundant")
		if r.last().Decisions["www"].Addresses[0].String() != "198.51.100.20" {
			t.Error("the following pool did not follow")
		}
		if got := r.last().Serials["example.com."]; got <= serial {
			t.Errorf("serial %d did not grow from %d", got, serial)
		}
		var switches int
		for _, p := range r.all()[n:] {
			chat, www := p.Decisions["chat"], p.Decisions["www"]
			if !slices.Equal(chat.Active, www.Active) || chat.Lowered != www.Lowered {
				t.Errorf("the pools part: %v %v", chat, www)
			}
			if chat.Epoch != epoch {
				switches, epoch = switches+1, chat.Epoch
			}
		}
		if switches != 1 {
			t.Errorf("%d switches", switches)
		}
	})
}

func TestRestartAnswersWithTheLastDecision(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.set("primary", "down")
		time.Sleep(5 * time.Second)
		r.answers("redundant")
		before := r.last().Decisions["chat"]
		r.stop() // what was written on the way must do: nothing tells kill -9 apart, see TestKilledBeforeStop

		r.set("redundant", "down") // one bad probe of what answers, one good of what was down
		r.set("primary", "up")
		r.start()
		r.use(r.zones())
		first := r.all()[0].Decisions["chat"]
		if !slices.Equal(first.Active, before.Active) || first.Epoch != before.Epoch || !first.Since.Equal(before.Since) {
			t.Errorf("first answer after the restart %+v, last before it %+v", first, before)
		}
		if r.all()[0].Serials["example.com."] == 0 {
			t.Error("no serial")
		}
		time.Sleep(150 * time.Millisecond) // each target has been probed once
		r.answers("redundant")
		r.set("redundant", "up")
		time.Sleep(2500 * time.Millisecond)
		r.answers("redundant")
	})
}

func TestKilledBeforeStop(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.set("primary", "down")
		time.Sleep(5 * time.Second)
		r.answers("redundant")
		copied := t.TempDir() // the state folder as it is while everything still runs
		if err := os.CopyFS(copied, os.DirFS(r.state)); err != nil {
			t.Fatal(err)
		}
		r.stop()
		r.state = copied
		r.start()
		r.use(r.zones())
		r.answers("redundant")
	})
}

func TestOrderIsOnDiskBeforeItIsObeyed(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		order := Order{Verb: DoFailover, Pool: "chat", Deployment: "redundant", Who: "alice", Why: "upgrade", For: time.Hour}
		if err := r.controller.Do(t.Context(), order); err != nil {
			t.Fatal(err)
		}
		r.answers("redundant")
		var kept []Override
		if err := readState(r.state, overridesFile, &kept); err != nil || len(kept) != 1 || kept[0].Who != "alice" {
			t.Errorf("kept %v, %v", kept, err)
		}
		time.Sleep(time.Hour + time.Second) // it expires, and auto takes traffic back
		r.answers("primary")
	})
}

func TestPreviewThroughTheController(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		f, err := r.controller.Preview(t.Context(), Order{Verb: DoFailover, Pool: "chat", Deployment: "redundant", Who: "alice"})
		if err != nil || !slices.Equal(f.After, []string{"redundant"}) {
			t.Errorf("%+v, %v", f, err)
		}
		r.answers("primary")
	})
}

func TestOrderThatCannotBeKeptChangesNothing(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		if err := os.RemoveAll(r.state); err != nil { // a folder that is gone refuses even root's writes
			t.Fatal(err)
		}
		err := r.controller.Do(t.Context(), Order{Verb: DoFailover, Pool: "chat", Deployment: "redundant", Who: "alice"})
		if !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "cannot be kept") {
			t.Errorf("got %v", err)
		}
		r.answers("primary")
		r.set("primary", "down") // decisions go on without a disk
		time.Sleep(5 * time.Second)
		r.answers("redundant")
		alerts := r.controller.Alerts(time.Now())
		if !slices.ContainsFunc(alerts, func(a Alert) bool { return a.Code == "state-unwritable" }) {
			t.Errorf("no alert says so: %+v", alerts)
		}
		if err := os.Mkdir(r.state, 0o700); err != nil {
			t.Fatal(err)
		}
		time.Sleep(saveRetry + time.Second)
		var m Memory
		if err := readState(r.state, memoryFile, &m); err != nil || m.Decisions["chat"] == nil {
			t.Errorf("not written after the disk came back: %v", err)
		}
	})
}

func TestDamagedStateStartsAfreshWithAnAlert(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.stop()
		if err := os.WriteFile(filepath.Join(r.state, memoryFile), []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
		r.start()
		r.use(r.zones())
		r.answers("primary")
		alerts := r.controller.Alerts(time.Now())
		if len(alerts) == 0 || alerts[0].Code != "state-damaged" {
			t.Errorf("alerts: %+v", alerts)
		}
	})
}

func TestReloadKeepsWhatIsKnown(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.set("primary", "down")
		time.Sleep(5 * time.Second)
		r.answers("redundant")
		epoch := r.last().Decisions["chat"].Epoch
		set := r.zones()
		set.Pools[0].TTL = 20
		r.use(set)
		d := r.last().Decisions["chat"]
		if d.TTL != 20 || d.Epoch != epoch {
			t.Errorf("TTL %d, epoch %d (was %d)", d.TTL, d.Epoch, epoch)
		}
		r.answers("redundant")
		set = r.zones()
		set.Pools, set.Zones[0].Pools = set.Pools[:0], nil
		r.use(set)
		if len(r.last().Decisions) != 0 {
			t.Errorf("decisions for pools that are gone: %v", r.last().Decisions)
		}
	})
}

func TestReplacedAddressIsProbedUntilItsSuccessorIsProven(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		set := r.zones()
		set.Pools[0].Checks[0].File = r.dir + "/{address}" // every address has a state of its own
		r.set("192.0.2.10", "up")
		r.set("192.0.2.20", "up")
		r.use(set)
		time.Sleep(2 * time.Second)
		set = r.zones()
		set.Pools[0].Checks[0].File = r.dir + "/{address}"
		set.Pools[0].Deployments[0].Addresses = []netip.Addr{netip.MustParseAddr("192.0.2.99")}
		r.set("192.0.2.99", "down not there yet")
		r.use(set)
		time.Sleep(5 * time.Second)
		if a := r.last().Decisions["chat"].Addresses; a[0].String() != "192.0.2.10" {
			t.Fatalf("answers %v before the new address was up", a)
		}
		r.set("192.0.2.99", "up")
		time.Sleep(5 * time.Second)
		if a := r.last().Decisions["chat"].Addresses; len(a) != 1 || a[0].String() != "192.0.2.99" {
			t.Fatalf("answers %v after the new address was up", a)
		}
		if n := len(r.controller.options.Checker.Verdicts()); n != 2 {
			t.Errorf("%d targets are probed, want 2: the old address is let go", n)
		}
	})
}

func TestReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.start()
		defer func() { r.stop() }()
		if err := r.controller.Status().Ready(time.Now()); err == nil {
			t.Error("ready without zones")
		}
		r.set("primary", "up")
		r.set("redundant", "up")
		r.use(r.zones())
		if err := r.controller.Status().Ready(time.Now()); err == nil {
			t.Error("ready before the first probe")
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if err := r.controller.Status().Ready(time.Now()); err != nil {
			t.Error(err)
		}
	})
}

func TestOrderBeforeZonesIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.start()
		defer func() { r.stop() }()
		if err := r.controller.Do(t.Context(), Order{Verb: DoFailback, Pool: "chat"}); !errors.Is(err, ErrRefused) {
			t.Errorf("got %v", err)
		}
	})
}

// Two pools share a check, and one of them has another that fails. An edit of the shared check must not give the healthy
// pool the other one's verdict.
func TestEditOfASharedCheckMovesNobody(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		set := func(interval time.Duration) *zones.Set {
			s := r.zones()
			shared, failing := *s.Pools[0].Checks[0], *s.Pools[0].Checks[0]
			shared.Interval, failing.File = interval, r.dir+"/b-{deployment}"
			s.Pools[0].Checks = []*zones.Check{&shared}
			www := *s.Pools[0]
			www.Name, www.Checks = "www", []*zones.Check{&shared, &failing}
			s.Pools[1] = &www
			return s
		}
		r.set("b-primary", "down")
		r.set("b-redundant", "up")
		r.use(set(time.Second))
		time.Sleep(20 * time.Second)
		r.answers("primary")
		n := len(r.all())
		r.use(set(2 * time.Second))
		time.Sleep(time.Minute)
		for _, p := range r.all()[n:] {
			if d := p.Decisions["chat"]; d.Active[0] != "primary" {
				t.Fatalf("%v answers: %s", d.Active, d.Reason)
			}
		}
	})
}
