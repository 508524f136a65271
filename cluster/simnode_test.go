package cluster

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/livens/livens/checker"
	"github.com/livens/livens/failover"
)

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
	targets []*simProbe          // the same, for the invariants, which look after every event
	kept    failover.Memory      // the state folder
	orders  []failover.Override  // likewise
	highest uint64               // the highest epoch it ever answered with
	wake    time.Time            // when the engine is woken next, by the true time
	runs    time.Time            // since when the process has run without being stopped
	answers []string             // what it answers; nil: nothing yet
	apart   time.Time            // since when its answer has differed from that of others
	dead    deadAnswer
	company []acquaintance // of each nameserver
	misled  bool           // it may go by a wrong time, and cannot know better
}

// simProbe is a target as one observer probes it.
type simProbe struct {
	deployment string
	checker.Verdict
	streak int
	due    time.Time
	heard  time.Time // the last success
	silent time.Time // the first failure since; zero: none
}

// start starts the process on what its state folder holds.
func (n *simNode) start() {
	w := n.w
	n.boot, n.up, n.stopped, n.answers, n.wake, n.runs = w.rng.Uint64()|1, true, false, nil, time.Time{}, w.now
	n.company, n.misled = nil, false
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
	n.probes, n.targets = map[string]*simProbe{}, nil
	targets := map[string]Target{}
	for _, t := range failover.Targets(set.Pools[0], nil) {
		p := &simProbe{deployment: t.Deployment, due: n.w.now.Add(time.Duration(n.w.rng.IntN(100)) * time.Millisecond)}
		n.probes[t.Key], n.targets = p, append(n.targets, p)
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
		n.result(p, !n.w.dead[p.deployment] && !n.w.blind[[2]string{n.name, p.deployment}])
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

// result applies rise, fall and self-doubt.
func (n *simNode) result(p *simProbe, ok bool) {
	before, now, c := p.State, n.clock(), n.w.pool.Checks[0]
	switch {
	case ok:
		p.streak, p.heard, p.silent = max(p.streak, 0)+1, now, time.Time{}
	case p.silent.IsZero():
		p.silent = now
		fallthrough
	default:
		p.streak = min(p.streak, 0) - 1
	}
	switch {
	case p.streak >= c.Rise, p.State == checker.Unknown && p.streak > 0:
		p.State, p.Reason = checker.Up, "HTTP 200"
	case p.streak > -c.Fall && (p.State != checker.Unknown || p.streak > 0):
	case n.alone(p):
		p.State, p.Reason = checker.Unknown, lonely
	default:
		p.State, p.Reason = checker.Down, "timeout"
	}
	if p.State != before {
		p.Since = now
	}
	p.At, p.Streak, p.Doubt = now, p.streak, p.State == checker.Up && p.streak < 0
}

// lonely is why a nameserver doubts itself.
const lonely = "everything fell silent at once"

// alone is the checker's rule of self-doubt: another deployment fell silent together with this one, and since then nothing was
// heard from any, nor from a nameserver elsewhere.
func (n *simNode) alone(p *simProbe) bool {
	company := false
	for _, o := range n.probes {
		if o.heard.After(p.silent) {
			return false
		}
		company = company || o != p && !o.silent.IsZero() && abs(o.silent.Sub(p.silent)) <= detection
	}
	return company && !n.core.HeardElsewhere().After(p.silent)
}

func (n *simNode) observe() {
	own, doubt := map[string]checker.Verdict{}, ""
	for key, p := range n.probes {
		own[key] = p.Verdict
		if p.State == checker.Unknown && p.Reason == lonely {
			doubt = lonely
		}
	}
	n.core.Observe(own, doubt, n.clock())
	n.follow()
}

// follow lets what the core has to say take effect, until nothing follows from it.
func (n *simNode) follow() {
	for n.core.Unread() {
		n.hear(n.core.News(n.clock()))
	}
	for _, key := range n.core.Hurry() {
		if p := n.probes[key]; p != nil && p.State != checker.Down {
			p.due = n.w.now
		}
	}
	n.flush()
	n.sleep()
}

// hear gives news to the engine, unless the world holds up some of them or spoils them.
func (n *simNode) hear(news failover.News) {
	if n.w.spoil != nil {
		n.w.spoil(n, &news)
	}
	n.engine.Hear(news, n.clock())
	n.tell()
}

// sleep has the engine woken when time alone may change a decision. The way until then is measured anew whenever anything
// happened, as a timer is set anew.
func (n *simNode) sleep() {
	next := n.engine.Next()
	if next.IsZero() {
		n.wake = time.Time{}
		return
	}
	due, boot := n.w.now.Add(max(0, next.Sub(n.clock()))), n.boot
	if due.Equal(n.wake) {
		return
	}
	n.wake = due
	n.w.after(due.Sub(n.w.now), func() {
		if n.up && n.boot == boot && !n.stopped && n.wake.Equal(due) {
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
