package drill_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/livens/livens/internal/lab"
	"github.com/livens/livens/internal/process"
	"github.com/livens/livens/internal/stage"
)

// plan is what a drill wants its world to be.
type plan struct {
	nameservers int           // ns1 in site A, ns2 in B, ns3 in C
	cluster     bool          // they talk to one another
	hold        time.Duration // minority_hold; 0: the default
	delayed     time.Duration // ns3 is so much farther, each way
	hook        bool          // events are told to a web server, which hangs unless the drill lets it answer
	witness     bool          // an observer in C that answers no queries is one of the cluster
	lone        bool          // a nameserver in B that talks to nobody comes after the others
}

// world is three data centers: the primary deployment is in A, the redundant one in B, and visitors ask a resolver that
// is in none of them.
type world struct {
	t       *testing.T
	plan    plan
	network *lab.Network
	a, b, c *lab.Site

	primary, redundant *deployment
	nameservers        []*nameserver
	witness            *nameserver // nil: there is none
	resolver           *lab.Watch
	hook               *net.TCPListener // the web server that is told of events
	settled            time.Time        // when all was well
}

// deployment is one, and where.
type deployment struct {
	*stage.Deployment
	host *lab.Host
}

func (d *deployment) answer() string { return d.host.Addr.String() }

const (
	dnsPort     = 53
	webPort     = 80
	settleLimit = 20 * time.Second // from starting the processes until all is as it should be, on a busy machine
)

// newWorld builds one, and waits until every nameserver has found both deployments up.
func newWorld(t *testing.T, p plan) *world {
	t.Helper()
	n := lab.New(t)
	w := &world{t: t, plan: p, network: n, a: n.Site("A"), b: n.Site("B"), c: n.Site("C")}
	w.primary, w.redundant = w.deployment("primary", w.a), w.deployment("redundant", w.b)
	w.place()
	elsewhere := n.Site("D")
	if p.hook {
		w.startHook(elsewhere.Host("hook"))
	}
	w.start()
	w.resolver = w.startResolver(elsewhere.Host("resolver"))
	w.settle()
	w.t.Cleanup(w.invariants)
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) deployment(name string, site *lab.Site) *deployment {
	w.t.Helper()
	host := site.Host(name)
	d := &deployment{&stage.Deployment{Name: name, Addr: netip.AddrPortFrom(host.Addr, webPort), Enter: host.Enter}, host}
	w.must(d.Start(w.t.Context()))
	w.t.Cleanup(d.Kill)
	return d
}

// place gives every nameserver its host and its files.
func (w *world) place() {
	sites := []*lab.Site{w.a, w.b, w.c}[:w.plan.nameservers]
	for i, site := range sites {
		name := fmt.Sprintf("ns%d", i+1)
		host := site.Host
		if i == 2 && w.plan.delayed > 0 {
			host = func(name string) *lab.Host { return site.DelayedHost(name, w.plan.delayed) }
		}
		w.nameservers = append(w.nameservers, &nameserver{world: w, name: name, site: site, host: host(name), dir: shortDir(w.t)})
	}
	if w.plan.lone {
		w.nameservers = append(w.nameservers, &nameserver{world: w, name: "lone", site: w.b, host: w.b.Host("lone"), dir: shortDir(w.t), lone: true})
	}
	if w.plan.witness {
		w.witness = &nameserver{world: w, name: "witness", site: w.c, host: w.c.Host("witness"), dir: shortDir(w.t)}
	}
	for _, ns := range w.nameservers {
		ns.watch = ns.host.Watch(w.t, lab.Watched{Server: ns.dns(), Name: zoneName, Timeout: watchTimeout, Epochs: true})
	}
}

// watchTimeout is long for an answer on the nameserver's own host, also on a busy machine.
const watchTimeout = time.Second

// shortDir is a temporary folder whose path is short enough for unix sockets inside it (108 bytes).
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "drill")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// observers are the nameservers and the witness.
func (w *world) observers() []*nameserver {
	if w.witness == nil {
		return w.nameservers
	}
	return append(slices.Clone(w.nameservers), w.witness)
}

// start starts all observers at once.
func (w *world) start() {
	w.t.Helper()
	errs := make([]error, len(w.observers()))
	var all sync.WaitGroup
	for i, ns := range w.observers() {
		all.Go(func() { errs[i] = ns.start() })
	}
	all.Wait()
	w.must(errors.Join(errs...))
}

// settle waits until every observer holds that both deployments are up and answers with the primary, and then for a
// moment, so that faults strike anywhere between two probes.
func (w *world) settle() {
	w.t.Helper()
	w.must(process.Await(w.t.Context(), settleLimit, func() error {
		for _, ns := range w.observers() {
			if err := ns.settled(); err != nil {
				return fmt.Errorf("%s: %w", ns.name, err)
			}
		}
		return nil
	}))
	w.settled = time.Now()
	time.Sleep(time.Duration(rand.Float64() * float64(time.Second)))
}
