package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/livens/livens/failover"
	"github.com/livens/livens/internal/stage"
)

// story is what the tour shows, told from what is asked of the nameservers all the while.
type story struct {
	binary             string
	servers            []*server
	primary, redundant *stage.Deployment
	names              map[netip.Addr]string
	began              time.Time
	visitor            *visitor

	apart    time.Duration // between the first and the last nameserver's switch, when the primary died
	ordered  time.Duration // until an order at one nameserver was in the answers of all
	planned  time.Duration // between the first and the last nameserver's planned switch
	returned netip.Addr    // the first answer of the nameserver that came back
}

const (
	lookOn   = 1500 * time.Millisecond // between the acts
	patience = 30 * time.Second        // for what must happen
	lookup   = 20 * time.Millisecond   // between two looks at whether it has
)

func (s *story) tell(ctx context.Context) error {
	s.began = time.Now()
	if err := s.meet(ctx); err != nil {
		return err
	}
	watching, stop := context.WithCancel(ctx)
	var watchers sync.WaitGroup
	defer func() { stop(); watchers.Wait() }()
	if err := s.watch(watching, &watchers); err != nil {
		return err
	}
	for _, act := range []func(context.Context) error{
		s.look, s.loseDeployment, s.mend, s.loseNameserver, s.orderMeanwhile, s.comeBack, s.plan, s.orderAtOne,
	} {
		if err := act(ctx); err != nil {
			return err
		}
		if err := pause(ctx, lookOn); err != nil {
			return err
		}
	}
	return s.sum(ctx)
}

// meet starts the nameservers, and waits until each has heard the others.
func (s *story) meet(ctx context.Context) error {
	fmt.Printf("\n%s\n\n", bold("livens: three nameservers, two deployments, one answer"))
	for _, n := range s.servers {
		fmt.Printf("  %s        %s\n", n.Name, n.DNS)
	}
	fmt.Printf("  primary    %s\n  redundant  %s\n\n", s.primary.Addr, s.redundant.Addr)
	s.say("the nameservers start, each a process with its own files and checks")
	if err := s.startAll(ctx); err != nil {
		return err
	}
	err := s.until(ctx, func() bool {
		return !slices.ContainsFunc(s.servers, func(n *server) bool {
			status, err := n.ns.Client.Status(ctx)
			return err != nil || status.Cluster.Reach < len(s.servers)
		})
	})
	s.say("they have found each other")
	return err
}

// watch has everybody ask from now on.
func (s *story) watch(ctx context.Context, watchers *sync.WaitGroup) error {
	s.visitor = &visitor{}
	for _, n := range s.servers {
		one, err1 := n.ns.Asker()
		two, err2 := n.ns.Asker()
		if err := errors.Join(err1, err2); err != nil {
			return err
		}
		n.eye = &eye{asker: one}
		s.visitor.askers = append(s.visitor.askers, two)
		watchers.Go(func() { n.eye.run(ctx) })
	}
	watchers.Go(func() { s.visitor.run(ctx) })
	return nil
}

func (s *story) look(ctx context.Context) error {
	err := s.untilAll(ctx, s.servers, s.primary)
	s.say("all answer %s → %s; each is asked every 5 ms", name, bold(s.primary.Name))
	return err
}

func (s *story) loseDeployment(ctx context.Context) error {
	before, killed := s.visitor.met(), time.Now()
	s.primary.Kill()
	s.say("%s is killed (kill -9)", bold("primary"))
	if err := s.untilAll(ctx, s.servers, s.redundant); err != nil {
		return err
	}
	s.apart = s.switched(s.servers, killed, killed)
	met := s.visitor.met()
	note("apart by %s; %d of %d questions meanwhile without an address", bold(milliseconds(s.apart)), met.silent-before.silent, met.asked-before.asked)
	return s.why(ctx, s.servers[0])
}

func (s *story) mend(ctx context.Context) error {
	if err := s.primary.Start(ctx); err != nil {
		return err
	}
	s.say("primary is started again; failback = manual: nothing moves unasked")
	return s.until(ctx, func() bool {
		status, err := s.servers[0].ns.Client.Status(ctx)
		return err == nil && status.Pool("chat").Deployments[0].State.String() == "up"
	})
}

func (s *story) loseNameserver(ctx context.Context) error {
	met := s.visitor.met()
	s.servers[2].ns.Kill()
	s.say("%s is killed; ns1 and ns2 answer on, a majority", bold("ns3"))
	if err := pause(ctx, lookOn); err != nil {
		return err
	}
	now := s.visitor.met()
	note("of %d questions %d met ns3, and went to another; %d had no answer", now.asked-met.asked, now.again-met.again, now.silent-met.silent)
	return nil
}

func (s *story) orderMeanwhile(ctx context.Context) error {
	left := s.servers[:2]
	began := time.Now()
	if err := s.command(ctx, left[0], "failback", "chat"); err != nil {
		return err
	}
	if err := s.untilAll(ctx, left, s.primary); err != nil {
		return err
	}
	s.switched(left, began, began)
	return nil
}

func (s *story) comeBack(ctx context.Context) error {
	n := s.servers[2]
	began := time.Now()
	s.say("%s is started again; when it went, redundant answered", bold("ns3"))
	if err := n.start(ctx, s.binary); err != nil {
		return err
	}
	if err := s.until(ctx, func() bool { return n.eye.after(began).addr.IsValid() }); err != nil {
		return err
	}
	first := n.eye.after(began)
	s.returned = first.addr
	note("its first answer, after %s: %s, as the others decided", milliseconds(first.at.Sub(began)), bold(s.names[first.addr]))
	return nil
}

// planAhead is at least how long before a planned switch it is ordered: the TTL, and time for a busy machine.
const planAhead = 8 * time.Second

func (s *story) plan(ctx context.Context) error {
	ordered := time.Now()
	at := ordered.Add(planAhead + time.Second).Truncate(time.Second)
	o := failover.Order{Verb: failover.DoFailover, Pool: "chat", Deployment: "redundant", At: at, Who: "tour", Why: "db upgrade"}
	if _, err := s.servers[0].ns.Client.Order(ctx, o); err != nil {
		return err
	}
	s.say("at ns1: %s", bold("failover to redundant planned for "+at.Format("15:04:05")))
	if err := s.until(ctx, func() bool { return s.ttl(ctx) == "1 1 1" }); err != nil {
		return err
	}
	note("until then all three answer with TTL 1 instead of 5")
	if err := s.untilAll(ctx, s.servers, s.redundant); err != nil {
		return err
	}
	s.say("it is %s", at.Format("15:04:05"))
	s.planned = s.switched(s.servers, ordered, at)
	return nil
}

func (s *story) orderAtOne(ctx context.Context) error {
	began := time.Now()
	if err := s.command(ctx, s.servers[2], "failback", "chat"); err != nil {
		return err
	}
	if err := s.untilAll(ctx, s.servers, s.primary); err != nil {
		return err
	}
	s.ordered = s.servers[2].eye.after(began).at.Sub(began) + s.switched(s.servers, began, began)
	return nil
}

// ttl is what the nameservers answer with.
func (s *story) ttl(ctx context.Context) string {
	var all []string
	for _, n := range s.servers {
		if status, err := n.ns.Client.Status(ctx); err == nil {
			all = append(all, fmt.Sprint(status.Pool("chat").TTL))
		}
	}
	return strings.Join(all, " ")
}

// sum prints how the visitor fared, and what a nameserver has to say.
func (s *story) sum(ctx context.Context) error {
	met := s.visitor.met()
	fmt.Printf("\n  a visitor, who asked the three in turn: %d questions, %s\n\n", met.asked, bold(fmt.Sprintf("%d without an answer", met.silent)))
	fmt.Println("  " + bold("livens status") + " at ns2:\n")
	cmd := exec.CommandContext(ctx, s.binary, "status", "--config", s.servers[1].ns.Config)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd.Run()
}

// command runs livens against one nameserver, and shows it with what it says.
func (s *story) command(ctx context.Context, n *server, args ...string) error {
	shown := make([]string, len(args))
	for i, a := range args {
		shown[i] = a
		if strings.Contains(a, " ") {
			shown[i] = fmt.Sprintf("%q", a)
		}
	}
	s.say("at %s: %s", n.Name, bold("livens "+strings.Join(shown, " ")))
	out, err := exec.CommandContext(ctx, s.binary, append(args, "--config", n.ns.Config)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("livens %s: %w: %s", shown, err, out)
	}
	quote(string(out))
	return nil
}

// switched tells how long after zero each of the nameservers answered something else than before since, and returns how
// far apart.
func (s *story) switched(servers []*server, since, zero time.Time) time.Duration {
	sorted := slices.SortedFunc(slices.Values(servers), func(a, b *server) int {
		return a.eye.after(since).at.Compare(b.eye.after(since).at)
	})
	var parts []string
	for _, n := range sorted {
		parts = append(parts, n.Name+" after "+milliseconds(n.eye.after(since).at.Sub(zero)))
	}
	first, last := sorted[0].eye.after(since), sorted[len(sorted)-1].eye.after(since)
	note("%s → %s", strings.Join(parts, ", "), bold(s.names[first.addr]))
	return last.at.Sub(first.at)
}

// why prints a nameserver's own reason for its last decision.
func (s *story) why(ctx context.Context, n *server) error {
	status, err := n.ns.Client.Status(ctx)
	if err == nil {
		quote(status.Pool("chat").Reason)
	}
	return err
}

func (s *story) untilAll(ctx context.Context, servers []*server, d *stage.Deployment) error {
	return s.until(ctx, func() bool {
		return !slices.ContainsFunc(servers, func(n *server) bool { return n.eye.now() != d.Addr.Addr() })
	})
}

// until waits for what must happen.
func (s *story) until(ctx context.Context, done func() bool) error {
	limit := time.After(patience)
	for !done() {
		select {
		case <-limit:
			return errors.New("what should have happened did not; see " + s.servers[0].ns.Log)
		default:
		}
		if err := pause(ctx, lookup); err != nil {
			return err
		}
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
