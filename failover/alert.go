package failover

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/livens/livens/checker"
	"github.com/livens/livens/zones"
)

// Severity ranks alerts.
type Severity string

// The severities.
const (
	Critical Severity = "critical" // users are affected, or will be by the next fault
	Warning  Severity = "warning"  // nobody is affected yet; somebody should look
)

// Alert is one thing that operations should know, as data.
type Alert struct {
	Code     string    `json:"code"` // stable: "pool-all-down"
	Severity Severity  `json:"severity"`
	Affects  string    `json:"affects"`
	Text     string    `json:"text"`
	Hint     string    `json:"hint,omitempty"` // what to do
	Since    time.Time `json:"since,omitzero"`
}

// gateAlertAfter is how long a gate may stay shut before somebody should look.
const gateAlertAfter = 15 * time.Minute

// Alerts are what the controller would have looked at now, worst first.
func (c *Controller) Alerts(now time.Time) []Alert {
	s := c.Status()
	out := c.saver.raised()
	for _, p := range s.pools() {
		if d := s.Decisions[p.Name]; d != nil && p.Follow == "" {
			out = append(out, poolAlerts(p, d, now)...)
			if d.Provisional && s.Ready(now) == nil && (s.Standing.Quorum || d.Since.After(s.Stands)) { // else nothing has come of it
				out = append(out, provisional(p, d))
			}
		}
	}
	for _, o := range s.Overrides {
		if o.pending(now.Add(s.Standing.Skew)) && (s.Set == nil || s.Set.Pool(o.Pool) == nil || s.Set.Pool(o.Pool).Deployment(o.Deployment) == nil) {
			out = append(out, ineffective(&o))
		}
	}
	slices.SortFunc(out, func(a, b Alert) int {
		return cmp.Or(cmp.Compare(a.Severity, b.Severity), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Affects, b.Affects))
	})
	return out
}

// pools are those of the Set; none before there is one.
func (s *Status) pools() []*zones.Pool {
	if s.Set == nil {
		return nil
	}
	return s.Set.Pools
}

// ineffective says that an order names what the configuration does not have.
func ineffective(o *Override) Alert {
	raise := func(code, affects, text, hint string) Alert { return Alert{code, Warning, affects, text, hint, o.At} }
	return raise("override-without-effect", "pool "+o.Pool, o.String()+": there is no such deployment now",
		"it takes effect again should the name return; undrain or failback ends it")
}

// provisional says that no majority of the observers stands behind a decision.
func provisional(p *zones.Pool, d *Decision) Alert {
	raise := func(code, text, hint string) Alert { return Alert{code, Warning, pool(p), text, hint, d.Since} }
	return raise("provisional", strings.Join(d.Active, ", ")+" answers without a quorum of the observers behind it",
		"other nameservers may answer otherwise: look at the links between them; what a majority decides counts once they meet")
}

func pool(p *zones.Pool) string { return "pool " + p.Name }

func poolAlerts(p *zones.Pool, d *Decision, now time.Time) []Alert {
	var out []Alert
	raise := func(code string, severity Severity, affects string, since time.Time, hint, format string, args ...any) {
		out = append(out, Alert{code, severity, affects, fmt.Sprintf(format, args...), hint, since})
	}
	if family := d.deadFamily(); family != "" {
		raise("family-down", Critical, pool(p), time.Time{}, "it may be this nameserver that has lost "+family+"; visitors who have only that find no address",
			"no deployment is live over %s", family)
	}
	if d.AllDown {
		raise("pool-all-down", Critical, pool(p), d.downSince(), "bring any of its deployments back: one good probe makes it answer",
			"%s: %s answers", d.Reason, strings.Join(d.Active, ", "))
	}
	for _, s := range d.Deployments {
		affects := func() string { return pool(p) + ", deployment " + s.Name }
		asleep := s.Drained != "" || p.Deployment(s.Name) != nil && p.Deployment(s.Name).Cold
		revived := d.Revived && s.Answers // it passes its checks again, and is not up by rise yet
		if s.State == checker.Down && !d.AllDown && !revived && (!asleep || s.Answers) {
			severity, hint := Warning, "the pool has one deployment less to fall back on"
			if s.Answers {
				severity, hint = Critical, "an order forces traffic onto it: livens failback "+p.Name+" ends that"
			}
			raise("deployment-down", severity, affects(), s.Since, hint, "%s is down: %s", s.Name, s.Reason)
		}
		for _, a := range s.Address {
			if a.State == checker.Down && s.State == checker.Up {
				raise("address-down", Warning, affects()+", address "+a.Address.String(), time.Time{},
					"the deployment answers with its other addresses", "%s is down: %s", a.Address, a.Reason)
			}
		}
		if s.Gate == Shut && s.State == checker.Up && now.Sub(s.GateSince) >= gateAlertAfter {
			raise("gate-shut", Warning, affects(), s.GateSince, "traffic does not come back to it before its sync check passes",
				"%s is up and not in sync: %s", s.Name, s.GateWhy)
		}
	}
	if d.Waits != "" {
		raise("planned-switch-waits", Warning, pool(p), time.Time{}, "the switch comes as soon as that is mended; livens failback "+p.Name+" calls it off",
			"a planned switch is due and waits: %s", d.Waits)
	}
	if n := len(d.Failbacks); n >= p.MaxFailbacks && now.Sub(d.Failbacks[n-p.MaxFailbacks]) < budgetWindow {
		raise("failback-budget", Warning, pool(p), d.Failbacks[n-1], "find out why a deployment keeps failing after it came back",
			"%d failbacks within an hour: the next waits", n)
	}
	return out
}

// deadFamily is the address family that several deployments have and none has alive, while the other one lives; or "".
func (d *Decision) deadFamily() string {
	count := func(family func(netip.Addr) bool) (deployments, alive int) {
		for _, s := range d.Deployments {
			has, lives := false, false
			for _, a := range s.Address {
				if family(a.Address) && !a.Held {
					has, lives = true, lives || a.State != checker.Down
				}
			}
			deployments, alive = deployments+bit(has), alive+bit(lives)
		}
		return deployments, alive
	}
	in4, alive4 := count(netip.Addr.Is4)
	in6, alive6 := count(netip.Addr.Is6)
	switch {
	case in4 > 1 && alive4 == 0 && alive6 > 0:
		return "IPv4"
	case in6 > 1 && alive6 == 0 && alive4 > 0:
		return "IPv6"
	}
	return ""
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// downSince is when the last of the deployments went down.
func (d *Decision) downSince() time.Time {
	var t time.Time
	for _, s := range d.Deployments {
		t = later(s.Since, t)
	}
	return t
}
