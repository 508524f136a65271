package main

import (
	"context"
	"fmt"
	"time"

	"github.com/livens/livens/cluster"
	"github.com/livens/livens/events"
	"github.com/livens/livens/failover"
	"github.com/livens/livens/zones"
)

// openEvents reads what happened before the start. A damaged file is set aside and reported.
func (in *instance) openEvents() {
	var err error
	if in.events, err = events.Open(in.config.State); err != nil {
		in.notices.raise(codeStateDamaged, "events of before the start", err.Error(), "what it held is lost; new events are kept")
		in.log.Warn("events of before the start", "error", err)
	}
}

// joinCluster makes this nameserver one of several, if it is configured so.
func (in *instance) joinCluster() {
	config := in.config.Cluster
	if config == nil {
		return
	}
	keys, err := zones.ClusterKeys(config.KeyFile)
	if err != nil {
		in.notices.raise(codeNoKey, "agreement with the other nameservers", err.Error(),
			"livens key cluster makes a key; until a restart this nameserver decides as if it were cut off from the others")
		in.log.Error("the cluster's keys cannot be read: nobody is talked to", "error", err)
	}
	in.cluster = cluster.New(cluster.Options{Config: in.config, Keys: keys, Version: in.version, Events: in.events, Log: in.log})
}

// observers are what this nameserver decides by: its own checker's verdicts, or what the cluster agrees on.
func (in *instance) observers() failover.Observers {
	if in.cluster == nil {
		return nil
	}
	return in.cluster
}

// heard is when another nameserver was last heard.
func (in *instance) heard() time.Time {
	if in.cluster == nil {
		return time.Time{}
	}
	return in.cluster.Heard()
}

// tells says whether it is this nameserver that tells hooks now.
func (in *instance) tells() bool { return in.cluster == nil || in.cluster.Tells() }

// told hands what is held to clients that ask, and to the other nameservers.
func (in *instance) told(s *failover.Status) {
	in.moderator.show(s)
	if in.cluster != nil {
		in.cluster.Tell(s)
	}
}

// happened keeps events.
func (in *instance) happened(list []failover.Event) {
	for _, e := range list {
		e.LogTo(in.log)
	}
	in.events.AddAll(list, time.Now())
}

// startCommand is what starts a cold deployment.
func (in *instance) startCommand(pool, deployment string) []string {
	set := in.controller.Status().Set
	if set == nil || set.Pool(pool) == nil || set.Pool(pool).Deployment(deployment) == nil {
		return nil
	}
	return set.Pool(pool).Deployment(deployment).StartCommand(pool)
}

// keepEvents writes events to the state folder until ctx is done.
func (in *instance) keepEvents(ctx context.Context) error {
	in.events.Keep(ctx, in.config.State, func(err error) {
		if err == nil {
			in.notices.clear(codeEventsUnkept)
			return
		}
		in.notices.raise(codeEventsUnkept, "the list of events after a restart", err.Error(),
			fmt.Sprintf("free space or make %s writable", in.config.State))
	})
	return nil
}
