package cluster

import (
	"container/heap"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/livens/livens/checker"
	"github.com/livens/livens/failover"
	"github.com/livens/livens/zones"
)

// The simulator runs whole clusters, Core and failover.Engine of each nameserver, on a fake clock and a fake network.
// One seed is one history, always the same.

// world is a cluster and all that happens to it.
type world struct {
	t       testing.TB
	seed    uint64
	rng     *rand.Rand
	now     time.Time
	queue   occurrences
	ordered uint64 // occurrences so far: those at the same moment come in order

	nodes    []*simNode
	pool     *zones.Pool
	editions []*zones.Set       // of the files
	dead     map[string]bool    // deployments that are dead
	blind    map[[2]string]bool // observer, deployment: there is no way between them
	cut      map[[2]string]bool // from, to: messages do not arrive
	noDNS    map[[2]string]bool // from, to: queries get no answer
	loss     float64            // of messages
	repeat   float64            // of messages that arrive twice
	delay    time.Duration      // of messages at least; and up to jitter more
	jitter   time.Duration
	groups   map[*simNode][]*simNode // who can talk with whom, until the next change
	fault    time.Time               // when the world last changed
	checks   []func(*world)
	trace    []string
	verbose  bool

	wrongClocks bool // some nameservers' clocks are an hour off
}

type occurrence struct {
	at    time.Time
	order uint64
	do    func()
}

type occurrences []occurrence

func (q occurrences) Len() int { return len(q) }
func (q occurrences) Less(i, j int) bool {
	return q[i].at.Before(q[j].at) || q[i].at.Equal(q[j].at) && q[i].order < q[j].order
}
func (q occurrences) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *occurrences) Push(x any)   { *q = append(*q, x.(occurrence)) }
func (q *occurrences) Pop() any {
	last := len(*q) - 1
	x := (*q)[last]
	*q = (*q)[:last]
	return x
}

// after has something done later.
func (w *world) after(d time.Duration, do func()) {
	w.ordered++
	heap.Push(&w.queue, occurrence{w.now.Add(d), w.ordered, do})
}

// run lets time pass, and checks the invariants after everything that happens.
func (w *world) run(d time.Duration) {
	end := w.now.Add(d)
	for len(w.queue) > 0 && !w.queue[0].at.After(end) {
		o := heap.Pop(&w.queue).(occurrence)
		w.now = o.at
		o.do()
		for _, check := range w.checks {
			check(w)
		}
	}
	w.now = end
}

// fail reports a broken invariant with all that is needed to see it again.
func (w *world) fail(format string, args ...any) {
	w.t.Helper()
	w.t.Fatalf("seed %d, %s: %s\n%s", w.seed, w.clock(), fmt.Sprintf(format, args...), strings.Join(w.trace[max(0, len(w.trace)-60):], "\n"))
}

func (w *world) clock() string { return fmt.Sprintf("%.3fs", w.now.Sub(epoch).Seconds()) }

func (w *world) note(format string, args ...any) {
	w.trace = append(w.trace, w.clock()+" "+fmt.Sprintf(format, args...))
	if w.verbose {
		w.t.Log(w.trace[len(w.trace)-1])
	}
}

// epoch is when every world begins.
var epoch = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

// simNode is one nameserver.
type simNode struct {
	w       *world
	name    string
	site    string
	skew    time.Duration // of its clock
	witness bool
	edition int      // of the files that it has
	peers   []string // names: here the transport calls peers by their names
	boot    uint64
	up      bool // the process runs
	stopped bool // SIGSTOP

	core    *Core
	engine  *failover.Engine
	probes  map[string]*simProbe // by target key
	kept    failover.Memory      // the state folder
	orders  []failover.Override  // likewise
	highest uint64               // the highest epoch it ever answered with
	wake    time.Time
	answers []string  // what it answers; nil: nothing yet
	apart   time.Time // since when its answer has differed from that of others
	wrong   time.Time // since when it has answered what all call down
}

// simProbe is a target as one observer probes it.
type simProbe struct {
	deployment string
	checker.Verdict
	streak int
	due    time.Time
}

// newWorld makes a world with nameservers in the given sites, "" for none; a leading ! makes a witness. They run from
// start on.
func newWorld(t testing.TB, seed uint64, sites ...string) *world {
	w := &world{
		t: t, seed: seed, rng: rand.New(rand.NewPCG(seed, 1)), now: epoch, dead: map[string]bool{}, blind: map[[2]string]bool{},
		cut: map[[2]string]bool{}, noDNS: map[[2]string]bool{}, delay: time.Millisecond, jitter: 3 * time.Millisecond,
	}
	w.pool = simPool()
	for edition := range uint16(2) {
		w.editions = append(w.editions, simSet(w.pool, edition))
	}
	w.checks = []func(*world){(*world).neverEmpty, (*world).epochsGrow, (*world).noDeadAnswer}
	for _, site := range sites {
		w.add(site)
	}
	return w
}

func (w *world) add(site string) {
	n := &simNode{w: w, name: fmt.Sprintf("ns%d", len(w.nodes)+1), site: strings.TrimPrefix(site, "!"), witness: strings.HasPrefix(site, "!")}
	n.skew = time.Duration(w.rng.IntN(20)-10) * time.Millisecond
	if w.wrongClocks && w.rng.IntN(6) == 0 {
		n.skew += time.Duration(w.rng.IntN(3)-1) * time.Hour
	}
	for _, m := range w.nodes {
		m.peers = append(m.peers, n.name)
		n.peers = append(n.peers, m.name)
	}
	w.nodes = append(w.nodes, n)
}

// rename is for before the start.
func (n *simNode) rename(name string) {
	for _, m := range n.w.nodes {
		for i := range m.peers {
			if m.peers[i] == n.name {
				m.peers[i] = name
			}
		}
	}
	n.name = name
}

func (w *world) start() {
	w.change("all start")
	for _, n := range w.nodes {
		n.start()
	}
}

func simPool() *zones.Pool {
	check := &zones.Check{Kind: zones.TCP, Port: 443, Interval: time.Second, FastInterval: 200 * time.Millisecond, Timeout: 500 * time.Millisecond, Fall: 4, Rise: 3}
	return &zones.Pool{
		Name: "chat", Zone: "example.com.", Answers: []string{"chat.example.com."}, Policy: zones.Failover, TTL: 10, TTLMin: 5,
		Failback: zones.Auto, AllDown: zones.LastGood, MaxFailbacks: 100, Checks: []*zones.Check{check}, Hash: "0123",
		Deployments: []*zones.Deployment{
			{Name: "primary", Site: "a", Addresses: []netip.Addr{netip.MustParseAddr("203.0.113.10")}},
			{Name: "redundant", Site: "b", Addresses: []netip.Addr{netip.MustParseAddr("198.51.100.20")}},
		},
	}
}

// simSet is the zone as it is in one edition of the files: the second one has another check.
func simSet(p *zones.Pool, edition uint16) *zones.Set {
	pool, check := *p, *p.Checks[0]
	check.Port += edition
	pool.Hash, pool.Checks = fmt.Sprint(edition), []*zones.Check{&check}
	zone := &zones.Zone{Name: "example.com.", Pools: []*zones.Pool{&pool}, Hash: [32]byte{byte(edition)}}
	return &zones.Set{Pools: zone.Pools, Zones: []*zones.Zone{zone}}
}

func (w *world) node(name string) *simNode {
	return w.nodes[slices.IndexFunc(w.nodes, func(n *simNode) bool { return n.name == name })]
}

// clock is the nameserver's own idea of the time.
func (n *simNode) clock() time.Time { return n.w.now.Add(n.skew) }

// start starts the process on what its state folder holds.
func (n *simNode) start() {
	w := n.w
	n.boot, n.up, n.stopped, n.answers = w.rng.Uint64()|1, true, false, nil
	n.core = NewCore(CoreOptions{
		Self: Report{Name: n.name, Boot: n.boot, Site: n.site, Livens: "test", Witness: n.witness}, Peers: n.peers,
		MinorityHold: 10 * time.Second, TieHold: 10 * time.Second,
	}, n.clock())
	n.engine = failover.NewEngine(failover.EngineOptions{Node: n.name, TieHold: 10 * time.Second, Memory: n.kept, Overrides: n.orders}, n.clock())
	n.load()
	boot := n.boot
	var beat, probe func()
	mine := func() bool { return n.up && n.boot == boot }
	beat = func() {
		if !mine() {
			return
		}
		if !n.stopped {
			n.lookout()
			n.core.Tick(n.clock())
			n.follow()
		}
		w.after(heartbeat, beat)
	}
	probe = func() {
		if !mine() {
			return
		}
		if !n.stopped {
			n.probeDue()
		}
		w.after(50*time.Millisecond, probe)
	}
	w.after(time.Duration(w.rng.IntN(200))*time.Millisecond, beat)
	w.after(time.Duration(w.rng.IntN(50))*time.Millisecond, probe)
}

// load reads the files: targets that were not there before have no verdict yet.
func (n *simNode) load() {
	set := n.w.editions[n.edition]
	n.engine.Use(set, n.clock())
	n.probes = map[string]*simProbe{}
	targets := map[string]Target{}
	for _, t := range failover.Targets(set.Pools[0], nil) {
		n.probes[t.Key] = &simProbe{deployment: t.Deployment, due: n.w.now.Add(time.Duration(n.w.rng.IntN(100)) * time.Millisecond)}
		targets[t.Key] = Target{Site: set.Pools[0].Deployment(t.Deployment).Site, Fresh: 3 * time.Second}
	}
	n.core.Watch(targets, n.clock())
	n.tell()
	n.follow()
}

// kill is kill -9.
func (n *simNode) kill() { n.up = false }

// stop is a proper end.
func (n *simNode) stop() {
	n.core.Leave(n.clock())
	n.flush()
	n.up = false
}

// probeDue probes what is due: at once when somebody else doubts it, else every interval, or fast_interval in doubt.
func (n *simNode) probeDue() {
	changed := false
	for _, key := range slices.Sorted(maps.Keys(n.probes)) {
		p := n.probes[key]
		if n.w.now.Before(p.due) {
			continue
		}
		p.result(!n.w.dead[p.deployment] && !n.w.blind[[2]string{n.name, p.deployment}], n.clock(), n.w.pool.Checks[0])
		wait := time.Second - time.Duration(n.w.rng.IntN(100))*time.Millisecond // as the checker keeps observers out of step
		if p.Doubt {
			wait = 200 * time.Millisecond
		}
		p.due, changed = n.w.now.Add(wait), true
	}
	if changed {
		n.observe()
	}
}

// result applies rise and fall.
func (p *simProbe) result(ok bool, now time.Time, c *zones.Check) {
	before := p.State
	if ok {
		p.streak = max(p.streak, 0) + 1
	} else {
		p.streak = min(p.streak, 0) - 1
	}
	switch {
	case p.streak >= c.Rise, p.State == checker.Unknown && p.streak > 0:
		p.State, p.Reason = checker.Up, "HTTP 200"
	case p.streak <= -c.Fall, p.State == checker.Unknown && p.streak < 0:
		p.State, p.Reason = checker.Down, "timeout"
	}
	if p.State != before {
		p.Since = now
	}
	p.At, p.Streak, p.Doubt = now, p.streak, p.State == checker.Up && p.streak < 0
}

func (n *simNode) observe() {
	own := map[string]checker.Verdict{}
	for key, p := range n.probes {
		own[key] = p.Verdict
	}
	n.core.Observe(own, "", n.clock())
	n.follow()
}

// follow lets what the core has to say take effect, until nothing follows from it.
func (n *simNode) follow() {
	for n.core.Unread() {
		n.engine.Hear(n.core.News(n.clock()), n.clock())
		n.tell()
	}
	for _, key := range n.core.Hurry() {
		if p := n.probes[key]; p != nil && p.State != checker.Down {
			p.due = n.w.now
		}
	}
	n.flush()
	n.sleep()
}

// sleep has the engine woken when time alone may change a decision.
func (n *simNode) sleep() {
	next := n.engine.Next()
	if next.IsZero() || next.Equal(n.wake) {
		return
	}
	n.wake = next
	boot := n.boot
	n.w.after(max(0, next.Sub(n.clock())), func() {
		if n.up && n.boot == boot && !n.stopped && n.wake.Equal(next) {
			n.wake = time.Time{}
			n.engine.Wake(n.clock())
			n.tell()
			n.follow()
		}
	})
}

// tell hands on what the engine decided: to the others, to the state folder, and to whoever asks.
func (n *simNode) tell() {
	s := n.engine.Status()
	n.core.Tell(s, n.clock())
	n.kept, n.orders = n.engine.Memory(), s.Registers
	n.engine.Take()
	if n.core.Joined() {
		d := s.Decisions["chat"]
		answers := append(slices.Clone(d.Active), fmt.Sprint(d.Addresses), fmt.Sprint(d.Epoch))
		if !slices.Equal(answers, n.answers) {
			n.answers = answers
			n.w.note("%s answers %s, epoch %d, provisional %t: %s", n.name, d.Active, d.Epoch, d.Provisional, d.Reason)
		}
	}
}

// flush sends what is to be sent, through the network as it is.
func (n *simNode) flush() {
	w := n.w
	for _, o := range n.core.Take() {
		data := o.Message
		for range 1 + bit(w.rng.Float64() < w.repeat) {
			if w.cut[[2]string{n.name, o.Peer}] || !o.Reliable && w.rng.Float64() < w.loss {
				continue
			}
			from := n.name
			w.after(w.delay+time.Duration(w.rng.Int64N(int64(w.jitter)+1)), func() {
				to := w.node(o.Peer)
				if !to.up || to.stopped || w.cut[[2]string{from, o.Peer}] {
					return
				}
				to.core.received(from, data, nil, to.clock())
				to.follow()
			})
		}
	}
}

// decision is what the nameserver holds for the pool.
func (n *simNode) decision() *failover.Decision { return n.engine.Status().Decisions["chat"] }

// give gives an order, which is kept and obeyed at once if it is not refused.
func (n *simNode) give(o failover.Order) error {
	registers, err := n.engine.Plan(o, n.clock())
	if err != nil {
		return err
	}
	n.engine.Obey(registers, n.clock())
	n.tell()
	n.follow()
	return nil
}

// forced and drained say what orders in force say at this nameserver.
func (n *simNode) forced() bool {
	return slices.ContainsFunc(n.engine.Status().Overrides, func(o failover.Override) bool { return o.Force })
}

func (n *simNode) drained(deployment string) bool {
	return slices.ContainsFunc(n.decision().Deployments, func(s failover.DeploymentState) bool { return s.Name == deployment && s.Drained != "" })
}

// lookout asks the peers' DNS ports, as the real one does of those that are silent.
func (n *simNode) lookout() {
	for _, peer := range n.peers {
		to := n.w.node(peer)
		if to.up && !to.stopped && to.answers != nil && !to.witness && !n.w.noDNS[[2]string{n.name, peer}] {
			n.core.Answered(peer, n.clock())
		}
	}
}

// failback sets the pool's rule; before the start.
func (w *world) failback(rule zones.Failback) {
	for _, set := range w.editions {
		set.Pools[0].Failback = rule
	}
}
