// Command bench measures livens as its users meet it: real processes, real sockets, real signals, in a network
// namespace of its own. It prints the tables of docs/performance.md.
package main

import (
	"context"
	"encoding/json"
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
	binary := flag.String("livens", "bin/livens", "the livens binary to measure")
	trials := flag.Int("trials", 50, "faults of each kind under each profile")
	loadTime := flag.Duration("load", 20*time.Second, "how long to ask while zones are reloaded and pools switched")
	asJSON := flag.Bool("json", false, "print JSON instead of tables")
	flag.Parse()
	if os.Getenv(insideVariable) == "" {
		os.Exit(inNamespace())
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *binary, *trials, *loadTime, *asJSON); err != nil {
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
}

func run(ctx context.Context, binary string, trials int, loadTime time.Duration, asJSON bool) error {
	binary, err := filepath.Abs(binary)
	if err != nil {
		return err
	}
	if err := command("ip", "link", "set", "lo", "up"); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "livens-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &bench{ctx: ctx, binary: binary, dir: dir, trials: trials, loadTime: loadTime}
	r := report{When: time.Now()}
	if r.Detection, err = b.detectAll(); err != nil {
		return err
	}
	if r.Glitches, err = b.glitchAll(); err != nil {
		return err
	}
	if r.Load, err = b.underLoad(); err != nil {
		return err
	}
	if asJSON {
		return json.NewEncoder(os.Stdout).Encode(r)
	}
	r.print()
	if n := r.missed(); n > 0 {
		return fmt.Errorf("%d figures are missed", n)
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

	loadTime time.Duration
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
