package main

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/livens/livens/checker"
	"github.com/livens/livens/failover"
	"github.com/livens/livens/web"
	"github.com/livens/livens/zones"
)

// probedPool is what one probe of each of a pool's targets found.
type probedPool struct {
	Pool      string         `json:"pool"`
	Active    []string       `json:"active"`    // the deployments that would answer
	Addresses []netip.Addr   `json:"addresses"` // what would be answered
	Reason    string         `json:"reason"`
	AllDown   bool           `json:"all_down"`
	Targets   []probedTarget `json:"targets"`
}

// probedTarget is what one probe of one target found.
type probedTarget struct {
	Deployment string        `json:"deployment"`
	Address    netip.Addr    `json:"address"`
	What       string        `json:"what"`
	State      checker.State `json:"state"` // as if one result were enough; unknown: this host cannot tell
	Reason     string        `json:"reason"`
	Latency    float64       `json:"latency"` // seconds; 0 unless up
}

// probeAll probes every target once, all concurrently within the configured bounds, and decides on the results alone.
func probeAll(ctx context.Context, config *zones.Config, set *zones.Set) []probedPool {
	verdicts := probeTargets(ctx, config, set)
	view := failover.View{}
	for key, v := range verdicts {
		view[key] = failover.Agreed{Verdict: v}
	}
	now := time.Now()
	decisions := map[string]*failover.Decision{}
	for _, p := range set.Pools {
		decide(p, set, view, decisions, now)
	}
	status := &web.Status{}
	status.Describe(web.Seen{Now: now, Failover: &failover.Status{Set: set, Decisions: decisions}, Verdicts: verdicts})
	out := make([]probedPool, len(status.Pools))
	for i, p := range status.Pools {
		out[i] = probedPool{Pool: p.Pool, Active: p.Active, Addresses: p.Addresses, Reason: p.Reason, AllDown: p.AllDown, Targets: []probedTarget{}}
		for _, t := range p.Targets {
			out[i].Targets = append(out[i].Targets, probedTarget{t.Deployment, t.Address, t.What, t.State, t.Reason, t.Latency})
		}
	}
	return out
}

// decide makes a pool's first decision, after that of the pool that it follows.
func decide(p *zones.Pool, set *zones.Set, view failover.View, decisions map[string]*failover.Decision, now time.Time) {
	if decisions[p.Name] != nil {
		return
	}
	in := failover.Input{Pool: p, View: view, Now: now}
	if p.Follow != "" {
		decide(set.Pool(p.Follow), set, view, decisions, now)
		in.Followed = decisions[p.Follow]
	}
	decisions[p.Name] = failover.Decide(in)
}

// probeTargets takes every result for a verdict.
func probeTargets(ctx context.Context, config *zones.Config, set *zones.Set) map[string]checker.Verdict {
	options := checker.Options{Name: config.Name, Version: readBuild().Version}
	lanes := map[bool]chan struct{}{
		true:  make(chan struct{}, config.Checker.MaxExec),
		false: make(chan struct{}, config.Checker.MaxProbes),
	}
	targets := map[string]checker.Target{} // equal probes are sent once
	for _, p := range set.Pools {
		for _, t := range failover.Targets(p, nil) {
			targets[t.Key] = t
		}
	}
	var mu sync.Mutex
	var probes sync.WaitGroup
	verdicts := map[string]checker.Verdict{}
	for key, t := range targets {
		lane := lanes[t.Check.Kind == zones.Exec]
		probes.Go(func() {
			lane <- struct{}{}
			r := checker.Probe(ctx, options, t)
			<-lane
			mu.Lock()
			defer mu.Unlock()
			verdicts[key] = verdictOf(r)
		})
	}
	probes.Wait()
	return verdicts
}

func verdictOf(r checker.Result) checker.Verdict {
	v := checker.Verdict{Reason: r.Reason, At: time.Now(), Drain: r.Drain}
	switch r.Outcome {
	case checker.Success:
		v.State, v.Streak, v.Latency = checker.Up, 1, r.Latency
	case checker.Failure:
		v.State, v.Streak = checker.Down, -1
	}
	return v
}

func (p *printer) probed(pool *probedPool) {
	p.line("%s", p.paint(strong, "pool "+pool.Pool))
	var rows [][]string
	for _, t := range pool.Targets {
		latency := ""
		if t.State == checker.Up {
			latency = web.Age(time.Duration(t.Latency * float64(time.Second)))
		}
		rows = append(rows, []string{t.Deployment, t.Address.String(), p.state(t.State, false), latency, t.What + ": " + t.Reason})
	}
	p.table("  ", rows)
	addresses := make([]string, len(pool.Addresses))
	for i, a := range pool.Addresses {
		addresses[i] = a.String()
	}
	p.hang("  would answer ", fmt.Sprintf("%s (%s)", strings.Join(addresses, " "), strings.Join(pool.Active, ", ")))
	p.hang("  because ", pool.Reason)
}
