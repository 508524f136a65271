// Command bench measures livens as its users meet it: real processes, real sockets, real signals, in a network
// namespace of its own. It prints the tables of docs/performance.md.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/livens/livens/internal/stage"
)

func main() {
	stage.Main()
	plainMain()
	binary := flag.String("livens", "bin/livens", "the livens binary to measure")
	trials := flag.Int("trials", 50, "faults of each kind under each profile")
	loadTime := flag.Duration("load", 20*time.Second, "how long to ask while zones are reloaded and pools switched, and to watch nameservers at rest")
	settle := flag.Duration("settle", 20*time.Second, "how long nameservers are left alone after their start before they count as at rest")
	targets := flag.Int("targets", 1000, "what seven nameservers watch at rest")
	crowded := flag.Int("crowd", 10_000, "what one nameserver probes every second, where that is measured")
	onlyFaults := flag.Bool("faults", false, "measure only one nameserver's faults, and its answers meanwhile")
	only := flag.Bool("cluster", false, "measure only several nameservers")
	onlyProbes := flag.Bool("probes", false, "measure only the probing of very many targets")
	onlyPolls := flag.Bool("polls", false, "measure only the public Moderator")
	asJSON := flag.Bool("json", false, "print JSON instead of tables")
	flag.Parse()
	if os.Getenv(insideVariable) == "" {
		os.Exit(inNamespace())
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	b := &bench{ctx: ctx, binary: *binary, trials: *trials, loadTime: *loadTime, targets: *targets, crowded: *crowded, settle: *settle}
	if err := b.run(parts{faults: *onlyFaults, cluster: *only, polls: *onlyPolls, probes: *onlyProbes}, *asJSON); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// insideVariable marks the process that runs inside the namespace.
const insideVariable = "LIVENS_BENCH_INSIDE"

// inNamespace runs this program again in a network namespace of its own, where black holes hurt nobody.
func inNamespace() int {
	self, err := os.Executable()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		return 1
	}
	cmd := exec.Command(self, os.Args[1:]...)
	cmd.Env = append(os.Environ(), insideVariable+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGTERM}
	if err := cmd.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err, "(it needs root, for a network namespace)")
		return 1
	}
	return 0
}

// report is all that a run found.
type report struct {
	When      time.Time   `json:"when"`
	Detection []detection `json:"detection"`
	Glitches  []glitch    `json:"glitches"`
	Load      load        `json:"load"`
	Spread    []spread    `json:"spread"`
	Rest      *rest       `json:"rest,omitempty"`
	Polls     []polls     `json:"polls,omitempty"`
	Probes    []probes    `json:"probes,omitempty"`
}

// parts are what alone is to be measured; none: everything.
type parts struct{ faults, cluster, polls, probes bool }

// want says whether a part, one of only's, is to be measured.
func (only parts) want(part bool) bool { return part || only == (parts{}) }

func (b *bench) run(only parts, asJSON bool) (err error) {
	if b.binary, err = filepath.Abs(b.binary); err != nil {
		return err
	}
	if err := command("ip", "link", "set", "lo", "up"); err != nil {
		return err
	}
	if b.dir, err = os.MkdirTemp("", "livens-bench"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	r := &report{When: time.Now()}
	failed := b.measure(only, r)
	if asJSON {
		return errors.Join(failed, json.NewEncoder(os.Stdout).Encode(r))
	}
	r.print()
	if n := r.missed(); n > 0 {
		return errors.Join(failed, fmt.Errorf("%d figures are missed", n))
	}
	return failed
}

// measure fills in the report; after an error it holds what was measured by then.
func (b *bench) measure(only parts, r *report) (err error) {
	if only.want(only.faults) {
		if r.Detection, err = b.detectAll(); err != nil {
			return err
		}
		if r.Glitches, err = b.glitchAll(); err != nil {
			return err
		}
		if r.Load, err = b.underLoad(); err != nil {
			return err
		}
	}
	if only.want(only.probes) {
		if r.Probes, err = b.probeAll(); err != nil {
			return err
		}
	}
	if only.want(only.polls) {
		if r.Polls, err = b.pollAll(); err != nil {
			return err
		}
	}
	if only.want(only.cluster) {
		if r.Spread, err = b.spreadAll(); err != nil {
			return err
		}
		found, err := b.rest()
		if err != nil {
			return err
		}
		r.Rest = &found
	}
	return nil
}

// bench is one run.
type bench struct {
	ctx    context.Context
	binary string
	dir    string
	trials int
	runs   int

	loadTime time.Duration // how long whatever lasts is measured
	targets  int
	crowded  int
	settle   time.Duration
}

// folder is a new folder for one nameserver.
func (b *bench) folder() string {
	b.runs++
	return filepath.Join(b.dir, fmt.Sprint(b.runs))
}

// progress tells on standard error what is going on.
func progress(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

func command(name string, args ...string) error {
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s %v: %w: %s", name, args, err, out)
	}
	return nil
}
