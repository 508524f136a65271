package livens_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing/synctest"
	"time"

	"github.com/livens/livens/checker"
	"github.com/livens/livens/cluster"
	"github.com/livens/livens/events"
	"github.com/livens/livens/failover"
	"github.com/livens/livens/zones"
)

// nameserver is one of a scene's nameservers.
type nameserver struct {
	*scene
	name    string
	site    string
	witness bool
	place   int // among the nameservers
	folder  string
	printed int

	config     *zones.Config
	loader     *zones.Loader
	controller *failover.Controller
	cluster    *cluster.Node // nil: it is the only one
	events     *events.Log
	end        func()
	ctx        context.Context // of the process; nil while there is none
	answering  atomic.Bool     // DNS queries are answered
	shownMu    sync.Mutex
	shown      map[string]string // by pool: what was printed of it last
}

func (n *nameserver) print(format string, args ...any) { n.say(false, format, args...) }

func (n *nameserver) say(timed bool, format string, args ...any) {
	n.shownMu.Lock()
	defer n.shownMu.Unlock()
	n.printed++
	n.add(line{time.Now(), n.place, n.printed, timed, []string{n.name}, n.relative(fmt.Sprintf(format, args...))})
}

// changing are the parts of messages that differ from run to run: times of files.
var changing = regexp.MustCompile(`(version of) [-0-9]+ [:0-9]+ UTC`)

func (n *nameserver) relative(text string) string {
	return changing.ReplaceAllString(strings.ReplaceAll(text, n.folder+"/", ""), "$1 TIME")
}

func (n *nameserver) write(name, text string) {
	n.must(os.WriteFile(filepath.Join(n.folder, name), []byte(text), 0o600))
}

// address is where the others reach this nameserver.
func (n *nameserver) address() string { return fmt.Sprintf("192.0.2.%d", n.place+1) }

// configure writes livens.toml.
func (n *nameserver) configure(body string) {
	text := fmt.Sprintf("name = %q\nstate = \"state\"\n", n.name)
	if n.site != "" {
		text += fmt.Sprintf("site = %q\n", n.site)
	}
	if n.witness {
		text += "listen = []\n"
	}
	text += body + "\n"
	if n.several() {
		var peers []string
		for _, m := range n.nameservers {
			if m != n {
				peers = append(peers, fmt.Sprintf("%q", m.address()+":7946"))
			}
		}
		text += fmt.Sprintf("[cluster]\nlisten = \"%s:7946\"\npeers = [%s]\nkey_file = \"cluster.key\"\n", n.address(), strings.Join(peers, ", "))
	}
	n.write("livens.toml", text)
}

// hears says whether the nameserver can carry out a command.
func (n *nameserver) hears(command string) bool {
	return n.ctx != nil || slices.Contains([]string{"zone", "file", "remove", "config", "start", "damage", "ask"}, command)
}

// do carries out a command.
func (n *nameserver) do(args []string, body string) {
	switch args[0] {
	case "zone": // zone FILE: its body is the file; FOLDER in it stands for the nameserver's folder
		n.write(filepath.Join("zones", args[1]), strings.ReplaceAll(body, "FOLDER", n.folder)+"\n")
	case "file": // file NAME WORDS: a state file with these words
		n.write(args[1], strings.Join(args[2:], " ")+"\n")
	case "remove": // remove FILE
		n.must(os.Remove(filepath.Join(n.folder, "zones", args[1])))
	case "config": // its body is livens.toml
		n.configure(body)
	case "start":
		n.start()
	case "halt": // stop until the next start
		n.end()
	case "kill": // kill -9: what the state folder holds now is all that is left
		n.kill()
	case "restart": // after kill -9
		n.kill()
		n.start()
	case "damage": // damage STATEFILE: cut it short
		n.must(os.Truncate(filepath.Join(n.folder, "state", args[1]), 20))
	case "ask": // ask NAME TYPE
		n.ask(args[1], args[2])
	default:
		if n.ctx == nil {
			n.t.Fatalf("%s does not run: %q", n.name, args)
		}
		n.tell(args)
	}
}

// tell carries out a command to a process that runs.
func (n *nameserver) tell(args []string) {
	switch args[0] {
	case "reload":
		n.load()
	case "order": // order VERB POOL [DEPLOYMENT] [in DURATION] [for DURATION] [force] [because WORDS]
		n.order(args[1:])
	case "status":
		n.status()
	case "peers": // how the nameserver stands among the others
		n.peers()
	case "alerts":
		n.alerts()
	case "events": // what happened, oldest first
		n.happened()
	case "explain": // explain POOL
		n.explain(args[1])
	default:
		n.t.Fatalf("no such command: %q", args)
	}
}

// start brings up a nameserver on the folder as it is.
func (n *nameserver) start() {
	n.shown = map[string]string{}
	n.loader = zones.NewLoader()
	config, problems := zones.LoadConfig(filepath.Join(n.folder, "livens.toml"))
	n.problems(problems)
	n.config = config
	var err error
	n.events, err = events.Open(config.State)
	n.must(err)
	ctx, cancel := context.WithCancel(context.Background())
	n.ctx = ctx
	var rooms sync.WaitGroup
	room := func(run func(context.Context) error) {
		rooms.Go(func() {
			if err := run(ctx); err != nil {
				n.t.Error(err)
			}
		})
	}
	n.wire(room)
	n.end = func() {
		cancel()
		rooms.Wait()
		n.ctx, n.end = nil, func() {}
		n.answering.Store(false)
	}
	n.load()
}

// wire makes the rooms and runs them.
func (n *nameserver) wire(room func(func(context.Context) error)) {
	log := slog.New(slog.DiscardHandler)
	o := failover.Options{
		Name: n.name, State: n.config.State, Log: log, Publish: n.publish,
		Happened: func(list []failover.Event) {
			for _, e := range list {
				n.events.Add(e, time.Now())
			}
		},
	}
	probing := checker.Options{Name: n.name, Dial: n.dial, Jitter: n.jitter()}
	may := func() bool { return true }
	if n.cluster = nil; n.config.Cluster != nil {
		n.cluster = cluster.New(cluster.Options{
			Config: n.config, Events: n.events, Log: log, Carrier: n.network.plug(n), Exchange: n.exchange,
		})
		o.Observers, o.Tell, o.TieHold = n.cluster, n.cluster.Tell, n.config.Cluster.TieHold
		probing.Heard, may = n.cluster.Heard, n.cluster.Tells
	}
	o.Checker = checker.New(probing)
	n.controller = failover.NewController(o)
	teller := events.NewTeller(events.Options{Name: n.name, Log: n.events, May: may, Start: n.wakeUp, Logger: log})
	room(o.Checker.Run)
	room(n.controller.Run)
	room(func(ctx context.Context) error { teller.Run(ctx); return nil })
	room(func(ctx context.Context) error { n.events.Keep(ctx, n.config.State, n.must); return nil })
	if node := n.cluster; node != nil {
		node.Serving([]string{n.address() + ":53"})
		room(func(ctx context.Context) error {
			time.Sleep(n.late())
			return node.Run(ctx, o.Checker)
		})
	}
}

// late is how much later than the first this nameserver does what all do at one time, so that it is always in one order.
func (n *nameserver) late() time.Duration { return time.Duration(n.place) * 13 * time.Millisecond }

// jitter is always half of what it may be. Where there are several nameservers it varies, always in the same way: what
// happens at one instant happens in no order.
func (n *nameserver) jitter() func() float64 {
	if !n.several() {
		return func() float64 { return 0.5 }
	}
	var calls atomic.Int64
	return func() float64 {
		_, part := math.Modf(0.5 + 0.0618*float64(calls.Add(1)) + 0.019*float64(n.place))
		return part
	}
}

// wakeUp stands for the command that starts a cold deployment.
func (n *nameserver) wakeUp(pool, deployment string) []string {
	p := n.controller.Status().Set.Pool(pool)
	n.say(true, "runs: %s", strings.Join(p.Deployment(deployment).StartCommand(pool), " "))
	return nil
}

// dial is this nameserver's way to the deployments.
func (n *nameserver) dial(ctx context.Context, network, address string) (net.Conn, error) {
	return n.network.dial(ctx, n.name, n.place, address)
}

// kill takes what is on disk now: whatever the process still writes or says is lost.
func (n *nameserver) kill() {
	if n.ctx == nil {
		return
	}
	synctest.Wait()
	copied := filepath.Join(n.t.TempDir(), "state")
	n.must(os.CopyFS(copied, os.DirFS(n.config.State)))
	n.network.unplug(n)
	n.end()
	n.must(os.RemoveAll(n.config.State))
	n.must(os.CopyFS(n.config.State, os.DirFS(copied)))
}

// load reads the zones. They are decided for in the background: a nameserver that joins others waits for their word.
func (n *nameserver) load() {
	set, problems := n.loader.Load(n.config)
	n.problems(problems)
	if set == nil {
		n.print("nothing to serve")
		return
	}
	for _, z := range set.Zones {
		if z.Stale != "" {
			n.print("%s stale: %s", z.Name, z.Stale)
		}
	}
	ctx, controller := n.ctx, n.controller
	go func() {
		if n.several() {
			time.Sleep(n.late() + 5*time.Millisecond)
		}
		if err := controller.Use(ctx, set); err != nil && !errors.Is(err, context.Canceled) {
			n.t.Error(err)
		}
	}()
}

func (n *nameserver) problems(problems zones.Problems) {
	for _, p := range problems {
		n.print("%s", p.String())
	}
}

func (n *nameserver) order(args []string) {
	o := failover.Order{Verb: failover.Verb(args[0]), Pool: args[1], Who: "alice"}
	rest := args[2:]
	for len(rest) > 0 {
		switch rest[0] {
		case "in":
			o.At, rest = time.Now().Add(n.duration(rest[1])), rest[1:]
		case "for":
			o.For, rest = n.duration(rest[1]), rest[1:]
		case "force":
			o.Force = true
		case "because":
			o.Why, rest = strings.Join(rest[1:], " "), rest[:1]
		default:
			o.Deployment = rest[0]
		}
		rest = rest[1:]
	}
	if err := n.controller.Do(n.t.Context(), o); err != nil {
		n.print("%v", err)
	}
}

// pools are those that the nameserver decides for.
func (n *nameserver) pools() []*zones.Pool {
	if n.controller == nil || n.controller.Status().Set == nil {
		return nil
	}
	return n.controller.Status().Set.Pools
}
