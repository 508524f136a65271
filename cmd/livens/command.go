package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/livens/livens/web"
	"github.com/livens/livens/zones"
)

// The exit statuses.
const (
	exitOK    = 0
	exitError = 1
	exitUsage = 2
)

// defaultConfig is where livens.toml is unless --config says otherwise.
const defaultConfig = "/etc/livens/livens.toml"

// env is what a command gets from the world and from the flags that every command has.
type env struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	config         string // path of livens.toml
	json           bool
}

// command is one subcommand.
type command struct {
	name    string
	args    []string // positional arguments, all required
	summary string   // one line
	help    string   // what it does, and examples
	noJSON  bool     // it prints no document
	// bind declares the command's own flags and returns what runs it.
	bind func(flags *flag.FlagSet) func(ctx context.Context, e *env, args []string) error
}

// commands lists the subcommands in the order of their use.
func commands() []command {
	return []command{
		serveCommand(), checkCommand(), reloadCommand(), statusCommand(), explainCommand(), eventsCommand(), diffCommand(),
		failoverCommand(), failbackCommand(), drainCommand(), undrainCommand(), snippetCommand(), keyCommand(), versionCommand(),
	}
}

// errReported ends a command with status 1 when what is wrong stands in its output already.
var errReported = errors.New("reported")

// usageError is a command line that was not understood.
type usageError struct{ text string }

func (e usageError) Error() string { return e.text }

func misuse(format string, args ...any) error { return usageError{fmt.Sprintf(format, args...)} }

// run carries out a command line and returns the exit status.
func run(args []string, e *env) int {
	if len(args) == 0 {
		fmt.Fprint(e.stderr, usage())
		return exitUsage
	}
	name, rest := args[0], args[1:]
	switch name {
	case "-h", "-help", "--help", "help":
		if name != "help" || len(rest) == 0 {
			fmt.Fprint(e.stdout, usage())
			return exitOK
		}
		name, rest = rest[0], []string{"--help"}
	case "-version", "--version":
		name = "version"
	}
	for _, c := range commands() {
		if c.name == name {
			return c.run(rest, e)
		}
	}
	fmt.Fprintf(e.stderr, "livens: no command %q%s; livens --help lists them\n", name, hint(name, names(commands())))
	return exitUsage
}

func (c *command) run(args []string, e *env) int {
	flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&e.config, "config", defaultConfig, "livens.toml of the server: `FILE`")
	if !c.noJSON {
		flags.BoolVar(&e.json, "json", false, "print one JSON document")
	}
	do := c.bind(flags)
	positional, err := parse(flags, args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(e.stdout, c.usage(flags))
		return exitOK
	}
	if err == nil {
		err = c.count(positional)
	}
	if err == nil {
		err = do(context.Background(), e, positional)
	}
	var misused usageError
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errReported):
		return exitError
	case errors.As(err, &misused):
		fmt.Fprintf(e.stderr, "livens %s: %v; livens %s --help tells more\n", c.name, err, c.name)
		return exitUsage
	}
	fmt.Fprintf(e.stderr, "livens %s: %v\n", c.name, err)
	return exitError
}

// count checks the number of positional arguments.
func (c *command) count(args []string) error {
	if len(args) < len(c.args) {
		return misuse("%s is missing", strings.Join(c.args[len(args):], " and "))
	}
	if len(args) > len(c.args) {
		return misuse("%q is one argument too many", args[len(c.args)])
	}
	return nil
}

// parse reads flags before, between and after positional arguments; after "--" nothing is a flag.
func parse(flags *flag.FlagSet, args []string) ([]string, error) {
	var positional, literal []string
	for i, a := range args {
		if a == "--" {
			args, literal = args[:i], args[i+1:]
			break
		}
	}
	for {
		if err := flags.Parse(args); err != nil {
			return nil, clearer(flags, err)
		}
		if flags.NArg() == 0 {
			return append(positional, literal...), nil
		}
		positional = append(positional, flags.Arg(0))
		args = flags.Args()[1:]
	}
}

// clearer puts the flag package's errors into livens's words.
func clearer(flags *flag.FlagSet, err error) error {
	if errors.Is(err, flag.ErrHelp) {
		return err
	}
	if name, ok := strings.CutPrefix(err.Error(), "flag provided but not defined: -"); ok {
		var known []string
		flags.VisitAll(func(f *flag.Flag) { known = append(known, "--"+f.Name) })
		return misuse("no flag --%s%s", name, hint("--"+name, known))
	}
	return misuse("%s", strings.ReplaceAll(err.Error(), " -", " --"))
}

// print writes the document for --json, or has text write the words.
func (e *env) print(document any, text func(*printer)) error {
	if e.json {
		out := json.NewEncoder(e.stdout)
		out.SetIndent("", "  ")
		return out.Encode(document)
	}
	p := newPrinter(e.stdout)
	text(p)
	return p.flush()
}

// client is the way to the running server of e.config.
func (e *env) client() (*web.Client, error) {
	c, problems := zones.LoadConfig(e.config)
	if errs := problems.Errors(); len(errs) > 0 {
		good, _ := zones.LastGoodConfig(c) // a server that started on it is reached all the same
		if good == nil {
			return nil, errors.New(errs[0].String())
		}
		c = good
	}
	return web.NewClient(c.State)
}
