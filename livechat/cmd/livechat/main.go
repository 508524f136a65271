// Command livechat is a deployment of a live chat that can be switched over without anybody noticing: the reference for
// docs/client-protocol.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
)

// version is set by -ldflags "-X main.version=1.4.0"; else it is that of the build.
var version string

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// command is a subcommand: bind declares its flags and returns what it does.
type command struct {
	name, summary, help string
	bind                func(*flag.FlagSet) func(ctx context.Context, stdout, stderr io.Writer) error
}

func commands() []command {
	return []command{serveCommand(), backupCommand(), restoreCommand(), tokenCommand()}
}

const usage = `livechat is one deployment of a live chat of which there are two.

  livechat COMMAND [flags]

`

// run does what the command line asks, and returns the exit status: 0 done, 1 not done, 2 not understood.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 || args[0] == "-h" || args[0] == "--help" || args[0] == "help" {
		fmt.Fprint(stdout, usage)
		for _, c := range commands() {
			fmt.Fprintf(stdout, "  %-9s%s\n", c.name, c.summary)
		}
		fmt.Fprintln(stdout, "\nlivechat COMMAND --help tells more; livechat --version which one it is.")
		return 0
	}
	if args[0] == "--version" || args[0] == "version" {
		fmt.Fprintln(stdout, buildVersion())
		return 0
	}
	for _, c := range commands() {
		if c.name == args[0] {
			return c.run(ctx, args[1:], stdout, stderr)
		}
	}
	fmt.Fprintf(stderr, "livechat: no command %q; see livechat --help\n", args[0])
	return 2
}

func (c command) run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	do := c.bind(flags)
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintf(stdout, "livechat %s: %s\n%s\nFlags:\n", c.name, c.summary, c.help)
		flags.SetOutput(stdout)
		flags.PrintDefaults()
		return 0
	case err != nil || flags.NArg() > 0:
		if err == nil {
			err = fmt.Errorf("unexpected argument %q", flags.Arg(0))
		}
		fmt.Fprintf(stderr, "livechat %s: %v; see livechat %s --help\n", c.name, err, c.name)
		return 2
	}
	if err := do(ctx, stdout, stderr); err != nil {
		fmt.Fprintf(stderr, "livechat %s: %v\n", c.name, err)
		return 1
	}
	return 0
}

// buildVersion is what a deployment compares with the other.
func buildVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
