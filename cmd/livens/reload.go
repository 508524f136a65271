package main

import (
	"context"
	"flag"
	"strings"

	"github.com/livens/livens/web"
)

func reloadCommand() command {
	return command{
		name: "reload", summary: "have the running server read its configuration again",
		help: `
The server also notices changed files by itself; this waits for the outcome and prints it. What has
errors is not applied: broken zones are served as they were, and the exit status is 1.

  livens reload`,
		bind: func(*flag.FlagSet) func(context.Context, *env, []string) error {
			return func(ctx context.Context, e *env, _ []string) error {
				client, err := e.client()
				if err != nil {
					return err
				}
				r, err := client.Reload(ctx)
				if err != nil {
					return err
				}
				if err := e.print(r, func(p *printer) { p.reloaded(r) }); err != nil {
					return err
				}
				if !r.OK {
					return errReported
				}
				return nil
			}
		},
	}
}

func (p *printer) reloaded(r *web.Reload) {
	p.list(r.Problems)
	switch n := len(r.Problems.Errors()); {
	case n > 0:
		p.line("%s: what has errors stays as it was", p.paint(bad, count(n, "error")))
	case len(r.Problems) > 0:
		p.line("%s, with %s", p.paint(good, "reloaded"), count(len(r.Problems), "warning"))
	default:
		p.line("%s", p.paint(good, "reloaded"))
	}
	if len(r.NeedRestart) > 0 {
		p.hang(p.paint(unwell, "changed, and in force only after a restart: "), strings.Join(r.NeedRestart, ", "))
	}
}
