package main

import (
	"context"
	"flag"
	"fmt"
	"strings"

	"github.com/livens/livens/events"
	"github.com/livens/livens/failover"
	"github.com/livens/livens/web"
)

func eventsCommand() command {
	return command{
		name: "events", summary: "show what happened: switches, verdicts, orders",
		help: `
Shows the last events, newest last: when, what and why, which nameserver saw it first, and which hooks
have been told. All nameservers keep the same thousand.

  livens events
  livens events --pool chat -n 100
  livens events -n -1 --json | jq '.events[] | select(.kind == "switch")'`,
		bind: func(flags *flag.FlagSet) func(context.Context, *env, []string) error {
			n, pool := flags.Int("n", 20, "how many; -1: all that are kept: `COUNT`"), flags.String("pool", "", "only those of this pool: `POOL`")
			return func(ctx context.Context, e *env, _ []string) error {
				client, err := e.client()
				if err != nil {
					return err
				}
				found, err := client.Events(ctx, *n, *pool)
				if err != nil {
					return err
				}
				if *pool != "" && len(found.Events) == 0 {
					if err := knownPool(ctx, client, *pool); err != nil {
						return err
					}
				}
				return e.print(found, func(p *printer) { p.events(found.Events) })
			}
		},
	}
}

// knownPool is an error where the running server has no such pool. Events outlive pools, so it is asked for only where none
// is found.
func knownPool(ctx context.Context, client *web.Client, name string) error {
	s, err := client.Status(ctx)
	if err != nil {
		return err
	}
	var names []string
	for i := range s.Pools {
		if names = append(names, s.Pools[i].Pool); s.Pools[i].Pool == name {
			return nil
		}
	}
	return fmt.Errorf("no pool %q; there are: %s", name, strings.Join(names, ", "))
}

func (p *printer) events(list []events.Happened) {
	if len(list) == 0 {
		p.line("nothing has happened")
	}
	for _, e := range list {
		p.line("%s  %s  %s", clock(e.At), p.paint(eventColor(&e), fmt.Sprintf("%-10s", e.Kind)), what(&e))
		p.hang("    ", eventWords(&e))
	}
}

// what is what an event is about, and what changed: "chat: primary → redundant".
func what(e *events.Happened) string {
	about, change := e.Pool, e.To
	if e.Deployment != "" {
		about += "/" + e.Deployment
	}
	if e.From != "" && e.To != "" && e.From != e.To {
		change = e.From + " → " + e.To
	}
	if about == "" || change == "" {
		return about + change
	}
	return about + ": " + change
}

// eventWords tell why, who saw it, and who was told.
func eventWords(e *events.Happened) string {
	var out []string
	if e.Reason != "" {
		out = append(out, e.Reason)
	}
	if e.Kind == failover.EventSwitch {
		out = append(out, fmt.Sprintf("epoch %d", e.Epoch))
	}
	out = append(out, "seen by "+e.Node)
	if !e.Quorum {
		out = append(out, "without a quorum")
	}
	if len(e.Told) > 0 {
		out = append(out, "told to "+strings.Join(e.Told, ", "))
	}
	if len(e.Owed) > 0 {
		out = append(out, "yet to be told to "+strings.Join(e.Owed, ", "))
	}
	return strings.Join(out, "; ")
}

func eventColor(e *events.Happened) string {
	switch {
	case e.Kind == failover.EventSwitch:
		return strong
	case e.Kind == failover.EventVerdict && e.To == "down":
		return bad
	}
	return plain
}
