package main

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"strings"

	"github.com/livens/livens/zones"
)

func checkCommand() command {
	return command{
		name: "check", summary: "find what is wrong with the configuration, the targets and the delegation",
		help: `
Reads livens.toml and all zones and prints every error and warning of all files at once. Nothing is
changed, and no server needs to run.

--probe also probes every target once and says what each pool would answer on these results alone.

--delegation also asks the parent zone's nameservers for the delegation of every zone, compares it with
the zone's own NS records and addresses, and asks every nameserver over UDP and TCP.

The exit status is 1 when there are errors; warnings refuse nothing.

  livens check
  livens check --probe --config ./livens.toml
  livens check --delegation --resolver 9.9.9.9`,
		bind: func(flags *flag.FlagSet) func(context.Context, *env, []string) error {
			var o checkOptions
			flags.BoolVar(&o.probe, "probe", false, "probe every target once, and say what would be answered")
			flags.BoolVar(&o.delegation, "delegation", false, "compare with the parent zone, and ask every nameserver")
			flags.StringVar(&o.resolver, "resolver", "", "recursive resolver for --delegation, `ADDRESS[:PORT]` (default from /etc/resolv.conf)")
			return func(ctx context.Context, e *env, _ []string) error { return check(ctx, e, o) }
		},
	}
}

type checkOptions struct {
	probe, delegation bool
	resolver          string
}

// checked is the document of livens check.
type checked struct {
	OK          bool             `json:"ok"` // no errors
	Zones       int              `json:"zones"`
	Pools       int              `json:"pools"`
	Deployments int              `json:"deployments"`
	Observers   int              `json:"observers,omitempty"` // of the cluster, this nameserver among them; 0: there is none
	Problems    zones.Problems   `json:"problems"`
	Probes      []probedPool     `json:"probes,omitempty"`     // with --probe
	Delegations []*delegatedZone `json:"delegation,omitempty"` // with --delegation
}

func check(ctx context.Context, e *env, o checkOptions) error {
	if o.resolver != "" && !o.delegation {
		return misuse("--resolver is for --delegation")
	}
	config, problems := zones.LoadConfig(e.config)
	set, more := zones.Validate(config)
	problems = slices.Concat(problems, zones.CheckFiles(config), more)
	found := &checked{Zones: len(set.Zones), Pools: len(set.Pools), Problems: problems}
	for _, p := range set.Pools {
		found.Deployments += len(p.Deployments)
	}
	if config.Cluster != nil {
		found.Observers = len(config.Cluster.Peers) + 1
	}
	if o.probe {
		found.Probes = probeAll(ctx, config, set)
	}
	if o.delegation {
		d, err := newDelegation(o.resolver)
		if err != nil {
			return err
		}
		found.Delegations = d.check(ctx, set)
	}
	found.OK = found.errors() == 0
	if err := e.print(found, func(p *printer) { p.checked(found) }); err != nil {
		return err
	}
	if !found.OK {
		return errReported
	}
	return nil
}

// errors counts what makes the exit status 1. That a target does not pass its check now is none: deployments may be
// down.
func (c *checked) errors() int {
	n := len(c.Problems.Errors())
	for _, d := range c.Delegations {
		n += d.count(severe)
	}
	return n
}

func (c *checked) warnings() int {
	n := len(c.Problems.Warnings())
	for _, d := range c.Delegations {
		n += d.count(unwise)
	}
	return n
}

func (p *printer) checked(c *checked) {
	p.list(c.Problems)
	for i := range c.Probes {
		p.probed(&c.Probes[i])
	}
	for i := range c.Delegations {
		p.delegated(c.Delegations[i])
	}
	p.line("%s", p.summary(c))
}

// summary is "3 zones, 2 pools, 4 deployments, 3 observers of which 2 decide: ok, 1 warning".
func (p *printer) summary(c *checked) string {
	verdict := p.paint(good, "ok")
	if n := c.errors(); n > 0 {
		verdict = p.paint(bad, count(n, "error"))
	}
	if n := c.warnings(); n > 0 {
		verdict += ", " + p.paint(unwell, count(n, "warning"))
	}
	observers := ""
	if c.Observers > 0 {
		observers = fmt.Sprintf(", %s of which %d decide", count(c.Observers, "observer"), c.Observers/2+1)
	}
	return fmt.Sprintf("%s, %s, %s%s: %s", count(c.Zones, "zone"), count(c.Pools, "pool"), count(c.Deployments, "deployment"), observers, verdict)
}

// list writes problems, one each line.
func (p *printer) list(problems zones.Problems) {
	for _, problem := range problems {
		color := bad
		if problem.Warning {
			color = unwell
		}
		where, what, _ := strings.Cut(problem.String(), ": ")
		p.paragraph(p.paint(color, where+":") + " " + what)
	}
}
