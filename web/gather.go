package web

import (
	"encoding/hex"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/livens/livens/checker"
	"github.com/livens/livens/cluster"
	"github.com/livens/livens/failover"
	"github.com/livens/livens/zones"
	"github.com/miekg/dns"
)

// Seen is what Describe draws pools, zones and overrides from: what the other rooms hold at one moment.
type Seen struct {
	Now      time.Time
	Failover *failover.Status
	Verdicts map[string]checker.Verdict // by target key
	Stats    checker.Stats
	Cluster  *cluster.Status // nil: there are no other nameservers
}

// Describe fills in what follows from the other rooms: readiness, pools, overrides and zones.
func (s *Status) Describe(in Seen) {
	s.Now, s.Ready = in.Now, true
	s.Probing, s.Cluster = Probing{in.Stats.UnderWay, in.Stats.Waited, in.Stats.Late}, in.Cluster
	if err := in.Failover.Ready(in.Now); err != nil {
		s.Ready, s.Waiting = false, err.Error()
	}
	s.Pools, s.Zones, s.Overrides = []Pool{}, []Zone{}, []failover.Override{}
	for _, o := range in.Failover.Overrides {
		if o.Until.IsZero() || in.Now.Before(o.Until) {
			s.Overrides = append(s.Overrides, o)
		}
	}
	if in.Failover.Set == nil {
		return
	}
	for _, p := range in.Failover.Set.Pools {
		if d := in.Failover.Decisions[p.Name]; d != nil {
			s.Pools = append(s.Pools, in.pool(p, d))
		}
	}
	for _, z := range in.Failover.Set.Zones {
		s.Zones = append(s.Zones, in.zone(z))
	}
}

func (in *Seen) pool(p *zones.Pool, d *failover.Decision) Pool {
	out := Pool{
		Decision: *d, Zone: p.Zone, Answers: p.Answers, Policy: string(p.Policy), Failback: string(p.Failback),
		Rule: string(p.AllDown), Follow: p.Follow, Targets: []Target{},
	}
	for _, s := range d.Deployments {
		if configured := p.Deployment(s.Name); configured != nil {
			out.Targets = append(out.Targets, in.targets(p, configured, s)...)
		}
	}
	return out
}

// targets are those of one deployment, with the addresses that are no longer configured and still answer at the end.
func (in *Seen) targets(p *zones.Pool, d *zones.Deployment, s failover.DeploymentState) []Target {
	var out []Target
	for i, a := range d.Addresses {
		out = append(out, in.addressTargets(p, d.Name, a, d.ProbeAddress(i))...)
	}
	for _, a := range s.Address {
		if a.Held {
			out = append(out, in.addressTargets(p, d.Name, a.Address, a.Address)...)
		}
	}
	return out
}

func (in *Seen) addressTargets(p *zones.Pool, deployment string, address, probed netip.Addr) []Target {
	var out []Target
	add := func(name string, c *zones.Check) {
		t := checker.NewTarget(p.Name, deployment, probed, c)
		v, n := in.Verdicts[t.Key], in.Stats.Targets[t.Key]
		if v.Reason == "" {
			v.Reason = "no result yet"
		}
		out = append(out, Target{
			Deployment: deployment, Address: address, Probed: probed, Check: name, What: words(t.Check),
			State: v.State, Reason: v.Reason, Since: v.Since, At: v.At, Interval: t.Check.Interval.Seconds(), Latency: v.Latency.Seconds(),
			Streak: v.Streak, Doubt: v.Doubt, Drain: v.Drain, Probes: n.Probes, Failures: n.Failures, Transitions: n.Transitions,
			Votes: in.votes(t.Key),
		})
	}
	seen := map[zones.Kind]int{}
	for _, c := range p.Checks {
		name := string(c.Kind)
		if seen[c.Kind]++; seen[c.Kind] > 1 {
			name = fmt.Sprintf("%s#%d", c.Kind, seen[c.Kind])
		}
		add(name, c)
	}
	if p.Sync != nil {
		add(syncCheck, p.Sync)
	}
	return out
}

// votes are what the nameservers say of a target, by name.
func (in *Seen) votes(key string) []Vote {
	if in.Cluster == nil {
		return nil
	}
	cast := in.Cluster.Votes(key)
	out := make([]Vote, 0, len(cast))
	for _, name := range slices.Sorted(maps.Keys(cast)) {
		v := cast[name]
		out = append(out, Vote{name, v.State, v.Doubt || v.Bad && v.State == checker.Up, v.Drain, v.Reason})
	}
	return out
}

// syncCheck is what the failback gate's check is called.
const syncCheck = "sync"

// words is a check in a few words.
func words(c *zones.Check) string {
	switch c.Kind {
	case zones.HTTP, zones.HTTPS, zones.WebSocket:
		return fmt.Sprintf("%s :%d%s", c.Kind, c.Port, c.Path)
	case zones.TCP, zones.TLS:
		return fmt.Sprintf("%s :%d", c.Kind, c.Port)
	case zones.DNS:
		return fmt.Sprintf("dns :%d %s %s", c.Port, c.Query, dns.TypeToString[c.QType])
	case zones.Exec:
		return fmt.Sprintf("exec %q", c.Command)
	case zones.File:
		return "file " + c.File
	}
	return string(c.Kind)
}

func (in *Seen) zone(z *zones.Zone) Zone {
	out := Zone{
		Name: z.Name, File: z.File, Records: len(z.Records), Pools: []string{}, Hash: hex.EncodeToString(z.Hash[:]),
		Stale: z.Stale, Serial: in.Failover.Serials[z.Name],
	}
	if soa := z.SOA(); soa != nil && z.FixedSerial {
		out.Serial = soa.Serial
	}
	for _, p := range z.Pools {
		out.Pools = append(out.Pools, p.Name)
	}
	return out
}
