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

The order holds on all nameservers, on whichever it is given; one that is not reached now learns of it
when it is again.

With --at it is a planned switch: the TTL falls early enough, and at that time all nameservers switch
together, provided that the deployment is fit for it. --dry-run tells all of that before.

  livens failover chat --to redundant
  livens failover chat --to redundant --for 2h --reason "disk swap in fra"
  livens failover chat --to redundant --at 02:00 --for 2h --reason "db upgrade" --dry-run
  livens failover chat --to redundant --force --for 10m`,
		bind: func(flags *flag.FlagSet) func(context.Context, *env, []string) error {
			o := order{Order: failover.Order{Verb: failover.DoFailover}}
			flags.StringVar(&o.Deployment, "to", "", "the deployment that is to answer: `DEPLOYMENT`")
			o.bind(flags)
			o.bindAt(flags)
			return func(ctx context.Context, e *env, args []string) error {
				if o.Deployment == "" {
					return misuse("--to DEPLOYMENT is missing")
				}
				o.Pool = args[0]
				return o.give(ctx, e)
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
			o := order{Order: failover.Order{Verb: failover.DoFailback}}
			o.bind(flags)
			return func(ctx context.Context, e *env, args []string) error {
				o.Pool = args[0]
				return o.give(ctx, e)
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
			o := order{Order: failover.Order{Verb: failover.DoDrain}}
			o.bind(flags)
			o.bindAt(flags)
			return func(ctx context.Context, e *env, args []string) error {
				o.Pool, o.Deployment = args[0], args[1]
				return o.give(ctx, e)
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
			o := order{Order: failover.Order{Verb: failover.DoUndrain}}
			flags.StringVar(&o.Why, "reason", "", "why, for the log: `TEXT`")
			o.bindDry(flags)
			return func(ctx context.Context, e *env, args []string) error {
				o.Pool, o.Deployment = args[0], args[1]
				return o.give(ctx, e)
			}
		},
	}
}

// order is an order as it stands on the command line.
type order struct {
	failover.Order
	at  string // when it begins, as written; "": at once
	dry bool   // only tell what it would bring
}

func (o *order) bind(flags *flag.FlagSet) {
	flags.DurationVar(&o.For, "for", 0, "how long the order holds, such as 30m or 2h (default until it is ended): `TIME`")
	flags.StringVar(&o.Why, "reason", "", "why, shown in the status and the log: `TEXT`")
	flags.BoolVar(&o.Force, "force", false, "do it though it may take the service down; needs --for")
	o.bindDry(flags)
}

func (o *order) bindAt(flags *flag.FlagSet) {
	flags.StringVar(&o.at, "at", "", "when it begins (default at once): 02:00 and \"2026-03-01 02:00\" local, RFC 3339, or +30m: `WHEN`")
}

func (o *order) bindDry(flags *flag.FlagSet) {
	flags.BoolVar(&o.dry, "dry-run", false, "only tell what would happen, and when")
}

// give sends an order to the running server and prints the receipt, or what it would bring.
func (o *order) give(ctx context.Context, e *env) error {
	if err := o.complete(time.Now()); err != nil {
		return err
	}
	client, err := e.client()
	if err != nil {
		return err
	}
	if o.dry {
		forecast, err := client.Foresee(ctx, o.Order)
		if err != nil {
			return err
		}
		return e.print(forecast, func(p *printer) { p.foreseen(forecast, time.Now()) })
	}
	receipt, err := client.Order(ctx, o.Order)
	if err != nil {
		return err
	}
	return e.print(receipt, func(p *printer) { p.hang(o.Pool+": ", receiptWords(o.Order, receipt, time.Now())) })
}

// complete puts what is written into the order.
func (o *order) complete(now time.Time) (err error) {
	if o.For < 0 {
		return misuse("--for %v lies in the past", o.For)
	}
	if o.Force && o.For == 0 {
		return misuse("--force needs --for: say for how long")
	}
	if o.at != "" {
		if o.At, err = parseAt(o.at, now); err != nil {
			return misuse("--at: %v", err)
		}
	}
	o.Who = who()
	return nil
}

// who gives the order: the person behind sudo, if any.
func who() string {
	name := fmt.Sprintf("uid %d", os.Getuid())
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	return cmp.Or(os.Getenv("SUDO_USER"), os.Getenv("USER"), name)
}

// receiptWords says what came of an order: "redundant answers now (was primary); the order holds until …; …".
func receiptWords(o failover.Order, r *web.Receipt, now time.Time) string {
	parts := orderParts(o, r, now)
	if r.Pool.Pending != "" && !planned(r, now) {
		parts = append(parts, r.Pool.Pending)
	}
	if len(r.Followers) > 0 {
		verb := " follows"
		if len(r.Followers) > 1 {
			verb = " follow"
		}
		parts = append(parts, strings.Join(r.Followers, ", ")+verb)
	}
	if len(r.Known) > 0 {
		parts = append(parts, spreadWords(r))
	}
	return strings.Join(parts, "; ")
}

func planned(r *web.Receipt, now time.Time) bool {
	return r.Override != nil && r.Override.From.After(now)
}

// orderParts say what was ordered, and who answers.
func orderParts(o failover.Order, r *web.Receipt, now time.Time) []string {
	answers := slices.Contains(r.Pool.Active, o.Deployment)
	switch {
	case planned(r, now):
		return []string{"planned " + in(r.Override.From, now) + ": " + strings.TrimPrefix(orderWords(r.Override, now), "planned "), whoAnswers(r)}
	case o.Verb == failover.DoDrain:
		return []string{o.Deployment + " is drained" + until(r.Override), whoAnswers(r)}
	case o.Verb == failover.DoUndrain:
		return []string{o.Deployment + " is no longer drained", whoAnswers(r)}
	case o.Verb == failover.DoFailover && r.Override != nil && answers:
		return []string{whoAnswers(r), "the order holds" + until(r.Override)}
	case o.Verb == failover.DoFailover && r.Override != nil:
		return []string{whoAnswers(r), "the order holds" + until(r.Override) + ", and " + o.Deployment + " will answer by the failback rule (" + r.Pool.Failback + ")"}
	case o.Verb == failover.DoFailback && r.Override != nil && !slices.Contains(r.Pool.Active, r.Override.Deployment):
		return []string{whoAnswers(r), "the order waits" + until(r.Override)}
	}
	return []string{whoAnswers(r)}
}

// spreadWords say which nameservers have the order.
func spreadWords(r *web.Receipt) string {
	words := fmt.Sprintf("known to %d of %d nameservers", len(r.Known), len(r.Known)+len(r.Untold))
	if len(r.Untold) > 0 {
		words += ", not yet to " + strings.Join(r.Untold, ", ")
	}
	return words
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

// until is " until 2026-03-01 04:00:00 +01:00".
func until(o *failover.Override) string {
	if o == nil || o.Until.IsZero() {
		return " until it is ended"
	}
	return " until " + clock(o.Until)
}
