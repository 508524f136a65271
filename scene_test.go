package livens_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"

	"github.com/livens/livens/checker"
	"github.com/livens/livens/dnsserver"
	"github.com/livens/livens/failover"
	"github.com/livens/livens/zones"
)

// newServer is a DNS server on loopback. It lives outside the bubble of fake time, for sockets wait in real time.
func newServer(t *testing.T) *dnsserver.Server {
	server, err := dnsserver.New(dnsserver.Options{
		Config: zones.DNSConfig{UDPSize: 1232, TCPIdle: time.Second, TCPLimit: 10, TCPPerClient: 10, DebugNames: true},
		Name:   "ns1", Listen: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- server.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return server
}

// scene is one nameserver in a scenario, and the deployments that it watches.
type scene struct {
	t       *testing.T
	server  *dnsserver.Server
	network *network
	folder  string
	began   time.Time

	config     *zones.Config
	loader     *zones.Loader
	controller *failover.Controller
	end        func()
	shown      map[string]string // by pool: what was printed of it last
	mu         sync.Mutex
	printed    strings.Builder
}

func newStage(t *testing.T, server *dnsserver.Server) *scene {
	s := &scene{t: t, server: server, network: newNetwork(), folder: t.TempDir(), began: time.Now(), end: func() {}}
	for _, dir := range []string{"zones", "state"} {
		s.must(os.Mkdir(filepath.Join(s.folder, dir), 0o700))
	}
	s.write("livens.toml", "name = \"ns1\"\nstate = \"state\"\n")
	return s
}

func (s *scene) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *scene) write(name, text string) {
	s.must(os.WriteFile(filepath.Join(s.folder, name), []byte(text), 0o600))
}

func (s *scene) print(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.printed.WriteString(s.relative(fmt.Sprintf(format, args...)) + "\n")
}

// do carries out one step and returns what it printed.
func (s *scene) do(args []string, body string) string {
	s.mu.Lock()
	s.printed.Reset()
	s.mu.Unlock()
	switch args[0] {
	case "zone": // zone FILE: its body is the file; FOLDER in it stands for the scenario's folder
		s.write(filepath.Join("zones", args[1]), strings.ReplaceAll(body, "FOLDER", s.folder)+"\n")
	case "file": // file NAME WORDS: a state file with these words
		s.write(args[1], strings.Join(args[2:], " ")+"\n")
	case "remove": // remove FILE
		s.must(os.Remove(filepath.Join(s.folder, "zones", args[1])))
	case "config": // its body is livens.toml
		s.write("livens.toml", "name = \"ns1\"\nstate = \"state\"\n"+body+"\n")
	case "host": // host ADDRESS up|refused|silent|frozen, or host ADDRESS /path STATUS
		s.network.set(args[1], args[2:])
	case "start":
		s.start()
	case "halt": // stop until the next start
		s.end()
		s.end = func() {}
	case "restart": // as after kill -9: what the state folder holds is all that is left
		s.restart()
	case "damage": // damage STATEFILE: cut it short
		s.must(os.Truncate(filepath.Join(s.folder, "state", args[1]), 20))
	case "reload":
		s.load()
	case "advance": // advance DURATION
		d, err := time.ParseDuration(args[1])
		s.must(err)
		time.Sleep(d)
	case "order": // order VERB POOL [DEPLOYMENT] [in DURATION] [for DURATION] [force] [because WORDS]
		s.order(args[1:])
	case "ask": // ask NAME TYPE
		s.ask(args[1], args[2])
	case "status":
		s.status()
	case "alerts":
		for _, a := range s.controller.Alerts(time.Now()) {
			s.print("%s %s, %s: %s", a.Severity, a.Code, a.Affects, a.Text)
		}
	case "explain": // explain POOL
		d := s.controller.Status().Decisions[args[1]]
		for _, step := range d.Steps {
			s.print("%s", step)
		}
		s.print("so %s: %s", strings.Join(d.Active, ", "), d.Reason)
		if d.Pending != "" {
			s.print("pending: %s", d.Pending)
		}
	default:
		s.t.Fatalf("no such command: %q", args)
	}
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.printed.String()
}

// start brings up a nameserver on the folder as it is.
func (s *scene) start() {
	s.shown = map[string]string{}
	s.loader = zones.NewLoader()
	config, problems := zones.LoadConfig(filepath.Join(s.folder, "livens.toml"))
	s.problems(problems)
	s.config = config
	c := checker.New(checker.Options{
		Name: config.Name, Dial: s.network.dial, Jitter: func() float64 { return 0.5 },
	})
	s.controller = failover.NewController(failover.Options{
		State: config.State, Checker: c, Log: slog.New(slog.DiscardHandler),
		Publish: func(p failover.Publication) { s.server.Publish(p); s.show(p) },
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 2)
	go func() { done <- c.Run(ctx) }()
	go func() { done <- s.controller.Run(ctx) }()
	s.end = func() {
		cancel()
		for range 2 {
			s.must(<-done)
		}
	}
	s.load()
}

func (s *scene) stop() {
	s.end()
	s.network.close()
	synctest.Wait()
}

// restart takes what is on disk now, and starts on a copy of it: whatever the old process still writes is lost.
func (s *scene) restart() {
	synctest.Wait()
	copied := filepath.Join(s.t.TempDir(), "state")
	s.must(os.CopyFS(copied, os.DirFS(s.config.State)))
	s.end()
	s.must(os.RemoveAll(s.config.State))
	s.must(os.CopyFS(s.config.State, os.DirFS(copied)))
	s.start()
}

func (s *scene) load() {
	set, problems := s.loader.Load(s.config)
	s.problems(problems)
	if set == nil {
		s.print("nothing to serve")
		return
	}
	for _, z := range set.Zones {
		if z.Stale != "" {
			s.print("%s stale: %s", z.Name, z.Stale)
		}
	}
	s.must(s.controller.Use(s.t.Context(), set))
}

func (s *scene) problems(problems zones.Problems) {
	for _, p := range problems {
		s.print("%s", p.String())
	}
}

// changing are the parts of messages that differ from run to run: times of files.
var changing = regexp.MustCompile(`(version of) [-0-9]+ [:0-9]+ UTC`)

func (s *scene) relative(text string) string {
	return changing.ReplaceAllString(strings.ReplaceAll(text, s.folder+"/", ""), "$1 TIME")
}

// show prints the decisions that changed.
func (s *scene) show(p failover.Publication) {
	for _, pool := range p.Set.Pools {
		d := p.Decisions[pool.Name]
		addresses := make([]string, len(d.Addresses))
		for i, a := range d.Addresses {
			addresses[i] = a.String()
		}
		text := fmt.Sprintf("%s answers %s (%s) TTL %d: %s", d.Pool, strings.Join(addresses, " "), strings.Join(d.Active, ", "), d.TTL, d.Reason)
		if s.shown[d.Pool] != text {
			s.shown[d.Pool] = text
			s.print("%s %s", s.clock(time.Now()), text)
		}
	}
}

func (s *scene) clock(t time.Time) string { return fmt.Sprintf("%6.1fs", t.Sub(s.began).Seconds()) }

func (s *scene) order(args []string) {
	o := failover.Order{Verb: failover.Verb(args[0]), Pool: args[1], Who: "alice"}
	rest := args[2:]
	for len(rest) > 0 {
		switch rest[0] {
		case "for":
			d, err := time.ParseDuration(rest[1])
			s.must(err)
			o.For, rest = d, rest[1:]
		case "in":
			d, err := time.ParseDuration(rest[1])
			s.must(err)
			o.At, rest = time.Now().Add(d), rest[1:]
		case "force":
			o.Force = true
		case "because":
			o.Why, rest = strings.Join(rest[1:], " "), rest[:1]
		default:
			o.Deployment = rest[0]
		}
		rest = rest[1:]
	}
	if err := s.controller.Do(s.t.Context(), o); err != nil {
		s.print("%v", err)
	}
}

// ask sends a real query. The answer comes in real time, in which the fake clock stands still.
func (s *scene) ask(name, qtype string) {
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(s.server.Addrs()[0]))
	s.must(err)
	defer conn.Close()
	query, err := new(dns.Msg).SetQuestion(dns.Fqdn(name), dns.StringToType[qtype]).Pack()
	s.must(err)
	_, err = conn.Write(query)
	s.must(err)
	buf := make([]byte, 4096)
	n, err := conn.Read(buf)
	s.must(err)
	var reply dns.Msg
	s.must(reply.Unpack(buf[:n]))
	if reply.Rcode != dns.RcodeSuccess || len(reply.Answer) == 0 {
		s.print("%s, %d answers", dns.RcodeToString[reply.Rcode], len(reply.Answer))
	}
	for _, rr := range reply.Answer {
		s.print("%s", strings.ReplaceAll(rr.String(), "\t", " "))
	}
}

func (s *scene) status() {
	decisions := s.controller.Status().Decisions
	for _, pool := range slices.Sorted(maps.Keys(decisions)) {
		d := decisions[pool]
		for _, x := range d.Deployments {
			line := fmt.Sprintf("%s %s: %s since %s (%s)", pool, x.Name, x.State, strings.TrimSpace(s.clock(x.Since)), x.Reason)
			if x.Drained != "" {
				line += "; drained"
			}
			if x.Gate != failover.NoGate {
				line += fmt.Sprintf("; gate %s (%s)", x.Gate, x.GateWhy)
			}
			if x.Answers {
				line += "; answers"
			}
			s.print("%s", line)
		}
		if d.Pending != "" {
			s.print("%s pending: %s", pool, d.Pending)
		}
	}
}
