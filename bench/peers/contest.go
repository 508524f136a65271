package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/livens/livens/failover"
	"github.com/livens/livens/web"
)

const (
	serverAddr = "10.77.0.1"
	clientAddr = "10.77.0.2"
)

// In queries a second, more than any server answers on one core: overload with all of the kernel's work, ample without that of receiving,
// which the load generator's core has then besides its own.
const (
	overload = 1_200_000
	ample    = 600_000
	// usual is less than any server answers on one core: that of a nameserver which sleeps and wakes up.
	usual = 100_000
)

// contest is one run.
type contest struct {
	ctx     context.Context
	binary  string
	dir     string
	rounds  int
	seconds int
	only    string
	names   []string // of peers; none: all
	million bool

	plain *wire // of all that have no XDP
	ports int
	half  int // queries a second: half of what the best peer answers
}

func (c *contest) wants(work string) bool { return c.only == "" || strings.Contains(c.only, work) }

// measure fills in the report; after an error it holds what was measured by then.
func (c *contest) measure(r *report) error {
	if err := c.writeData(); err != nil {
		return err
	}
	var err error
	if c.plain, err = newWire(false); err != nil {
		return err
	}
	var all []*running
	defer func() {
		for _, s := range all {
			s.stop()
		}
	}()
	for _, s := range c.servers() {
		if s.program != c.binary && len(c.names) > 0 && !slices.Contains(c.names, s.name) {
			continue
		}
		v := version(s)
		progress("starting %s", v)
		if strings.Trim(c.only, "mn") == "" && c.only != "" { // no load is asked for
			r.Servers, r.Versions = append(r.Servers, s.name), append(r.Versions, v)
			continue
		}
		one, err := c.start(s, zone{poolZone, filepath.Join(c.dir, "pool.zone")}, zone{largeZone, filepath.Join(c.dir, "large.zone")})
		if err != nil {
			return err
		}
		all = append(all, one)
		r.Servers = append(r.Servers, s.name)
		r.Versions = append(r.Versions, v)
	}
	for _, work := range c.works() {
		if !c.wants(work.letter) {
			continue
		}
		if err := c.rotate(r, all, work); err != nil {
			return err
		}
	}
	for _, s := range all {
		s.stop()
	}
	if all = nil; c.million && (c.wants("m") || c.wants("n")) {
		err = c.vast(r)
	}
	return err
}

// version is the server's name and version, as it tells them itself.
func version(s server) string {
	arg := map[string]string{livens: "version", livensXDP: "version", "NSD": "-v", "BIND": "-v", "gdnsd": "version"}[s.name]
	if arg == "" {
		arg = "--version"
	}
	out, _ := exec.Command(s.program, arg).CombinedOutput()
	for _, word := range strings.Fields(string(out)) {
		word = strings.Trim(word, ",:()'\"")
		if strings.ContainsAny(word, "0123456789") && !strings.HasPrefix(word, "go1") && strings.Contains(word, ".") {
			return s.name + " " + word
		}
	}
	return s.name
}

// work is one kind of load, which gives figures by name.
type work struct {
	letter, title string
	// short has servers asked one by one twice as often, and for half as long at most: how fast a flood is answered changes from one to the
	// next, probably with which of the host's processors both cores are, and a longer one is no surer.
	short   bool
	measure func(r *running, seconds int) (map[string]float64, error)
	// together, unless nil, gives a further figure, of all servers without XDP at once: its values by server.
	together func(all []*running, seconds int) (map[string]float64, error)
	figure   string
}

func (c *contest) works() []work {
	return []work{
		c.overUDP("a", "(a) one pool's name", "pool.txt"),
		c.overUDP("b", "(b) 100,000 records", "large.txt"),
		{letter: "e", title: "(a) 100,000 times a second", measure: c.asUsual},
		{letter: "c", title: "(c) the same over TCP", measure: func(r *running, seconds int) (map[string]float64, error) {
			if r.xdp {
				return nil, nil // TCP is as without
			}
			s, err := c.askTCP(r, "large.txt", seconds)
			return map[string]float64{"c: answered for each second of processor time": s.perCPU()}, err
		}},
		{letter: "l", title: "latency at half load", measure: c.atHalf},
		{letter: "d", title: "(d) switches during (a)", measure: c.switching},
	}
}

// overUDP floods servers twice: once with what the kernel does to receive on the load generator's core, where it is nobody's account, and
// all that have no XDP share that flood; once with all of it on the server's.
func (c *contest) overUDP(letter, title, list string) work {
	each := letter + ": answered for each second of processor time"
	return work{
		letter: letter, title: title, short: true, figure: each,
		together: func(all []*running, seconds int) (map[string]float64, error) {
			if err := c.plain.steer(loadCore); err != nil {
				return nil, err
			}
			return c.share(all, list, ample, seconds*len(all))
		},
		measure: func(r *running, seconds int) (map[string]float64, error) {
			figures := map[string]float64{}
			if r.xdp { // it has an interface of its own
				if err := r.site.wire.steer(loadCore); err != nil {
					return nil, err
				}
				s, err := c.flood(r, list, ample, seconds)
				if err != nil {
					return nil, err
				}
				figures[each] = s.perCPU()
			}
			if err := r.site.wire.steer(serverCore); err != nil {
				return nil, err
			}
			most, err := c.flood(r, list, overload, seconds)
			figures[letter+": answered at saturation, a second"] = most.perSecond()
			return figures, err
		},
	}
}

// asUsual asks for less than a server can answer.
func (c *contest) asUsual(r *running, seconds int) (map[string]float64, error) {
	if err := r.site.wire.steer(loadCore); err != nil {
		return nil, err
	}
	s, err := c.flood(r, "pool.txt", usual, seconds)
	return map[string]float64{"e: 100,000 a second, answered for each second of processor time": s.perCPU()}, err
}

// atHalf probes at half of what the best peer answers.
func (c *contest) atHalf(r *running, seconds int) (map[string]float64, error) {
	if err := r.site.wire.steer(serverCore); err != nil {
		return nil, err
	}
	l, err := c.beside(r, func() error {
		_, err := c.flood(r, "pool.txt", c.half, seconds)
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(l.Trips) == 0 {
		return nil, fmt.Errorf("no probe of %d came back", l.Lost)
	}
	slices.Sort(l.Trips)
	figures := map[string]float64{"l: lost": float64(l.Lost)}
	for name, q := range map[string]float64{"p50": 0.5, "p99": 0.99, "p99.9": 0.999} {
		figures["l: "+name+" at half load, µs"] = l.Trips[int(q*float64(len(l.Trips)-1))] * 1e6
	}
	return figures, nil
}

// switching compares a switch every second with none, at half load and at saturation. It is livens' alone: the others have no pool.
func (c *contest) switching(r *running, seconds int) (map[string]float64, error) {
	if r.program != c.binary {
		return nil, nil
	}
	if err := r.site.wire.steer(serverCore); err != nil {
		return nil, err
	}
	client, err := web.NewClient(r.site.state())
	if err != nil {
		return nil, err
	}
	ratio, err := c.saturated(r, client, max(8, 6*seconds))
	if err != nil {
		return nil, err
	}
	var half sample
	var l latencies
	err = meanwhile(c.ctx, r, client, func() error {
		l, err = c.beside(r, func() (err error) {
			half, err = c.flood(r, "pool.txt", c.half, seconds)
			return err
		})
		return err
	})
	return map[string]float64{
		"d: at saturation, against (a)":   ratio,
		"d: lost at half load":            half.sent - half.answered,
		"d: lost or wrong, of the probes": float64(l.Lost + l.Wrong),
	}, err
}

// saturated is what is answered in the seconds of a flood in which the pool is switched, for each query that is answered in those without: by
// turns without, with, with, without, so that a machine that becomes faster or slower meanwhile favours neither.
func (c *contest) saturated(r *running, client *web.Client, seconds int) (ratio float64, err error) {
	w := r.site.wire
	over := c.begin(w, r.site.port, "pool.txt", overload, seconds)
	var answered []float64 // in each second
	with := func(second int) bool { return (second+1)/2%2 == 1 }
	for second := 0; ; second++ {
		start := time.Now()
		before, err := w.sent()
		if err != nil {
			return 0, err
		}
		if with(second) {
			if err := r.switchOver(c.ctx, client); err != nil {
				return 0, err
			}
		}
		select {
		case end := <-over:
			if end.err != nil {
				return 0, end.err
			}
			return movingToStill(answered, with)
		case <-time.After(time.Until(start.Add(time.Second))):
		}
		after, err := w.sent()
		if err != nil {
			return 0, err
		}
		answered = append(answered, (after-before)/time.Since(start).Seconds())
	}
}

// movingToStill compares the seconds of a flood with and those without a switch. The first and the last one in which there were answers are
// not whole, and before and behind them is hardly any.
func movingToStill(answered []float64, with func(second int) bool) (ratio float64, err error) {
	most := slices.Max(append(answered, 0))
	flows := func(n float64) bool { return n > most/20 }
	first := slices.IndexFunc(answered, flows)
	last := len(answered) - 1
	for last > first && !flows(answered[last]) {
		last--
	}
	var moving, still []float64
	for second := first + 1; second < last; second++ {
		if with(second) {
			moving = append(moving, answered[second])
		} else {
			still = append(still, answered[second])
		}
	}
	if len(moving) == 0 || len(still) == 0 {
		return 0, fmt.Errorf("answers in each second: %.0f: too few to compare those with a switch and those without", answered)
	}
	return mean(moving) / mean(still), nil
}

func mean(values []float64) (sum float64) {
	for _, v := range values {
		sum += v / float64(len(values))
	}
	return sum
}

// meanwhile has the pool switched every second until what is done.
func meanwhile(ctx context.Context, r *running, client *web.Client, what func() error) error {
	switching, stop := context.WithCancel(ctx)
	failed := make(chan error, 1)
	go func() { failed <- r.toAndFro(switching, client) }()
	err := what()
	stop()
	return errors.Join(err, <-failed)
}

func (r *running) toAndFro(ctx context.Context, client *web.Client) error {
	tick := time.Tick(time.Second)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick:
		}
		if err := r.switchOver(context.WithoutCancel(ctx), client); err != nil {
			return err
		}
	}
}

// switchOver has the pool go to its other deployment; after its start it is at the primary one.
func (r *running) switchOver(ctx context.Context, client *web.Client) error {
	to := []string{"redundant", "primary"}[r.switches%2]
	r.switches++
	o := failover.Order{Verb: failover.DoFailover, Pool: "chat", Deployment: to, Who: "bench"}
	if _, err := client.Order(ctx, o); err != nil {
		return fmt.Errorf("switch %d: %w", r.switches, err)
	}
	return nil
}

// rotate gives every server its turn in every round, each time beginning with another one.
func (c *contest) rotate(r *report, all []*running, w work) error {
	if strings.Contains("ld", w.letter) && c.half == 0 {
		if c.half = int(r.bestPeer("a: answered at saturation, a second") / 2); c.half == 0 {
			return fmt.Errorf("half load is half of what the best peer answers in (a): measure that, too")
		}
	}
	rounds, seconds := c.rounds, c.seconds
	if w.short {
		rounds, seconds = 2*rounds, max(1, seconds/2)
	}
	var plain []*running
	for _, s := range all {
		if !s.xdp {
			plain = append(plain, s)
		}
	}
	for round := range rounds {
		if w.together != nil && round < c.rounds {
			progress("%s, round %d of %d: all without XDP, in one flood", w.title, round+1, c.rounds)
			figures, err := w.together(plain, c.seconds)
			if err != nil {
				return fmt.Errorf("%s, together: %w", w.title, err)
			}
			for server, v := range figures {
				r.add(w.figure, server, v)
			}
		}
		for i := range all {
			s := all[(i+round)%len(all)]
			progress("%s, round %d of %d: %s", w.title, round+1, rounds, s.name)
			figures, err := w.measure(s, seconds)
			if err != nil {
				return fmt.Errorf("%s, %s: %w", w.title, s.name, err)
			}
			for name, v := range figures {
				r.add(name, s.name, v)
			}
			if c.ctx.Err() != nil {
				return c.ctx.Err()
			}
		}
	}
	return nil
}
