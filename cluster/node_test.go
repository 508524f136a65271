package cluster

import (
	"context"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/livens/livens/checker"
	"github.com/livens/livens/events"
	"github.com/livens/livens/failover"
	"github.com/livens/livens/zones"
)

// nameserver is a Node with sockets, a checker and a controller, wired as livens does. Its targets are files: what they
// say all nameservers of a test see.
type nameserver struct {
	*Node
	t          *testing.T
	controller *failover.Controller
	log        *logBuffer
	answers    atomic.Pointer[failover.Publication]
	first      atomic.Pointer[failover.Decision] // what was published first of the pool
	stop       func()
}

// place is what nameservers of a test have in common.
type place struct {
	t       *testing.T
	targets string   // folder of the deployments' files
	states  string   // folder of the state folders
	others  []string // names of further pools, which are like the first
	addrs   []netip.AddrPort
}

func newPlace(t *testing.T, size int) *place {
	p := &place{t: t, targets: t.TempDir(), states: t.TempDir(), addrs: freeAddrs(t, size)}
	p.set("primary", "up")
	p.set("redundant", "up")
	for i := range size {
		if err := os.Mkdir(p.state(i), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func (p *place) set(deployment, state string) {
	if err := os.WriteFile(filepath.Join(p.targets, deployment), []byte(state), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

func (p *place) name(i int) string  { return "ns" + string(rune('1'+i)) }
func (p *place) state(i int) string { return filepath.Join(p.states, p.name(i)) }

// pool is the one pool of all nameservers.
func (p *place) pool() *zones.Pool {
	pool := simPool()
	pool.Checks = []*zones.Check{{
		Kind: zones.File, File: p.targets + "/{deployment}", Interval: 200 * time.Millisecond, FastInterval: 100 * time.Millisecond,
		Timeout: 100 * time.Millisecond, Fall: 2, Rise: 2,
	}}
	return pool
}

// start runs nameserver i and waits until it answers.
func (p *place) start(i int, change func(*Options, *zones.Pool)) *nameserver {
	p.t.Helper()
	ns := &nameserver{t: p.t, log: &logBuffer{}}
	config := &zones.Config{
		Name: p.name(i), Listen: []netip.AddrPort{netip.AddrPortFrom(loopback, 53)}, State: p.state(i),
		Cluster: &zones.ClusterConfig{Listen: p.addrs[i], MinorityHold: 10 * time.Second, TieHold: 10 * time.Second},
	}
	for j, addr := range p.addrs {
		if j != i {
			config.Cluster.Peers = append(config.Cluster.Peers, addr.String())
		}
	}
	log, pool := slog.New(slog.NewTextHandler(ns.log, nil)), p.pool()
	o := Options{Config: config, Keys: [][]byte{clusterKey}, Version: "test", Events: events.NewLog(), Log: log}
	if change != nil {
		change(&o, pool)
	}
	ns.Node = New(o)
	check := checker.New(checker.Options{Name: config.Name, Heard: ns.Heard, Log: log})
	ns.controller = failover.NewController(failover.Options{
		Name: config.Name, State: config.State, Checker: check, Observers: ns.Node, Publish: ns.publish, Tell: ns.Tell, Log: log,
	})
	ns.run(check)
	zone := &zones.Zone{Name: "example.com.", Pools: []*zones.Pool{pool}, Hash: [32]byte{1}}
	for _, name := range p.others {
		other := *pool
		other.Name, other.Answers = name, []string{name + ".example.com."}
		zone.Pools = append(zone.Pools, &other)
	}
	if err := ns.controller.Use(p.t.Context(), &zones.Set{Pools: zone.Pools, Zones: []*zones.Zone{zone}}); err != nil {
		p.t.Fatal(err)
	}
	return ns
}

func (ns *nameserver) run(check *checker.Checker) {
	ctx, cancel := context.WithCancel(context.Background())
	var rooms sync.WaitGroup
	for _, run := range []func(context.Context) error{
		check.Run, ns.controller.Run, func(ctx context.Context) error { return ns.Run(ctx, check) },
	} {
		rooms.Go(func() {
			if err := run(ctx); err != nil {
				ns.t.Error(err)
			}
		})
	}
	ns.stop = sync.OnceFunc(func() { cancel(); rooms.Wait() })
	ns.t.Cleanup(ns.stop)
}

func (ns *nameserver) publish(p failover.Publication) {
	ns.first.CompareAndSwap(nil, p.Decisions["chat"])
	if before := ns.answers.Load(); before != nil && before.Set == p.Set { // p has what changed
		all := failover.Publication{Set: p.Set, Decisions: maps.Clone(before.Decisions), Serials: maps.Clone(before.Serials)}
		maps.Copy(all.Decisions, p.Decisions)
		maps.Copy(all.Serials, p.Serials)
		p = all
	}
	ns.answers.Store(&p)
}

// active is what is answered.
func (ns *nameserver) active() string {
	return strings.Join(ns.answers.Load().Decisions["chat"].Active, " ")
}

// alert says whether it tells operations of that.
func (ns *nameserver) alert(code string) bool {
	return slices.ContainsFunc(ns.Status().Alerts(time.Now()), func(a failover.Alert) bool { return a.Code == code })
}

// meet waits until each reaches that many, itself among them, and all targets are known to be up.
func (p *place) meet(reach int, all ...*nameserver) {
	p.t.Helper()
	for _, ns := range all {
		comesTrue(p.t, ns.options.Config.Name+" reaches the others", func() bool {
			s := ns.Status()
			return s.Reach == reach && s.Joined && ns.controller.Status().Waiting == 0
		})
	}
}

func (p *place) answer(active string, all ...*nameserver) {
	p.t.Helper()
	for _, ns := range all {
		comesTrue(p.t, ns.options.Config.Name+" answers "+active, func() bool { return ns.active() == active })
	}
}

func TestNodesWithPeersByNameAgreeAndOneIsNeverThere(t *testing.T) {
	p := newPlace(t, 3)
	byName := func(o *Options, _ *zones.Pool) {
		for i, peer := range o.Config.Cluster.Peers {
			o.Config.Cluster.Peers[i] = strings.Replace(peer, "127.0.0.1", "localhost", 1)
		}
	}
	a, b := p.start(0, byName), p.start(1, byName)
	p.meet(2, a, b)
	p.answer("primary", a, b)
	comesTrue(t, "the third is told of", func() bool { return a.alert("peer-silent") })
	p.set("primary", "down")
	p.answer("redundant", a, b)
	comesTrue(t, "one epoch", func() bool {
		return a.answers.Load().Decisions["chat"].Epoch == b.answers.Load().Decisions["chat"].Epoch
	})
}

func TestOrderThatCannotBeKeptIsRefusedAndTheOthersGoOn(t *testing.T) {
	p := newPlace(t, 2)
	if err := os.Remove(p.state(0)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p.state(0), []byte("no folder"), 0o600); err != nil {
		t.Fatal(err)
	}
	a, b := p.start(0, nil), p.start(1, nil)
	p.meet(2, a, b)
	for _, ns := range []*nameserver{a, b} {
		comesTrue(t, "both deployments are agreed to be up", func() bool {
			deployments := ns.controller.Status().Decisions["chat"].Deployments
			return deployments[0].State == checker.Up && deployments[1].State == checker.Up
		})
	}
	order := failover.Order{Verb: failover.DoFailover, Pool: "chat", Deployment: "redundant", Who: "alice"}
	if err := a.controller.Do(t.Context(), order); err == nil {
		t.Error("an order that cannot be kept is taken")
	}
	if n := len(a.controller.Status().Registers) + len(b.controller.Status().Registers); n != 0 || a.active() != "primary" || b.active() != "primary" {
		t.Errorf("%d orders are known; answers %s and %s", n, a.active(), b.active())
	}
	if alerts := a.controller.Alerts(time.Now()); len(alerts) == 0 {
		t.Error("nothing is said of the disk")
	}
	if err := b.controller.Do(t.Context(), order); err != nil {
		t.Fatal(err)
	}
	p.answer("redundant", a, b) // the one whose disk is full follows
}

func TestTakenPortIsToldAndTriedAgain(t *testing.T) {
	p := newPlace(t, 2)
	taken, err := net.Listen("tcp", p.addrs[0].String())
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	a, b := p.start(0, nil), p.start(1, nil)
	comesTrue(t, "alert and log say so", func() bool { return a.alert("cluster-mute") && a.log.count("cannot be talked to") > 0 })
	if a.active() != "primary" {
		t.Errorf("answers %s", a.active())
	}
	taken.Close()
	p.meet(2, a, b)
	comesTrue(t, "the alert ends", func() bool { return !a.alert("cluster-mute") })
}

func TestNodesRestartInAnyOrderAndAdoptWhatRuns(t *testing.T) {
	p := newPlace(t, 2)
	all := []*nameserver{p.start(0, nil), p.start(1, nil)}
	p.meet(2, all...)
	order := failover.Order{Verb: failover.DoFailover, Pool: "chat", Deployment: "redundant", Who: "alice"}
	for _, turns := range [][]int{{0}, {1}, {1, 0}, {0, 1}} {
		for _, i := range turns {
			all[i].stop()
			if i == 0 && len(turns) == 1 { // what it has kept is old when it returns
				if err := all[1].controller.Do(t.Context(), order); err != nil {
					t.Fatal(err)
				}
				p.answer("redundant", all[1])
			}
			all[i] = p.start(i, nil)
			if got := strings.Join(all[i].first.Load().Active, " "); got != "redundant" {
				t.Errorf("turns %v: %s first answers %s", turns, p.name(i), got)
			}
		}
		p.meet(2, all...)
		p.answer("redundant", all...)
	}
}

func TestStrangersAndWrongKeysChangeNothing(t *testing.T) {
	p := newPlace(t, 3)
	a, b := p.start(0, nil), p.start(1, nil)
	p.meet(2, a, b)
	wrong := p.start(2, func(o *Options, _ *zones.Pool) { o.Keys = [][]byte{otherKey} })
	comesTrue(t, "the wrong key is told", func() bool { return a.alert("cluster-wrong-key") && wrong.alert("cluster-wrong-key") })
	comesTrue(t, "the log says so too", func() bool { return a.log.count("fault=wrong_key") > 0 })
	wrong.stop()
	other := p.start(2, func(_ *Options, pool *zones.Pool) { pool.Hash = "of another file" })
	p.meet(3, a, b, other)
	p.set("primary", "down")
	p.answer("redundant", a, b)
	for _, d := range a.controller.Status().Decisions {
		if d.Definition != "0123" {
			t.Errorf("a decision of another definition was taken: %+v", d)
		}
	}
}

func TestNodeEndsWhileItIsFloodedAndLeavesNothingBehind(t *testing.T) {
	p := newPlace(t, 2)
	before := runtime.NumGoroutine()
	a, b := p.start(0, nil), p.start(1, nil)
	p.meet(2, a, b)
	ctx, cancel := context.WithCancel(t.Context())
	var flood sync.WaitGroup
	junk := []byte(`{"v":1,"from":"ns2","boot":1,"seq":1}`)
	flood.Go(func() {
		for ctx.Err() == nil {
			b.carrier.Send(p.addrs[0].String(), junk, false)
			b.carrier.Send(p.addrs[0].String(), junk, true)
		}
	})
	comesTrue(t, "the flood is told", func() bool { return a.alert("cluster-replayed") || a.alert("cluster-dropped") })
	if a.active() != "primary" {
		t.Errorf("the flood makes it answer %s", a.active())
	}
	a.stop()
	cancel()
	flood.Wait()
	b.stop()
	comesTrue(t, "all goroutines have ended", func() bool { return runtime.NumGoroutine() <= before+1 })
}
