package main

import (
	"context"
	"slices"
	"time"

	"github.com/livens/livens/failover"
	"github.com/livens/livens/web"
)

// orderLimit is how long an order may take: a disk may hang.
const orderLimit = 30 * time.Second

// order carries out an operator's order and says what came of it.
func (in *instance) order(ctx context.Context, o failover.Order) (*web.Receipt, error) {
	receipt, before := &web.Receipt{}, in.controller.Status()
	if d := before.Decisions[o.Pool]; d != nil {
		receipt.Before = d.Active
	}
	ctx, cancel := context.WithTimeout(ctx, orderLimit)
	defer cancel()
	if err := in.controller.Do(ctx, o); err != nil {
		return nil, err
	}
	receipt.Known, receipt.Untold = in.spread(ctx, changed(before.Registers, in.controller.Status().Registers))
	now := in.status()
	receipt.Pool, receipt.Followers = now.Pool(o.Pool), followers(now, o.Pool)
	for i := range now.Overrides {
		if x := &now.Overrides[i]; x.Pool == o.Pool && string(x.Kind) == string(o.Verb) && (o.Deployment == "" || x.Deployment == o.Deployment) {
			receipt.Override = x
		}
	}
	return receipt, nil
}

// foresee says what an order would bring. Nothing is changed.
func (in *instance) foresee(ctx context.Context, o failover.Order) (*web.Forecast, error) {
	ctx, cancel := context.WithTimeout(ctx, orderLimit)
	defer cancel()
	found, err := in.controller.Preview(ctx, o)
	if err != nil {
		return nil, err
	}
	now := in.status()
	f := &web.Forecast{Forecast: found, Followers: followers(now, o.Pool)}
	if now.Cluster == nil {
		return f, nil
	}
	for i := range now.Cluster.Peers {
		if p := &now.Cluster.Peers[i]; !p.Reached {
			f.Untold = append(f.Untold, p.Title())
		}
	}
	return f, nil
}

// followers are the pools that follow a pool.
func followers(s *web.Status, pool string) []string {
	var out []string
	for i := range s.Pools {
		if s.Pools[i].Follow == pool {
			out = append(out, s.Pools[i].Pool)
		}
	}
	return out
}

// changed are the registers that were not there before.
func changed(before, after []failover.Override) []failover.Override {
	return slices.DeleteFunc(slices.Clone(after), func(o failover.Override) bool {
		return slices.ContainsFunc(before, func(b failover.Override) bool { return b.ID() == o.ID() && b.Cleared == o.Cleared })
	})
}

const (
	// spreadWait is how long a receipt waits for the other nameservers to have the order: those that are reached say so
	// within milliseconds.
	spreadWait = 500 * time.Millisecond
	// spreadPause is the time between two looks.
	spreadPause = 10 * time.Millisecond
)

// spread waits until all nameservers have the orders, or those that are reached have had time for it, and says which
// have them.
func (in *instance) spread(ctx context.Context, orders []failover.Override) (known, untold []string) {
	if in.cluster == nil {
		return nil, nil
	}
	for deadline := time.Now().Add(spreadWait); ; {
		others, untold, waits := in.cluster.Known(orders)
		if !waits || ctx.Err() != nil || time.Now().After(deadline) {
			return append([]string{in.config.Name}, others...), untold
		}
		time.Sleep(spreadPause)
	}
}
