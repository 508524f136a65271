package main

import (
	"os"
	"slices"
	"strings"
	"time"

	"github.com/livens/livens/checker"
	"github.com/livens/livens/failover"
	"github.com/livens/livens/web"
)

// statusEvents is how many events the status document has; livens events has all.
const statusEvents = 20

// status is the status document now.
func (in *instance) status() *web.Status {
	now := time.Now()
	s := in.outline(now)
	in.describe(s, now)
	return s
}

// alerts are those of status. Nothing else is described unless an alert could come of it.
func (in *instance) alerts() []failover.Alert {
	if in.checker.Unclear() {
		return in.status().Alerts
	}
	return in.outline(time.Now()).Alerts
}

// outline is all but what is known of pools, targets and zones.
func (in *instance) outline(now time.Time) *web.Status {
	s := &web.Status{
		Name: in.config.Name, Site: in.config.Site, Witness: len(in.config.Listen) == 0, Version: in.version, Started: in.started,
		Listen: web.Listen{DNS: in.dns.Addrs(), Pid: os.Getpid()},
		Events: in.events.Last(statusEvents, ""), Hooks: in.teller.Stats(),
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
	s.Moderator = in.moderator.status()
	s.Alerts = append(s.Alerts, expiry(s.Moderator, now)...)
	s.Alerts = append(s.Alerts, in.teller.Alerts()...)
	if in.cluster != nil {
		s.Alerts = append(s.Alerts, in.cluster.Status().Alerts(now)...)
	}
	sortAlerts(s.Alerts)
	return s
}

// describe adds pools, targets and zones, and what is to be said of them.
func (in *instance) describe(s *web.Status, now time.Time) {
	seen := web.Seen{Now: now, Failover: in.controller.Status(), Verdicts: in.checker.Verdicts(), Stats: in.checker.Stats()}
	if in.cluster != nil {
		seen.Cluster = in.cluster.Status()
	}
	s.Describe(seen)
	if s.Ready && s.SelfDoubt == "" {
		s.Alerts = append(s.Alerts, unchecked(s)...)
		sortAlerts(s.Alerts)
	}
}

func sortAlerts(all []failover.Alert) {
	slices.SortStableFunc(all, func(a, b failover.Alert) int { return strings.Compare(string(a.Severity), string(b.Severity)) })
}

// unchecked raises an alert for every deployment of which nothing can be told from this host: its death would go
// unnoticed. A single address of that kind is usual: a host without IPv6.
func unchecked(s *web.Status) []failover.Alert {
	var out []failover.Alert
	for i := range s.Pools {
		for _, d := range s.Pools[i].Deployments {
			targets := s.Pools[i].TargetsOf(d.Name)
			known := slices.ContainsFunc(targets, func(t web.Target) bool { return t.State != checker.Unknown || t.At.IsZero() })
			if known || len(targets) == 0 {
				continue
			}
			out = append(out, failover.Alert{
				Code: codeUnchecked, Severity: failover.Warning, Affects: "pool " + s.Pools[i].Pool + ", deployment " + d.Name,
				Text: "whether " + d.Name + " is up cannot be told from here: " + targets[0].Reason, Since: targets[0].Since,
				Hint: "until that is mended its death goes unnoticed",
			})
		}
	}
	return out
}

func (in *instance) explain(name string) (*web.Explanation, error) {
	return in.status().Explain(in.controller.Status().Set, name)
}
