package livens_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/livens/livens/failover"
)

func (n *nameserver) status() {
	decisions := n.controller.Status().Decisions
	for _, pool := range slices.Sorted(maps.Keys(decisions)) {
		d := decisions[pool]
		for _, x := range d.Deployments {
			line := fmt.Sprintf("%s %s: %s since %s (%s)", pool, x.Name, x.State, strings.TrimSpace(n.clock(x.Since)), x.Reason)
			if x.Drained != "" {
				line += "; drained"
			}
			if x.Gate != failover.NoGate {
				line += fmt.Sprintf("; gate %s (%s)", x.Gate, x.GateWhy)
			}
			if x.Answers {
				line += "; answers"
			}
			n.print("%s", line)
		}
		if d.Provisional {
			n.print("%s is decided provisionally", pool)
		}
		if d.Pending != "" {
			n.print("%s pending: %s", pool, d.Pending)
		}
	}
}

func (n *nameserver) peers() {
	s := n.cluster.Status()
	text := fmt.Sprintf("reaches %d of %d", s.Reach, s.Size)
	if !s.Quorum {
		text += ", too few to agree"
	}
	n.print("%s", text)
}

func (n *nameserver) alerts() {
	all := n.controller.Alerts(time.Now())
	if n.cluster != nil {
		all = append(all, n.cluster.Status().Alerts(time.Now())...)
	}
	for _, a := range all {
		n.print("%s %s, %s: %s", a.Severity, a.Code, a.Affects, a.Text)
	}
}

// happened prints events without what differs between those who saw one at the same time: of their reports one is kept.
func (n *nameserver) happened() {
	for _, e := range n.events.Recent(-1) {
		text := strings.Join(strings.Fields(fmt.Sprintf("%s %s %s", e.Kind, e.Pool, e.Deployment)), " ")
		if e.From != "" {
			text += " from " + e.From
		}
		if e.To != "" {
			text += " to " + e.To
		}
		if !e.Quorum {
			text += ", without a quorum"
		}
		n.print("%s", text)
	}
}

func (n *nameserver) explain(pool string) {
	d := n.controller.Status().Decisions[pool]
	for _, step := range d.Steps {
		n.print("%s", step)
	}
	n.print("so %s: %s", strings.Join(d.Active, ", "), d.Reason)
	if d.Pending != "" {
		n.print("pending: %s", d.Pending)
	}
}
