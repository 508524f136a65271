package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// TestShortRun measures everything once, in little time: what must not depend on the machine's speed must hold. The parts
// mostly wait, each in a network namespace of its own, so they are measured side by side.
func TestShortRun(t *testing.T) {
	dir := t.TempDir()
	for path, pkg := range map[string]string{"livens": "../cmd/livens", "bench": "."} {
		if out, err := exec.Command("go", "build", "-o", filepath.Join(dir, path), pkg).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	checks := map[string]func(*testing.T, *report){
		"faults": checkFaults, "cluster": checkCluster, "probes": checkProbes, "polls": checkPolls,
	}
	var runs sync.WaitGroup
	for part, check := range checks { // not as parallel tests: of these only as many run as there are cores
		runs.Go(func() {
			if r, err := short(t.Context(), dir, part); err != nil {
				t.Errorf("%s: %v", part, err)
			} else {
				check(t, r)
			}
		})
	}
	runs.Wait()
}

// short measures one part in little time.
func short(ctx context.Context, dir, part string) (*report, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(dir, "bench"), "-livens", filepath.Join(dir, "livens"), "-"+part, "-trials", "1", "-load", "2s", "-targets", "100", "-crowd", "200", "-settle", "2s", "-json")
	var progress bytes.Buffer
	cmd.Stderr = &progress
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, progress.Bytes())
	}
	r := new(report)
	return r, json.Unmarshal(out, r)
}

func checkFaults(t *testing.T, r *report) {
	if len(r.Detection) != 6 {
		t.Errorf("%d kinds of detection, want 6", len(r.Detection))
	}
	for _, d := range r.Detection {
		if d.Trials != 1 || d.Median <= 0 {
			t.Errorf("nothing measured: %+v", d)
		}
	}
	if len(r.Glitches) != 2 || r.Load.Queries == 0 || r.Load.Reloads == 0 || r.Load.Switches == 0 {
		t.Errorf("something was left out: %+v %+v", r.Glitches, r.Load)
	}
	if r.Load.Lost > 0 || r.Load.Wrong > 0 {
		t.Errorf("%d queries lost, %d answered wrongly: %s", r.Load.Lost, r.Load.Wrong, r.Load.First)
	}
}

func checkCluster(t *testing.T, r *report) {
	if len(r.Spread) != 2 || r.Rest.Nameservers != 7 || r.Rest.Targets != 100 || r.Rest.Orders != 1 {
		t.Errorf("something of the cluster was left out: %+v %+v", r.Spread, r.Rest)
	}
	for _, s := range r.Spread {
		if s.Trials != 1 || s.Three <= 0 || s.Lone <= 0 || s.Ratio <= 0 {
			t.Errorf("nothing measured: %+v", s)
		}
	}
	for what, value := range map[string]float64{
		"sockets": r.Rest.Sockets, "wire": r.Rest.Wire, "processor": r.Rest.CPU, "orders": r.Rest.OrderMedian,
	} {
		if value <= 0 {
			t.Errorf("%s: nothing measured", what)
		}
	}
}

func checkProbes(t *testing.T, r *report) {
	if len(r.Probes) != 3 {
		t.Errorf("%d ways of probing, want 3", len(r.Probes))
	}
	for _, p := range r.Probes {
		if p.Targets != 200 || p.Rate < 50 || p.CPU <= 0 || p.Resident <= 0 {
			t.Errorf("nothing measured: %+v", p)
		}
	}
}

// checkPolls wants all ways of asking the public Moderator measured, and its answers right.
func checkPolls(t *testing.T, r *report) {
	if len(r.Polls) != 4 {
		t.Errorf("%d ways of asking, want 4", len(r.Polls))
	}
	for _, p := range r.Polls {
		if p.Polls == 0 || p.Wrong > 0 || p.CPU <= 0 {
			t.Errorf("measured: %+v", p)
		}
	}
}

func TestQuantile(t *testing.T) {
	values := []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	for q, want := range map[float64]float64{0.5: 5, 0.95: 10, 0.9: 9, 0: 1, 1: 10} {
		if got := quantile(values, q); got != want {
			t.Errorf("quantile %v = %v, want %v", q, got, want)
		}
	}
}
