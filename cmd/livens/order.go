package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"os/user"
	"slices"
	"strings"
	"time"

	"github.com/livens/livens/failover"
	"github.com/livens/livens/web"
)

func failoverCommand() command {
	return command{
		name: "failover", args: []string{"POOL"}, summary: "move a pool's traffic to a deployment",
		help: `
Prefers a deployment for a pool, until livens failback or for the time given. It changes preference,
not protection: if the chosen deployment dies, a live one answers. A deployment that is down, drained
or not in sync is refused, unless --force is given with --for.

  livens failover chat --to redundant
  livens failover chat --to redundant --for 2h --reason "disk swap in fra"
  livens failover chat --to redundant --force --for 10m`,
		bind: func(flags *flag.FlagSet) func(context.Context, *env, []string) error {
			o := failover.Order{Verb: failover.DoFailover}
			flags.StringVar(&o.Deployment, "to", "", "the deployment that is to answer: `DEPLOYMENT`")
			bindOrder(flags, &o)
			return func(ctx context.Context, e *env, args []string) error {
				if o.Deployment == "" {
					return misuse("--to DEPLOYMENT is missing")
				}
				o.Pool = args[0]
				return give(ctx, e, o)
			}
		},
	}
}

func failbackCommand() command {
	return command{
		name: "failback", args: []string{"POOL"}, summary: "let a pool's traffic return to its preferred deployment",
		help: `
Ends a failover order, and lets traffic return without waiting for the failback rule as soon as the
preferred deployment is up and its sync check passes. The order waits an hour for that, or --for.

  livens failback chat
  livens failback chat --reason "disks are in"`,
		bind: func(flags *flag.FlagSet) func(context.Context, *env, []string) error {
			o := failover.Order{Verb: failover.DoFailback}
			bindOrder(flags, &o)
			return func(ctx context.Context, e *env, args []string) error {
				o.Pool = args[0]
				return give(ctx, e, o)
			}
		},
	}
}

func drainCommand() command {
	return command{
		name: "drain", args: []string{"POOL", "DEPLOYMENT"}, summary: "keep a deployment from answering while another is live",
		help: `
Takes a deployment out for planned work: it answers only when no other is live, until livens undrain
or for the time given. Draining the last live deployment is refused, unless --force is given with --for.

  livens drain chat primary --for 4h --reason "kernel update"`,
		bind: func(flags *flag.FlagSet) func(context.Context, *env, []string) error {
			o := failover.Order{Verb: failover.DoDrain}
			bindOrder(flags, &o)
			return func(ctx context.Context, e *env, args []string) error {
				o.Pool, o.Deployment = args[0], args[1]
				return give(ctx, e, o)
			}
		},
	}
}

func undrainCommand() command {
	return command{
		name: "undrain", args: []string{"POOL", "DEPLOYMENT"}, summary: "end a drain",
		help: `
Ends an operator's drain. Traffic returns by the pool's failback rule; livens failback hastens it.

  livens undrain chat primary`,
		bind: func(flags *flag.FlagSet) func(context.Context, *env, []string) error {
			o := failover.Order{Verb: failover.DoUndrain}
			flags.StringVar(&o.Why, "reason", "", "why, for the log: `TEXT`")
			return func(ctx context.Context, e *env, args []string) error {
				o.Pool, o.Deployment = args[0], args[1]
				return give(ctx, e, o)
			}
		},
	}
}

func bindOrder(flags *flag.FlagSet, o *failover.Order) {
	flags.DurationVar(&o.For, "for", 0, "how long the order holds, such as 30m or 2h (default until it is ended): `TIME`")
	flags.StringVar(&o.Why, "reason", "", "why, shown in the status and the log: `TEXT`")
	flags.BoolVar(&o.Force, "force", false, "do it though it may take the service down; needs --for")
}

// give sends an order to the running server and prints the receipt.
func give(ctx context.Context, e *env, o failover.Order) error {
	if o.For < 0 {
		return misuse("--for %v lies in the past", o.For)
	}
	if o.Force && o.For == 0 {
		return misuse("--force needs --for: say for how long")
	}
	o.Who = who()
	client, err := e.client()
	if err != nil {
		return err
	}
	receipt, err := client.Order(ctx, o)
	if err != nil {
		return err
	}
	return e.print(receipt, func(p *printer) { p.hang(o.Pool+": ", receiptWords(o, receipt)) })
}

// who gives the order: the person behind sudo, if any.
func who() string {
	name := fmt.Sprintf("uid %d", os.Getuid())
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	return cmp.Or(os.Getenv("SUDO_USER"), os.Getenv("USER"), name)
}

// receiptWords says what came of an order: "redundant answers now (was primary); until 16:00; …".
func receiptWords(o failover.Order, r *web.Receipt) string {
	var parts []string
	switch o.Verb {
	case failover.DoDrain:
		parts = append(parts, o.Deployment+" is drained"+until(r.Override))
	case failover.DoUndrain:
		parts = append(parts, o.Deployment+" is no longer drained")
	}
	parts = append(parts, whoAnswers(r))
	if o.Verb == failover.DoFailover && r.Override != nil {
		if slices.Contains(r.Pool.Active, o.Deployment) {
			parts = append(parts, "the order holds"+until(r.Override))
		} else {
			parts = append(parts, "the order holds"+until(r.Override)+", and "+o.Deployment+" will answer by the failback rule ("+r.Pool.Failback+")")
		}
	}
	if o.Verb == failover.DoFailback && r.Override != nil && !slices.Contains(r.Pool.Active, r.Override.Deployment) {
		parts = append(parts, "the order waits"+until(r.Override))
	}
	if r.Pool.Pending != "" {
		parts = append(parts, r.Pool.Pending)
	}
	if len(r.Followers) > 0 {
		verb := " follows"
		if len(r.Followers) > 1 {
			verb = " follow"
		}
		parts = append(parts, strings.Join(r.Followers, ", ")+verb)
	}
	return strings.Join(parts, "; ")
}

func whoAnswers(r *web.Receipt) string {
	verb := "answers"
	if len(r.Pool.Active) > 1 {
		verb = "answer"
	}
	now := strings.Join(r.Pool.Active, ", ") + " " + verb
	if slices.Equal(r.Before, r.Pool.Active) {
		return now + " as before"
	}
	return fmt.Sprintf("%s now (was %s)", now, strings.Join(r.Before, ", "))
}

// until is " until 16:00:00", or with the date when that is not today.
func until(o *failover.Override) string {
	if o == nil || o.Until.IsZero() {
		return " until it is ended"
	}
	t, now := o.Until.UTC(), time.Now().UTC()
	if t.YearDay() == now.YearDay() && t.Year() == now.Year() {
		return " until " + t.Format("15:04:05 UTC")
	}
	return " until " + t.Format("2006-01-02 15:04:05 UTC")
}
