package cluster

import (
	"flag"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/livens/livens/failover"
)

var (
	seeds = flag.Int("seeds", 500, "how many histories of random clusters are simulated")
	from  = flag.Uint64("from", 1, "the seed of the first of them")
	seed  = flag.Uint64("seed", 0, "the one history that is simulated, and told")
)

// TestRandomHistories simulates clusters of 2 to 7 nameservers through random faults. -seed N replays one and tells it.
func TestRandomHistories(t *testing.T) {
	if *seed != 0 {
		history(t, *seed, func(w *world) { w.verbose = true })
		return
	}
	next := make(chan uint64)
	var judged atomic.Int64
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for seed := range next {
				t.Run(fmt.Sprint(seed), func(t *testing.T) { judged.Add(int64(history(t, seed, nil).judged)) })
			}
		})
	}
	for i := range *seeds {
		next <- *from + uint64(i)
	}
	close(next)
	workers.Wait()
	t.Logf("%d times a dead answer was judged by the tight bound", judged.Load())
	if *seeds >= enoughSeeds && judged.Load() < int64(*seeds)*leastJudged {
		t.Errorf("in %d histories a dead answer was judged by the tight bound only %d times", *seeds, judged.Load())
	}
}

// leastJudged is how often per history, on the average, the invariant about dead answers must have had something to judge while
// there was a quorum. It asks after every event, so that one dead answer is judged many times.
const (
	leastJudged = 1
	enoughSeeds = 100 // for an average
)

// history is one: a cluster is started, things happen to it for two minutes, then all is well again, and a minute later
// all must answer alike. In every other one they are few, so that what follows from each is seen to its end; in every fourth
// messages go as bytes. prepare, if any, is for the world before it begins.
func history(t testing.TB, seed uint64, prepare func(*world)) *world {
	t.Helper()
	w := newWorld(t, seed)
	w.wrongClocks, w.unread = true, seed%4 != 0
	size := 2 + w.rng.IntN(6)
	sites := w.rng.IntN(3) // 0: nobody names any
	for i := range size {
		site := []string{"", "a", "b", "c", "d", "a", "b"}[min(i+1, 6)*bit(sites > 0)]
		if i == size-1 && size > 2 && w.rng.IntN(3) == 0 {
			site = "!" + site
		}
		w.add(site)
	}
	w.checks = append(w.checks, (*world).agreed)
	if prepare != nil {
		prepare(w)
	}
	w.start()
	w.loss, w.repeat = float64(w.rng.IntN(3))*0.05, float64(w.rng.IntN(2))*0.1
	w.jitter = time.Duration(1+w.rng.IntN(60)) * time.Millisecond
	w.run(5 * time.Second)
	if calm := seed%2 == 0; calm {
		for range 12 {
			w.upset()
			w.run(time.Duration(100+w.rng.IntN(20_000)) * time.Millisecond)
		}
	} else {
		for range 25 {
			w.disturb()
			w.run(time.Duration(100+w.rng.IntN(9000)) * time.Millisecond)
		}
	}
	w.heal()
	w.run(time.Minute)
	w.same()
	return w
}

// change notes that the world is another from now on.
func (w *world) change(format string, args ...any) {
	w.fault, w.groups = w.now, map[*simNode][]*simNode{}
	w.note("-- "+format, args...)
}

// upset makes one thing happen, most often to a deployment, or an order.
func (w *world) upset() {
	switch n, d := w.nodes[w.rng.IntN(len(w.nodes))], w.pool.Deployments[w.rng.IntN(2)].Name; w.rng.IntN(4) {
	case 0, 1:
		w.dead[d] = !w.dead[d]
		w.change("%s dead: %t", d, w.dead[d])
	case 2:
		w.order(n, d)
	default:
		w.disturb()
	}
}

// disturb makes one thing happen.
func (w *world) disturb() {
	n := w.nodes[w.rng.IntN(len(w.nodes))]
	d := w.pool.Deployments[w.rng.IntN(2)].Name
	switch w.rng.IntN(24) {
	case 0, 1:
		w.dead[d] = !w.dead[d]
		w.change("%s dead: %t", d, w.dead[d])
	case 2: // it flaps
		for i := range 6 {
			w.after(time.Duration(i*700)*time.Millisecond, func() { w.dead[d] = !w.dead[d]; w.change("%s dead: %t", d, w.dead[d]) })
		}
	case 3, 4: // half of it dies
		way := [2]string{n.name, d}
		w.blind[way] = !w.blind[way]
		w.change("%s cannot see %s: %t", n.name, d, w.blind[way])
	case 5, 6:
		w.partition()
	case 7: // one way only
		m := w.nodes[w.rng.IntN(len(w.nodes))]
		way := [2]string{n.name, m.name}
		w.cut[way] = !w.cut[way]
		w.change("%s → %s cut: %t", n.name, m.name, w.cut[way])
	case 8, 9:
		if n.up {
			n.kill()
			w.change("%s killed", n.name)
		} else {
			w.change("%s started", n.name)
			n.start()
		}
	case 10:
		if n.up && !n.stopped {
			w.change("%s restarted properly", n.name)
			n.stop()
			n.start()
		}
	case 11:
		n.stopped, n.runs = n.up && !n.stopped, w.now
		w.change("%s frozen: %t", n.name, n.stopped)
	case 12, 13:
		w.order(n, d)
	case 16, 17: // the files are brought to one nameserver after the other
		if n.up && !n.stopped {
			n.edition = 1 - n.edition
			w.change("%s has edition %d", n.name, n.edition)
			n.load()
		}
	case 14:
		w.restore()
	case 15:
		w.mend()
	case 18, 19:
		w.order(n, d)
	case 20: // nothing reaches it, and it reaches nothing
		w.isolate(n)
	case 21: // NTP corrects it
		w.setClock(n, time.Duration(w.rng.IntN(201)-100)*time.Millisecond)
	case 22: // somebody sets it
		if w.wrongClocks {
			w.setClock(n, []time.Duration{-time.Hour, time.Hour}[w.rng.IntN(2)])
		}
	case 23:
		w.lose(n)
	}
}

// partition splits the nameservers in two, and perhaps the deployments with them.
func (w *world) partition() {
	side := map[string]bool{}
	for _, n := range w.nodes {
		side[n.name] = w.rng.IntN(2) == 0
	}
	deployments := w.rng.IntN(2) == 0
	for _, n := range w.nodes {
		for _, m := range w.nodes {
			apart := side[n.name] != side[m.name]
			w.cut[[2]string{n.name, m.name}], w.noDNS[[2]string{n.name, m.name}] = apart, apart && w.rng.IntN(2) == 0
		}
		for i, d := range w.pool.Deployments {
			w.blind[[2]string{n.name, d.Name}] = deployments && side[n.name] == (i == 0)
		}
	}
	w.change("partition %v, deployments too: %t", side, deployments)
}

// isolate cuts a nameserver off from everything: it must not call the deployments down because of that.
func (w *world) isolate(n *simNode) {
	for _, m := range w.nodes {
		for _, way := range [][2]string{{n.name, m.name}, {m.name, n.name}} {
			w.cut[way], w.noDNS[way] = m != n, m != n
		}
	}
	for _, d := range w.pool.Deployments {
		w.blind[[2]string{n.name, d.Name}] = true
	}
	w.change("%s is cut off from everything", n.name)
}

// lose has a nameserver start anew without its state folder.
func (w *world) lose(n *simNode) {
	w.change("%s starts without its state folder", n.name)
	n.kill()
	n.kept, n.orders, n.highest = failover.Memory{}, nil, 0
	n.start()
}

// mend makes the network whole.
func (w *world) mend() {
	clear(w.cut)
	clear(w.noDNS)
	clear(w.blind)
	w.change("the network is whole")
}

// restore brings the deployments back.
func (w *world) restore() {
	clear(w.dead)
	w.change("the deployments are well")
}

// heal makes all well: network, deployments, nameservers.
func (w *world) heal() {
	w.mend()
	w.restore()
	for _, n := range w.nodes {
		if n.stopped {
			n.stopped, n.runs = false, w.now
		}
		if !n.up {
			n.start()
		}
		if n.edition != w.nodes[0].edition {
			n.edition = w.nodes[0].edition
			n.load()
		}
	}
	w.loss, w.repeat = 0, 0
}

// order gives an operator's order at one nameserver, to be obeyed at once or, of those that can be, half a minute later.
func (w *world) order(n *simNode, deployment string) {
	if !n.up || n.stopped || n.answers == nil {
		return
	}
	o := failover.Order{Pool: "chat", Deployment: deployment, Who: fmt.Sprintf("operator-%d", len(w.trace))}
	o.Verb = []failover.Verb{failover.DoFailover, failover.DoFailback, failover.DoDrain, failover.DoUndrain}[w.rng.IntN(4)]
	lasting := o.Verb == failover.DoFailover || o.Verb == failover.DoDrain
	if w.rng.IntN(2) == 0 && o.Verb != failover.DoUndrain {
		o.For = time.Duration(1+w.rng.IntN(30)) * time.Second
	}
	o.Force = lasting && o.For > 0 && w.rng.IntN(4) == 0
	if lasting && w.rng.IntN(2) == 0 {
		o.At = w.now.Add(time.Duration(11+w.rng.IntN(14)) * time.Second)
	}
	err := n.give(o)
	if err == nil {
		w.record(n, o)
	}
	w.change("%s: order %s %s at %v for %v, forced %t: %v", n.name, o.Verb, deployment, o.At, o.For, o.Force, err)
}

// same: every nameserver has come to the same answer, and knows of the same orders.
func (w *world) same() {
	first := w.nodes[0]
	for _, n := range w.nodes[1:] {
		if !slices.Equal(n.answers, first.answers) {
			w.fail("in the end %s answers %v, %s answers %v", first.name, first.answers, n.name, n.answers)
		}
		if a, b := n.core.report.Overrides, first.core.report.Overrides; !equalTables(a, b) {
			w.fail("in the end %s knows of orders %v, %s of %v", n.name, a, first.name, b)
		}
	}
}
