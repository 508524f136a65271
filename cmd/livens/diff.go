package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"

	"github.com/livens/livens/web"
)

func diffCommand() command {
	return command{
		name: "diff", summary: "tell which nameserver holds which zones, pools and answers",
		help: `
Compares what the nameservers hold, as the running server knows it: the data and serial of every zone,
the definition of every pool, and what it answers. While zone files are rolled out to one nameserver
after the other, it shows who has them; pools that are defined otherwise on a nameserver get no vote
from it meanwhile.

The exit status is 1 when something differs, or a nameserver is not reached.

  livens diff
  livens diff --json | jq '.zones[] | select(.same | not)'`,
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
				return diff(e, s)
			}
		},
	}
}

func diff(e *env, s *web.Status) error {
	if s.Cluster == nil {
		return errors.New("the running server is the only nameserver: it has no [cluster] to compare with")
	}
	c := s.Compare()
	if err := e.print(c, func(p *printer) { p.compared(s, c) }); err != nil {
		return err
	}
	if !c.Same {
		return errReported
	}
	return nil
}

func (p *printer) compared(s *web.Status, c *web.Comparison) {
	differ := 0
	for _, x := range c.Zones {
		differ += p.difference(s, "zone "+bare(x.Name), &x)
	}
	for _, x := range c.Pools {
		differ += p.difference(s, "pool "+x.Name, &x)
	}
	if len(c.Unknown) > 0 {
		p.hang(p.paint(bad, "not reached: "), strings.Join(c.Unknown, ", ")+"; what is held there is not known")
	}
	p.line("%s, %s: %s", count(len(c.Zones), "zone"), count(len(c.Pools), "pool"), p.verdict(c, differ))
}

// verdict sums a comparison up.
func (p *printer) verdict(c *web.Comparison, differ int) string {
	switch n := len(c.Nameservers); {
	case differ == 1:
		return p.paint(bad, "1 differs")
	case differ > 1:
		return p.paint(bad, fmt.Sprintf("%d differ", differ))
	case len(c.Unknown) == 0:
		return fmt.Sprintf("all %d nameservers hold the ", n) + p.paint(good, "same")
	case n == 1:
		return "nothing to compare with"
	default:
		return fmt.Sprintf("the %d nameservers that are reached hold the same", n)
	}
}

// difference tells who holds what where it is not the same, and returns how many differences that is.
func (p *printer) difference(s *web.Status, title string, x *web.Compared) int {
	if x.Same {
		return 0
	}
	head := p.paint(strong, title) + "  " + p.paint(bad, x.What+" differs")
	if x.What == "missing" {
		head = p.paint(strong, title) + "  " + p.paint(bad, "is not everywhere")
	}
	if !x.Since.IsZero() {
		head += ", for " + s.Ago(x.Since)
	}
	p.line("%s", head)
	var rows [][]string
	for _, g := range x.Groups() {
		rows = append(rows, []string{strings.Join(g.Nameservers, ", "), g.What})
	}
	p.table("  ", rows)
	return 1
}
