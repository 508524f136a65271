package main

import (
	"context"
	"flag"
	"fmt"
	"strings"
	"time"

	"github.com/livens/livens/checker"
	"github.com/livens/livens/failover"
	"github.com/livens/livens/web"
)

func statusCommand() command {
	return command{
		name: "status", summary: "show who answers, since when, and why",
		help: `
Shows what the running server knows: alerts, every pool with the deployment that answers and the reason,
every deployment with its verdict, operators' orders in force and planned, the other nameservers, the
zones, and problems of the configuration. An arrow marks what is answered. Where the nameservers do not
all say the same of a target, a line tells who votes what. Ages are rounded; --json has exact times.

  livens status
  livens status --json | jq '.pools[] | {pool, active, reason}'`,
		bind: func(*flag.FlagSet) func(context.Context, *env, []string) error {
			return func(ctx context.Context, e *env, _ []string) error {
				client, err := e.client()
				if err != nil {
					return err
				}
				s, err := client.Status(ctx)
				if err != nil {
					return err
				}
				return e.print(s, func(p *printer) { p.status(s) })
			}
		},
	}
}

func (p *printer) status(s *web.Status) {
	p.head(s)
	p.alerts(s)
	for i := range s.Pools {
		p.line("")
		p.pool(s, &s.Pools[i])
	}
	p.nameservers(s)
	p.line("")
	p.zones(s)
	p.problems(s)
}

func (p *printer) head(s *web.Status) {
	state := p.paint(good, "ready")
	if !s.Ready {
		state = p.paint(unwell, "not ready: "+s.Waiting)
	}
	where := make([]string, len(s.Listen.DNS))
	for i, a := range s.Listen.DNS {
		where[i] = a.String()
	}
	dns := "DNS on " + strings.Join(where, " ")
	if s.Witness {
		dns = "a witness: it answers no queries"
	}
	if m := s.Moderator; m != nil && len(m.Listen) > 0 {
		dns += ", moderator on " + strings.Join(m.Listen, " ")
	}
	observers := ""
	if s.Cluster != nil {
		words, enough := s.Quorum()
		observers = p.paint(toneOf(enough), words) + ", "
	}
	p.hang(p.paint(strong, s.Name)+"  ", fmt.Sprintf("%s, up %s, livens %s, %s%s", state, s.Ago(s.Started), s.Version, observers, dns))
	if s.Moderator != nil {
		p.hang("  moderator  ", s.Moderator.Words(s.Now))
	}
}

func (p *printer) alerts(s *web.Status) {
	for _, a := range s.Alerts {
		color := unwell
		if a.Severity == failover.Critical {
			color = bad
		}
		text := a.Text
		if !a.Since.IsZero() {
			text += ", for " + s.Ago(a.Since)
		}
		p.line("")
		p.paragraph(p.paint(color, "! "+string(a.Severity)) + " " + fmt.Sprintf("%s: %s (%s)", a.Affects, text, a.Code))
		if a.Hint != "" {
			p.hang("    → ", a.Hint)
		}
	}
}

func (p *printer) pool(s *web.Status, pool *web.Pool) {
	names := make([]string, len(pool.Answers))
	for i, n := range pool.Answers {
		names[i] = bare(n)
	}
	p.hang(p.paint(strong, "pool "+pool.Pool)+"  ", strings.Join(names, ", "))
	p.answer(s, pool)
	rows := [][]string{}
	for _, d := range pool.Deployments {
		rows = append(rows, p.deployment(s, &d))
		for _, t := range pool.TargetsOf(d.Name) {
			rows = append(rows, p.target(s, &t))
			if dissent := s.Dissent(&t); dissent != "" {
				rows = append(rows, []string{"      votes", "", "", "", p.paint(unwell, dissent)})
			}
		}
	}
	p.table("  ", rows)
}

// answer tells what the pool answers, and why.
func (p *printer) answer(s *web.Status, pool *web.Pool) {
	verb, color := "answers", good
	if len(pool.Active) > 1 {
		verb = "answer"
	}
	if pool.AllDown {
		verb, color = verb+" though nothing is live", bad
	}
	addresses := make([]string, len(pool.Addresses))
	for i, a := range pool.Addresses {
		addresses[i] = a.String()
	}
	ttl := fmt.Sprintf("TTL %d", pool.TTL)
	if pool.Lowered {
		ttl += " (lowered)"
	}
	if s.Cluster != nil {
		ttl += fmt.Sprintf(", epoch %d", pool.Epoch)
	}
	if pool.Provisional {
		ttl += ", " + p.paint(unwell, "provisional")
	}
	p.hang("  "+p.paint(color, strings.Join(pool.Active, ", ")+" "+verb)+"  ",
		fmt.Sprintf("for %s: %s, %s", s.Ago(pool.Since), strings.Join(addresses, " "), ttl))
	p.others(s, pool)
	p.hang("  because  ", pool.Reason)
	if pool.Pending != "" {
		p.hang("  next     ", p.paint(unwell, pool.Pending))
	}
	for i := range s.Overrides {
		if o := &s.Overrides[i]; o.Pool == pool.Pool {
			p.hang("  order    ", p.paint(unwell, orderWords(o, s.Now)))
		}
	}
}

func (p *printer) deployment(s *web.Status, d *failover.DeploymentState) []string {
	mark := "  "
	if d.Answers {
		mark = "→ "
	}
	var notes []string
	if d.Cold {
		notes = append(notes, "cold")
	}
	if d.Drained != "" {
		notes = append(notes, "drained")
	}
	switch d.Gate {
	case failover.Open:
		notes = append(notes, "in sync")
	case failover.Shut:
		notes = append(notes, "not in sync for "+s.Ago(d.GateSince))
	}
	if d.Reason != "" && d.State != checker.Up {
		notes = append(notes, d.Reason)
	}
	name := d.Name
	if d.Site != "" {
		name += " (" + d.Site + ")"
	}
	return []string{mark + p.paint(strong, name), p.state(d.State, d.Doubt), s.Ago(d.Since), "", strings.Join(notes, "; ")}
}

func (p *printer) target(s *web.Status, t *web.Target) []string {
	latency := ""
	if t.State == checker.Up && t.Latency > 0 {
		latency = web.Age(time.Duration(t.Latency * float64(time.Second)))
	}
	what := t.What
	if t.Check == "sync" {
		what = "sync, " + what
	}
	if t.Probed != t.Address {
		what += " at " + t.Probed.String()
	}
	since := ""
	if !t.Since.IsZero() {
		since = s.Ago(t.Since)
	}
	return []string{"    " + t.Address.String(), p.state(t.State, t.Doubt), since, latency, what + ": " + t.Reason}
}

func (p *printer) state(s checker.State, doubt bool) string {
	color := map[checker.State]string{checker.Up: good, checker.Down: bad, checker.Unknown: unwell}[s]
	if doubt {
		return p.paint(unwell, s.String()+"?")
	}
	return p.paint(color, s.String())
}

func (p *printer) zones(s *web.Status) {
	rows := [][]string{}
	for _, z := range s.Zones {
		note := ""
		if z.Stale != "" {
			note = p.paint(bad, "last good version, not what the file says")
		}
		rows = append(rows, []string{"zone " + bare(z.Name), z.File, fmt.Sprintf("serial %d", z.Serial), count(z.Records, "record"), note})
	}
	p.table("", rows)
}

func (p *printer) problems(s *web.Status) {
	if len(s.Reload.NeedRestart) > 0 {
		p.hang(p.paint(unwell, "changed, and in force only after a restart: "), strings.Join(s.Reload.NeedRestart, ", "))
	}
	p.list(s.Reload.Problems)
}

// bare is a name without its final dot.
func bare(name string) string {
	if name == "." {
		return name
	}
	return strings.TrimSuffix(name, ".")
}

// count is "1 record", "2 records".
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
