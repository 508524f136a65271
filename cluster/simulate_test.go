package cluster

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

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
	unread   bool                    // messages go as they are, which is faster than as the bytes that they are
	checks   []func(*world)
	trace    []string
	verbose  bool

	wrongClocks bool                           // some nameservers' clocks are an hour off
	clocksRight time.Time                      // since when most clocks have been right; zero: they are not
	orders      []simOrder                     // all that were given
	spoil       func(*simNode, *failover.News) // a fault in livens, to see that it is noticed
	tolerant    bool                           // a broken invariant ends the history, and is no failure of the test
	broken      string                         // which
	judged      int                            // looks at a dead answer that the tight bound judged
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
	for len(w.queue) > 0 && !w.queue[0].at.After(end) && w.broken == "" {
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
	if w.tolerant {
		w.broken = fmt.Sprintf(format, args...)
		return
	}
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
	w.checks = []func(*world){(*world).neverEmpty, (*world).epochsGrow, (*world).noDeadAnswer, (*world).ordersHold}
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

// failback sets the pool's rule; before the start.
func (w *world) failback(rule zones.Failback) {
	for _, set := range w.editions {
		set.Pools[0].Failback = rule
	}
}
