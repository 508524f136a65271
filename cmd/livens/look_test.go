package main

import (
	"testing"
	"time"

	"github.com/livens/livens/checker"
	"github.com/livens/livens/failover"
	"github.com/livens/livens/web"
)

func TestUncheckedDeployment(t *testing.T) {
	now := time.Now()
	for name, c := range map[string]struct {
		targets []web.Target
		want    int
	}{
		"nothing can be told":    {[]web.Target{{At: now}, {At: now}}, 1},
		"one address can":        {[]web.Target{{At: now}, {At: now, State: checker.Up}}, 0},
		"one is down":            {[]web.Target{{At: now}, {At: now, State: checker.Down}}, 0},
		"no result yet":          {[]web.Target{{At: now}, {}}, 0},
		"a pool without targets": {nil, 0},
	} {
		for i := range c.targets {
			c.targets[i].Deployment, c.targets[i].Reason = "primary", "no permission for ICMP"
		}
		s := &web.Status{Pools: []web.Pool{{
			Decision: failover.Decision{Pool: "chat", Deployments: []failover.DeploymentState{{Name: "primary"}}}, Targets: c.targets,
		}}}
		if got := unchecked(s); len(got) != c.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
