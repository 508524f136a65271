package main

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/livens/livens/checker"
	"github.com/livens/livens/cluster"
	"github.com/livens/livens/events"
	"github.com/livens/livens/failover"
	"github.com/livens/livens/web"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// threeNameservers is what ns1 of three knows, all being well.
func threeNameservers() *web.Status {
	address := netip.MustParseAddr("203.0.113.10")
	since := noon.Add(-50 * time.Hour)
	decision := failover.Decision{
		Pool: "chat", Active: []string{"primary"}, Addresses: []netip.Addr{address}, TTL: 10, Epoch: 17, Since: since, Reason: "first in order", Definition: "cafe0000",
		Deployments: []failover.DeploymentState{{Name: "primary", Site: "fra", State: checker.Up, Since: since, Answers: true}},
	}
	vote := func(name string) web.Vote { return web.Vote{Nameserver: name, State: checker.Up} }
	peer := func(name, at string) cluster.Peer {
		return cluster.Peer{Address: at, Name: name, Version: "v1", Reached: true, Since: since, Heard: noon, RTT: 0.011,
			Pools: []cluster.PeerPool{{Pool: "chat", Active: []string{"primary"}, Epoch: 17, Definition: "cafe0000"}},
			Zones: []cluster.PeerZone{{Zone: "example.com.", Hash: "beef0000", Serial: 5}}}
	}
	s := &web.Status{
		Name: "ns1", Site: "fra", Version: "v1", Now: noon, Started: since, Ready: true,
		Listen: web.Listen{DNS: []netip.AddrPort{netip.MustParseAddrPort("192.0.2.53:53")}},
		Cluster: &cluster.Status{Size: 3, Reach: 3, Quorum: true, Joined: true, Teller: "ns1",
			Peers: []cluster.Peer{peer("ns2", "192.0.2.2:7946"), peer("ns3", "192.0.2.3:7946")}},
		Pools: []web.Pool{{Decision: decision, Zone: "example.com.", Answers: []string{"chat.example.com."}, Targets: []web.Target{{
			Deployment: "primary", Address: address, Probed: address, Check: "http", What: "http :80/", State: checker.Up, Reason: "HTTP 200", Since: since,
			Latency: 0.012, Votes: []web.Vote{vote("ns1"), vote("ns2"), vote("ns3")},
		}}}},
		Zones: []web.Zone{{Name: "example.com.", File: "example.toml", Serial: 5, Records: 3, Hash: "beef0000"}},
	}
	s.Cluster.Peers[1].Site, s.Cluster.Peers[1].Witness = "par", true
	return s
}

func TestStatusOfAWellCluster(t *testing.T) {
	const want = `
ns1  ready, up 2 d 2 h, livens v1, 3 of 3 observers reached, DNS on 192.0.2.53:53

pool chat  chat.example.com
  primary answers  for 2 d 2 h: 203.0.113.10, TTL 10, epoch 17
  because  first in order
  → primary (fra)   up  2 d 2 h
      203.0.113.10  up  2 d 2 h  12 ms  http :80/: HTTP 200

nameservers
  ns1 (fra)  this one                  tells hooks
  ns2        reached   2 d 2 h  11 ms
  ns3 (par)  reached   2 d 2 h  11 ms  witness

zone example.com  example.toml  serial 5  3 records
`
	if got := onTerminal(0, func(p *printer) { p.status(threeNameservers()) }); "\n"+got != want {
		t.Errorf("got\n%s", got)
	}
}

func TestStatusNamesAColdDeployment(t *testing.T) {
	s := threeNameservers()
	s.Pools[0].Deployments = append(s.Pools[0].Deployments, failover.DeploymentState{Name: "spare", Cold: true, State: checker.Down, Since: noon.Add(-time.Hour), Reason: "connect: refused"})
	const want = "    spare           down  1 h             cold; connect: refused\n"
	if got := onTerminal(0, func(p *printer) { p.status(s) }); !strings.Contains(got, want) {
		t.Errorf("got\n%s", got)
	}
}

func TestStatusOfATroubledCluster(t *testing.T) {
	s := threeNameservers()
	c := s.Cluster
	c.Reach, c.Quorum, c.Teller, c.Offset = 1, false, "", 3
	s.Pools[0].Provisional = true
	s.Pools[0].Targets[0].Votes = s.Pools[0].Targets[0].Votes[:2]
	s.Pools[0].Targets[0].Votes[1] = web.Vote{Nameserver: "ns2", State: checker.Down, Reason: "timeout"}
	c.Peers[0].Pools[0] = cluster.PeerPool{Pool: "chat", Active: []string{"redundant"}, Epoch: 18, Apart: noon.Add(-3 * time.Second)}
	c.Peers[0].Version, c.Peers[0].Via, c.Peers[0].Offset, c.Peers[0].Answers = "v2", "ns3", -90, "no answer for 3 s"
	c.Peers[1].Reached, c.Peers[1].Cut, c.Peers[1].Heard, c.Peers[1].Error = false, true, noon.Add(-12*time.Second), "i/o timeout"
	s.Overrides = []failover.Override{{Kind: failover.ToDrain, Pool: "chat", Deployment: "primary", Who: "al", From: noon.Add(time.Hour)}}
	const want = `
ns1  ready, up 2 d 2 h, livens v1, 1 of 3 observers reached, too few
     to decide, DNS on 192.0.2.53:53

pool chat  chat.example.com
  primary answers  for 2 d 2 h: 203.0.113.10, TTL 10, epoch 17,
                   provisional
  but      ns2 says redundant (epoch 18), for 3 s
  because  first in order
  order    planned drain of primary by al from DATE
           OFFSET
  → primary (fra)   up  2 d 2 h
      203.0.113.10  up  2 d 2 h  12 ms  http :80/: HTTP 200
        votes                           ns1 up; ns2 down (timeout)

nameservers
  ns1 (fra)  this one                  clock 3 s behind
  ns2        reached   2 d 2 h  11 ms  livens v2; heard through ns3;
                                       clock 1 min 30 s behind; no
                                       answer for 3 s
  ns3 (par)  cut off   12 s            witness; answers DNS queries

zone example.com  example.toml  serial 5  3 records
`
	got := onTerminal(70, func(p *printer) {
		p.color = false
		p.status(s)
	})
	from := clock(noon.Add(time.Hour))
	offset := strings.LastIndex(from, " ")
	if want := strings.NewReplacer("DATE", from[:offset], "OFFSET", from[offset+1:]).Replace(want); "\n"+got != want {
		t.Errorf("got\n%s", got)
	}
}

func TestAWitnessSaysThatItAnswersNobody(t *testing.T) {
	s := threeNameservers()
	s.Witness, s.Listen.DNS = true, nil
	head, _, _ := strings.Cut(onTerminal(0, func(p *printer) { p.status(s) }), "\n")
	if !strings.HasSuffix(head, ", 3 of 3 observers reached, a witness: it answers no queries") {
		t.Error(head)
	}
}

func TestALoneNameserverSpeaksOfNoOthers(t *testing.T) {
	s := threeNameservers()
	s.Cluster, s.Pools[0].Targets[0].Votes = nil, nil
	got := onTerminal(0, func(p *printer) { p.status(s) })
	for _, word := range []string{"nameserver", "observer", "epoch", "votes"} {
		if strings.Contains(got, word) {
			t.Errorf("%q in\n%s", word, got)
		}
	}
}

func TestDiff(t *testing.T) {
	ago := noon.Add(-40 * time.Second)
	for name, c := range map[string]struct {
		change func(*cluster.Status)
		same   bool
		want   string
	}{
		"all alike": {func(*cluster.Status) {}, true, "1 zone, 1 pool: all 3 nameservers hold the same\n"},
		"another zone": {func(c *cluster.Status) {
			c.Peers[1].Zones[0] = cluster.PeerZone{Zone: "example.com.", Hash: "f00d0000", Serial: 6, Apart: ago}
			c.Peers[1].Pools[0].Definition = "babe0000"
		}, false, `
zone example.com  data differs, for 40 s
  ns1, ns2  data beef0000, serial 5
  ns3       data f00d0000, serial 6
pool chat  definition differs, for 40 s
  ns1, ns2  primary, epoch 17, definition cafe0000
  ns3       primary, epoch 17, definition babe0000
1 zone, 1 pool: 2 differ
`},
		"a serial": {func(c *cluster.Status) { c.Peers[0].Zones[0].Serial = 4 }, false, `
zone example.com  serial differs
  ns1, ns3  data beef0000, serial 5
  ns2       data beef0000, serial 4
1 zone, 1 pool: 1 differs
`},
		"another answer": {func(c *cluster.Status) {
			c.Peers[0].Pools[0] = cluster.PeerPool{Pool: "chat", Active: []string{"redundant"}, Epoch: 18, Definition: "cafe0000", Provisional: true, Apart: ago}
		}, false, `
pool chat  answer differs, for 40 s
  ns1, ns3  primary, epoch 17
  ns2       redundant, epoch 18, provisional
1 zone, 1 pool: 1 differs
`},
		"a zone that is not everywhere": {func(c *cluster.Status) {
			c.Peers[0].Zones = append(c.Peers[0].Zones, cluster.PeerZone{Zone: "new.example.", Hash: "12345678", Serial: 1, Apart: ago})
		}, false, `
zone new.example  is not everywhere, for 40 s
  ns1, ns3  nothing
  ns2       data 12345678, serial 1
2 zones, 1 pool: 1 differs
`},
		"one is silent, and another pool there does not count": {func(c *cluster.Status) {
			c.Peers[0].Reached, c.Peers[0].Pools[0].Epoch = false, 1
		}, false, `
not reached: ns2; what is held there is not known
1 zone, 1 pool: the 2 nameservers that are reached hold the same
`},
		"all are silent": {func(c *cluster.Status) { c.Peers[0].Reached, c.Peers[1].Reached = false, false }, false, `
not reached: ns2, ns3; what is held there is not known
1 zone, 1 pool: nothing to compare with
`},
	} {
		s := threeNameservers()
		c.change(s.Cluster)
		found := s.Compare()
		got := onTerminal(0, func(p *printer) { p.compared(s, found) })
		if found.Same != c.same || got != strings.TrimPrefix(c.want, "\n") {
			t.Errorf("%s: same %v,\n%s", name, found.Same, got)
		}
	}
}

func TestEvents(t *testing.T) {
	list := []events.Happened{
		{Owed: []string{"pager"}, Entry: events.Entry{Told: []string{"chatops"}, Event: failover.Event{Kind: failover.EventSwitch, At: noon, Node: "ns2", Pool: "chat", From: "primary",
			To: "redundant", Epoch: 17, Reason: "primary went down", Quorum: true}}},
		{Entry: events.Entry{Event: failover.Event{Kind: failover.EventOverride, At: noon, Node: "ns1", Pool: "chat", Deployment: "primary", To: "given", Reason: "drain of primary by al"}}},
		{Entry: events.Entry{Event: failover.Event{Kind: failover.EventDivergence, At: noon, Node: "ns1", To: "ns3 silent", Quorum: true}}},
	}
	want := clock(noon) + `  switch      chat: primary → redundant
    primary went down; epoch 17; seen by ns2; told to chatops; yet to be told to pager
` + clock(noon) + `  override    chat/primary: given
    drain of primary by al; seen by ns1; without a quorum
` + clock(noon) + `  divergence  ns3 silent
    seen by ns1
`
	if got := onTerminal(0, func(p *printer) { p.events(list) }); got != want {
		t.Errorf("got\n%s", got)
	}
}
