// Command peers sets livens beside the nameservers that its users would pick instead: each alone on one core, asked by dnsperf and
// kxdpgun from another core and another network namespace, in rounds that take turns. It prints the table of docs/performance.md,
// and writes it as CSV and as a plot.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

func main() {
	if server := os.Getenv(probeVariable); server != "" {
		os.Exit(probe(server))
	}
	binary := flag.String("livens", "bin/livens", "the livens binary to measure")
	rounds := flag.Int("rounds", 7, "rounds, in which every server has its turn; where (a) and (b) ask one after the other, twice as many, half as long at most")
	seconds := flag.Int("seconds", 3, "how long each is asked in a round, for each figure")
	only := flag.String("only", "", "the works to measure, by letters: a and b as the table has them, e (a) 100,000 times a second, c TCP, l latency, d switches, m a million records, n 10,000 zones; default: all")
	names := flag.String("servers", "", "the servers to measure beside livens, with commas; default: all")
	out := flag.String("out", "bin/peers", "the folder for the CSV and the plot")
	million := flag.Bool("million", true, "measure the start with a million records, too")
	asJSON := flag.Bool("json", false, "print JSON instead of tables")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	c := &contest{ctx: ctx, binary: *binary, rounds: *rounds, seconds: *seconds, only: *only, million: *million}
	if *names != "" {
		c.names = strings.Split(*names, ",")
	}
	if err := run(c, *out, *asJSON); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

func run(c *contest, out string, asJSON bool) (err error) {
	if c.binary, err = filepath.Abs(c.binary); err != nil {
		return err
	}
	if c.dir, err = os.MkdirTemp("", "livens-peers"); err != nil {
		return err
	}
	defer os.RemoveAll(c.dir)
	r := &report{When: time.Now(), Rounds: c.rounds, Seconds: c.seconds}
	failed := c.measure(r)
	if len(r.Values) == 0 && failed != nil {
		return failed
	}
	if err := r.write(out); err != nil { // also what was measured before something failed
		return errors.Join(failed, err)
	}
	if asJSON {
		return errors.Join(failed, json.NewEncoder(os.Stdout).Encode(r))
	}
	r.print(os.Stdout)
	fmt.Printf("\nwritten: %s\n", filepath.Join(out, "peers.{csv,svg}"))
	return failed
}

func progress(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
