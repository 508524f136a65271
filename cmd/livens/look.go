package main

import (
	"context"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/livens/livens/failover"
	"github.com/livens/livens/web"
)

// status is the status document now.
func (in *instance) status() *web.Status {
	now := time.Now()
	s := &web.Status{
		Name: in.config.Name, Version: in.version, Started: in.started,
		Listen: web.Listen{DNS: in.dns.Addrs(), Pid: os.Getpid()},
		Alerts: append(in.controller.Alerts(now), in.notices.raised()...),
	}
	if addr := in.httpAddr.Load(); addr != nil {
		s.Listen.HTTP = *addr
	}
	if last := in.reloader.last.Load(); last != nil {
		s.Reload = *last
	}
	if why, since := in.checker.SelfDoubt(); why != "" {
		s.SelfDoubt = why
		s.Alerts = append(s.Alerts, failover.Alert{
			Code: codeSelfDoubt, Severity: failover.Warning, Affects: "this nameserver's verdicts", Text: why, Since: since,
			Hint: "decisions stay as they are; look at this host's own network",
		})
	}
	slices.SortStableFunc(s.Alerts, func(a, b failover.Alert) int { return strings.Compare(string(a.Severity), string(b.Severity)) })
	seen := web.Seen{Now: now, Failover: in.controller.Status(), Verdicts: in.checker.Verdicts(), Stats: in.checker.Stats()}
	if p := in.published.Load(); p != nil {
		seen.Serials = p.Serials
	}
	s.Describe(seen)
	return s
}

func (in *instance) explain(name string) (*web.Explanation, error) {
	return in.status().Explain(in.controller.Status().Set, name)
}

// order carries out an operator's order and says what came of it.
func (in *instance) order(ctx context.Context, o failover.Order) (*web.Receipt, error) {
	receipt := &web.Receipt{}
	if d := in.controller.Status().Decisions[o.Pool]; d != nil {
		receipt.Before = d.Active
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second) // a disk that hangs
	defer cancel()
	if err := in.controller.Do(ctx, o); err != nil {
		return nil, err
	}
	now := in.status()
	receipt.Pool = now.Pool(o.Pool)
	for i, p := range now.Pools {
		if p.Follow == o.Pool {
			receipt.Followers = append(receipt.Followers, now.Pools[i].Pool)
		}
	}
	for i := range now.Overrides {
		if x := &now.Overrides[i]; x.Pool == o.Pool && string(x.Kind) == string(o.Verb) && (o.Deployment == "" || x.Deployment == o.Deployment) {
			receipt.Override = x
		}
	}
	return receipt, nil
}
