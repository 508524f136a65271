package web

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"github.com/livens/livens/checker"
	"github.com/livens/livens/cluster"
	"github.com/livens/livens/events"
	"github.com/livens/livens/failover"
	"github.com/livens/livens/zones"
	"github.com/miekg/dns"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func ago(d time.Duration) time.Time { return noon.Add(-d) }

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

// sampleSet is a zone with a pool that has a gate, records, a delegation, a DNAME, a wildcard and an empty
// non-terminal; and another zone.
func sampleSet(t testing.TB) *zones.Set {
	t.Helper()
	check := &zones.Check{Kind: zones.HTTP, Port: 80, Path: "/healthz", Method: "GET", Interval: time.Second, FastInterval: time.Second, Timeout: time.Second, Fall: 4, Rise: 3}
	second := *check
	second.Port = 8080
	sync := *check
	sync.Path = "/syncz"
	chat := &zones.Pool{
		Name: "chat", Zone: "chat.example.", Answers: []string{"chat.example.", "www.chat.example.", "*.eu.chat.example."},
		Policy: zones.Failover, TTL: 10, TTLMin: 5, Failback: zones.Gated, FailbackDelay: time.Minute, AllDown: zones.LastGood,
		MaxFailbacks: 4, Checks: []*zones.Check{check, &second}, Sync: &sync,
		Deployments: []*zones.Deployment{
			{Name: "primary", Site: "fra", Addresses: []netip.Addr{addr("203.0.113.10"), addr("2001:db8:1::10")}},
			{Name: "redundant", Site: "ams", Addresses: []netip.Addr{addr("198.51.100.20")}, Probe: []netip.Addr{addr("10.0.0.20")}},
		},
	}
	follower := &zones.Pool{
		Name: "ws", Zone: "chat.example.", Answers: []string{"ws.chat.example."}, Policy: zones.Failover, TTL: 10, TTLMin: 5,
		AllDown: zones.LastGood, MaxFailbacks: 4, Follow: "chat",
		Deployments: []*zones.Deployment{
			{Name: "primary", Addresses: []netip.Addr{addr("203.0.113.11")}},
			{Name: "redundant", Addresses: []netip.Addr{addr("198.51.100.21")}},
		},
	}
	return &zones.Set{
		Pools: []*zones.Pool{chat, follower},
		Zones: []*zones.Zone{
			{
				Name: "chat.example.", File: "chat.example.toml", Hash: [32]byte{1, 2, 3}, Pools: []*zones.Pool{chat, follower},
				Records: records(t, "chat.example. 300 SOA ns1 host 0 1 1 1 60", "chat.example. 300 NS ns1.chat.example.",
					"ns1.chat.example. 300 A 192.0.2.53", "sub.chat.example. 300 NS ns.elsewhere.example.",
					"old.chat.example. 300 DNAME new.example.", "*.chat.example. 300 TXT wild", "alias.chat.example. 300 CNAME www.chat.example.",
					"one.chat.example. 300 CNAME two.chat.example.", "two.chat.example. 300 CNAME one.chat.example.",
					"moved.chat.example. 300 DNAME eu.chat.example.", "a.b.chat.example. 300 A 192.0.2.1"),
			},
			{
				Name: "static.example.", File: "static.toml", FixedSerial: true, Stale: "static.toml:3: <b>broken</b>",
				Records: records(t, "static.example. 300 SOA ns1 host 77 1 1 1 60", "www.static.example. 300 A 192.0.2.2"),
			},
		},
	}
}

func records(t testing.TB, lines ...string) []zones.Packed {
	t.Helper()
	var out []zones.Packed
	for _, line := range lines {
		rr, err := dns.NewRR(line)
		if err != nil {
			t.Fatal(err)
		}
		packed, err := zones.Pack(rr)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, packed)
	}
	return out
}

// seen is a state of the sample: the primary is down, the redundant deployment answers.
func seen(t testing.TB) Seen {
	t.Helper()
	set := sampleSet(t)
	p := set.Pools[0]
	view, verdicts := failover.View{}, map[string]checker.Verdict{}
	stats := checker.Stats{Targets: map[string]checker.Counters{}, UnderWay: 2, Waited: 7, Late: 8}
	put := func(deployment, address string, c *zones.Check, v checker.Verdict) {
		key := checker.NewTarget(p.Name, deployment, addr(address), c).Key
		view[key], verdicts[key], stats.Targets[key] = failover.Agreed{Verdict: v}, v, checker.Counters{Probes: 100, Failures: 4, Transitions: 1}
	}
	down := checker.Verdict{State: checker.Down, Reason: "connect: <i>refused</i>", Since: ago(12 * time.Minute), At: ago(400 * time.Millisecond), Streak: -900}
	up := checker.Verdict{State: checker.Up, Reason: "HTTP 200", Since: ago(50 * time.Hour), At: ago(time.Second), Latency: 12 * time.Millisecond, Streak: 90000}
	for _, c := range append(p.Checks, p.Sync) {
		put("primary", "203.0.113.10", c, down)
		put("primary", "2001:db8:1::10", c, down)
		put("redundant", "10.0.0.20", c, up)
	}
	previous := failover.Decide(failover.Input{Pool: p, View: failover.View{}, Now: ago(60 * time.Hour)})
	overrides := []failover.Override{
		{Kind: failover.ToDrain, Pool: "chat", Deployment: "primary", Who: "alice", Why: "<script>disks</script>", At: ago(time.Hour), Until: noon.Add(time.Hour)},
		{Kind: failover.ToDrain, Pool: "chat", Deployment: "redundant", Who: "bob", At: ago(2 * time.Hour), Until: ago(time.Hour)},
		{Kind: failover.ToFailover, Pool: "chat", Deployment: "primary", Who: "carol", Why: "db upgrade", At: ago(time.Hour), From: noon.Add(2 * time.Hour), Until: noon.Add(4 * time.Hour)},
	}
	decision := failover.Decide(failover.Input{Pool: p, View: view, Previous: previous, Overrides: overrides, Now: ago(12 * time.Minute)})
	follow := failover.Decide(failover.Input{Pool: set.Pools[1], Followed: decision, Now: ago(12 * time.Minute)})
	return Seen{
		Now: noon, Verdicts: verdicts, Stats: stats,
		Failover: &failover.Status{
			Set: set, Decisions: map[string]*failover.Decision{"chat": decision, "ws": follow},
			Overrides: overrides, Serials: map[string]uint32{"chat.example.": 1795000000},
		},
	}
}

// sampleCluster is one of five: ns2 agrees, ns3 answers otherwise and has a clock that is ahead, ns4 is cut off, and the
// fifth was never heard.
func sampleCluster() *cluster.Status {
	return &cluster.Status{
		Size: 5, Reach: 3, Quorum: true, Joined: true, Teller: "ns1", Offset: -0.02, Sent: 12345, Received: 23456,
		Self:   &cluster.Report{Name: "ns1"},
		Faults: []cluster.Fault{{Kind: cluster.WrongKey, Count: 3, Last: ago(time.Minute), From: "192.0.2.66:7946", Detail: "<u>no key fits</u>"}},
		Peers: []cluster.Peer{
			{Address: "192.0.2.2:7946", Name: "ns2", Site: "ams", Version: "v1.2.3", Reached: true, Since: ago(26 * time.Hour), Heard: noon, RTT: 0.011,
				Pools: []cluster.PeerPool{{Pool: "chat", Active: []string{"redundant"}, Epoch: 2}}},
			{Address: "192.0.2.3:7946", Name: "ns3", Version: "v1.3.0", Witness: true, Reached: true, Since: ago(time.Hour), Heard: noon, RTT: 0.002, Offset: 3.2,
				Pools: []cluster.PeerPool{{Pool: "chat", Active: []string{"primary"}, Epoch: 1, Provisional: true, Apart: ago(3 * time.Second)}}},
			{Address: "192.0.2.4:7946", Name: "ns4", Version: "v1.2.3", Cut: true, Heard: ago(90 * time.Second), Error: "i/o timeout"},
			{Address: "ns5.example:7946"},
		},
	}
}

func sample(t testing.TB) *Status {
	t.Helper()
	s := &Status{
		Name: "ns1", Version: "v1.2.3", Started: ago(26 * time.Hour),
		Moderator: &ModeratorStatus{
			Listen: []string{"https://192.0.2.53:443"}, Polls: map[string]uint64{"200": 10, "304": 90}, Others: map[string]uint64{"404": 1},
			Handshakes: 4, Connections: 5, Cut: 6, Refused: 7, Expires: noon.Add(240 * time.Hour), Pace: 12.5,
			Complaint: &Complaint{At: ago(time.Minute), Text: "http: TLS handshake error from 192.0.2.9:4: <b>EOF</b>"},
		},
		Listen: Listen{DNS: []netip.AddrPort{netip.MustParseAddrPort("192.0.2.53:53")}, HTTP: "127.0.0.1:9353", Pid: 42},
		Reload: Reload{OK: false, At: ago(2 * time.Minute), LastSuccess: ago(26 * time.Hour), Cause: "file change",
			Problems: zones.Problems{{File: "zones/static.toml", Line: 3, Key: "zone.ttl", Message: "<b>unknown</b> key", Hint: "did you mean `ttl`?"},
				{Warning: true, File: "zones/chat.toml", Line: 9, Message: "TTL over 60 s"}}},
		Alerts: []failover.Alert{
			{Code: "deployment-down", Severity: failover.Warning, Affects: "pool chat, deployment primary", Text: "primary is down: connect: <i>refused</i>", Hint: "the pool has one deployment less to fall back on", Since: ago(12 * time.Minute)},
		},
	}
	s.Site, s.Hooks = "fra", []events.HookStats{{Hook: "chatops", Told: 7, Failed: 2, GivenUp: 1, Pending: 3}}
	s.Events = sampleEvents()
	s.Describe(seen(t))
	s.Cluster = sampleCluster()
	first := &s.Pool("chat").Targets[0]
	first.Votes = []Vote{{Nameserver: "ns1", State: checker.Down, Reason: "connect: <i>refused</i>"}, {Nameserver: "ns2", State: checker.Up}}
	return s
}

// sampleEvents are a verdict and the switch that followed.
func sampleEvents() []events.Happened {
	event := func(kind failover.EventKind, deployment, from, to, reason string, told, owed []string) events.Happened {
		return events.Happened{Owed: owed, Entry: events.Entry{Told: told, Event: failover.Event{
			ID: string(kind), Kind: kind, At: ago(12 * time.Minute), Node: "ns2", Pool: "chat", Deployment: deployment, From: from, To: to, Reason: reason, Epoch: 2,
		}}}
	}
	return []events.Happened{
		event(failover.EventVerdict, "primary", "up", "down", "connect: <i>refused</i>", []string{"chatops"}, nil),
		event(failover.EventSwitch, "", "primary", "redundant", "primary went down", nil, []string{"chatops"}),
	}
}

// sampleServer serves the sample and notes orders.
func sampleServer(t testing.TB) (*Server, *[]failover.Order) {
	t.Helper()
	var orders []failover.Order
	set := sampleSet(t)
	return New(Options{
		Status:  func() *Status { return sample(t) },
		Explain: func(name string) (*Explanation, error) { return sample(t).Explain(set, name) },
		Order: func(_ context.Context, o failover.Order) (*Receipt, error) {
			if o.Pool != "chat" {
				return nil, errors.Join(failover.ErrRefused, errors.New("no such pool"))
			}
			orders = append(orders, o)
			return &Receipt{Before: []string{"primary"}, Pool: sample(t).Pool("chat")}, nil
		},
		Foresee: func(_ context.Context, o failover.Order) (*Forecast, error) {
			if o.Pool != "chat" {
				return nil, failover.ErrRefused
			}
			return &Forecast{Forecast: &failover.Forecast{Pool: o.Pool, After: []string{o.Deployment}, Switch: o.At}}, nil
		},
		Events: func(n int, pool string) []events.Happened {
			if all := sampleEvents(); n >= 0 && n < len(all) {
				return all[len(all)-n:]
			}
			return sampleEvents()
		},
		Reload: func() *Reload { return &sample(t).Reload },
		Log:    slog.New(slog.DiscardHandler),
	}), &orders
}
