package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/livens/livens/internal/process"
)

// probes is what it costs to probe very many targets every second.
type probes struct {
	How      string  `json:"how"`
	Targets  int     `json:"targets"`
	Rate     float64 `json:"probes_a_second"`
	CPU      float64 `json:"cpu"`         // of a core
	Resident float64 `json:"resident_mb"` // MB
	Late     float64 `json:"late"`        // share of the probes that started more than 100 ms after their time
	bounded  bool
}

const (
	probesCPU      = 0.4   // of a core
	probesResident = 300.0 // MB
	probesLate     = 0.01  // so that the 99th percentile is within 100 ms
)

func (p *probes) missed() bool {
	return p.bounded && (p.CPU > probesCPU || p.Resident > probesResident || p.Late > probesLate)
}

func (b *bench) probeAll() ([]probes, error) {
	plain, err := b.plain()
	if err != nil {
		return nil, err
	}
	plain.tell()
	all := []probes{plain}
	for _, kind := range []struct {
		profile
		bounded bool
	}{
		{profile{name: "http, kept alive", check: "keep_alive = \"60s\"\n"}, true},
		{profile{name: "https, kept alive", check: "keep_alive = \"60s\"\ninsecure = true\n", secure: true}, false},
	} {
		p, err := b.probe(kind.profile)
		if err != nil {
			return nil, err
		}
		p.bounded = kind.bounded
		all = append(all, p)
		p.tell()
	}
	return all, nil
}

func (p *probes) tell() {
	progress("%s: %d targets, %.0f probes a second: %.0f %% of a core, %.0f MB, %.2f %% late", p.How, p.Targets, p.Rate, 100*p.CPU, p.Resident, 100*p.Late)
}

func (b *bench) probe(kind profile) (p probes, err error) {
	p = probes{How: kind.name, Targets: b.crowded}
	everybody, zone, err := b.many(kind, p.Targets)
	if err != nil {
		return p, err
	}
	defer everybody.Kill()
	alone, err := b.gather(1, zone)
	if err != nil {
		return p, err
	}
	defer alone.stop()
	n := alone.members[0]
	// Connections are spread over a minute, and all targets up, before it is as it stays.
	err = process.Await(b.ctx, time.Minute, func() error {
		time.Sleep(lookPause)
		if a, err := answer(alone.askers[0], p.Targets/2-1); err != nil || a != numbered(1, p.Targets/2-1) {
			return errors.New("the last pool is not answered for by its primary")
		}
		return nil
	})
	if err != nil {
		return p, err
	}
	time.Sleep(b.settle)
	status, err := n.Client.Status(b.ctx)
	if err != nil {
		return p, err
	}
	pid := status.Listen.Pid
	before, err := b.probed(alone)
	if err != nil {
		return p, err
	}
	if p.CPU, err = b.idle(alone); err != nil {
		return p, err
	}
	after, err := b.probed(alone)
	if err != nil {
		return p, err
	}
	started := float64(after.started - before.started)
	p.Rate = started / after.at.Sub(before.at).Seconds()
	p.Late = float64(after.late-before.late) / started
	p.Resident, err = resident(pid)
	return p, err
}

// probed is how many probes have been started by a moment.
type probed struct {
	at            time.Time
	started, late uint64
}

func (b *bench) probed(c *crowd) (probed, error) {
	status, err := c.members[0].Client.Status(b.ctx)
	if err != nil {
		return probed{}, err
	}
	sum := probed{at: time.Now(), late: status.Probing.Late}
	for _, p := range status.Pools {
		for _, t := range p.Targets {
			sum.started += t.Probes
		}
	}
	return sum, nil
}

// resident is what a process holds in memory, in MB.
func resident(pid int) (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(text), "VmRSS:")
	kilobytes, err := strconv.Atoi(strings.Fields(rest)[0])
	return float64(kilobytes) * 1024 / 1e6, err
}

func (r *report) printProbes() {
	fmt.Print("\nVery many targets, each probed every second by one nameserver, and by a few lines of Go beside it:\n\n")
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "HOW\tTARGETS\tPROBES A SECOND\tOF A CORE\tRESIDENT\tOVER 100 MS LATE\tTARGET")
	for _, p := range r.Probes {
		target := "–"
		if p.bounded {
			target = fmt.Sprintf("≤ %.0f %%, ≤ %.0f MB, ≤ %.0f %%%s", 100*probesCPU, probesResident, 100*probesLate, missedWord(p.missed()))
		}
		late := fmt.Sprintf("%.2f %%", 100*p.Late)
		if p.How == plainly {
			late = "–" // nobody counts them
		}
		fmt.Fprintf(w, "%s\t%d\t%.0f\t%.1f %%\t%.0f MB\t%s\t%s\n", p.How, p.Targets, p.Rate, 100*p.CPU, p.Resident, late, target)
	}
	w.Flush()
}
