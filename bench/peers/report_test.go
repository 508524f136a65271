package main

import (
	"bufio"
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
)

func sampled() *report {
	r := &report{Servers: []string{livens, "Knot", "NSD"}, Rounds: 3}
	for figure, of := range map[string]map[string][]float64{
		"a: answered for each second of processor time":                   {livens: {230, 300, 100}, "Knot": {200, 190, 210}, "NSD": {100, 100, 100}},
		"e: 100,000 a second, answered for each second of processor time": {livens: {90, 90, 90}, "Knot": {100, 100, 100}},
		"l: p99 at half load, µs":                                         {livens: {50, 60, 70}, "Knot": {50, 40, 60}, "NSD": {90, 90, 90}},
		"m: start with a million records, s":                              {livens: {1, 1, 1}, "Knot": {2, 2, 2}, "NSD": {0.5, 0.5, 0.5}},
		"d: lost at half load":                                            {livens: {0, 1, 0}},
	} {
		for server, values := range of {
			for _, v := range values {
				r.add(figure, server, v)
			}
		}
	}
	return r
}

// TestVerdicts: livens is held to the best peer, where more is better and where less is; to one peer where only that counts; and to
// itself where it has none.
func TestVerdicts(t *testing.T) {
	r := sampled()
	for figure, want := range map[string]struct {
		ratio float64
		of    string
		holds bool
	}{
		"a: answered for each second of processor time":                   {1.15, "Knot", true},
		"a: answered at saturation, a second":                             {math.NaN(), "", true}, // not measured
		"e: 100,000 a second, answered for each second of processor time": {0.9, "Knot", true},    // held to nothing
		"l: p99 at half load, µs":                                         {1.2, "Knot", false},
		"m: start with a million records, s":                              {0.5, "Knot", true}, // NSD is faster, and is not asked
		"d: lost at half load":                                            {0, "", true},
	} {
		for _, target := range targets {
			if target.figure != figure {
				continue
			}
			ratio, of, holds := r.verdict(livens, target)
			if same := math.Abs(ratio-want.ratio) < 1e-9 || math.IsNaN(ratio) && math.IsNaN(want.ratio); !same || of != want.of || holds != want.holds {
				t.Errorf("%s: %v of %q, holds %t; want %+v", figure, ratio, of, holds, want)
			}
		}
	}
}

// TestTableSaysWhatIsMissed, and with which spread.
func TestTableSaysWhatIsMissed(t *testing.T) {
	var out bytes.Buffer
	sampled().print(&out)
	for _, want := range []string{"1.15 × Knot", "1.20 × Knot", "1.20 × Knot, MISSED", "230 (±43 %)"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	if strings.Count(out.String(), "MISSED") != 1 {
		t.Errorf("not one figure is missed:\n%s", out.String())
	}
}

// TestPlotIsXML with a bar for each server of each figure that has peers.
func TestPlotIsXML(t *testing.T) {
	plot := sampled().plot()
	decoder := xml.NewDecoder(strings.NewReader(plot))
	for {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if n := strings.Count(plot, `class="bar"`) + strings.Count(plot, `class="own"`); n != 11 {
		t.Errorf("%d bars, want 11", n)
	}
}

// TestQueriesAreMixedAsSaid.
func TestQueriesAreMixedAsSaid(t *testing.T) {
	var b bytes.Buffer
	w := bufio.NewWriter(&b)
	queries(w, largeZone)
	w.Flush()
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	count := map[string]int{}
	for _, line := range lines {
		kind, _, _ := strings.Cut(line, "-")
		switch {
		case strings.Contains(line, ".wild."):
			kind = "wildcard"
		case strings.Contains(line, ".sub"):
			kind = "delegation"
		case strings.HasSuffix(line, " MX"):
			kind = "no such type"
		}
		count[kind]++
	}
	for kind, percent := range map[string]int{"host": 70, "none": 15, "no such type": 5, "wildcard": 5, "delegation": 5} {
		if got := count[kind] * 100 / queryNames; got != percent || len(lines) != queryNames {
			t.Errorf("%s: %d %%, want %d %%", kind, got, percent)
		}
	}
}

// TestRepliesAreJudged: who refuses, or says of every name that there is none, is not counted as fast.
func TestRepliesAreJudged(t *testing.T) {
	for name, c := range map[string]struct {
		list  string
		codes map[string]float64
		want  bool
	}{
		"pool":            {"pool.txt", map[string]float64{"NOERROR": 100_000}, true},
		"one malformed":   {"pool.txt", map[string]float64{"NOERROR": 99_999, "FORMERR": 1}, true},
		"nobody is there": {"pool.txt", nil, false},
		"refused":         {"pool.txt", map[string]float64{"REFUSED": 100_000}, false},
		"no such pool":    {"pool.txt", map[string]float64{"NXDOMAIN": 100_000}, false},
		"large":           {"large.txt", map[string]float64{"NOERROR": 85_000, "NXDOMAIN": 15_000}, true},
		"large, all hits": {"large.txt", map[string]float64{"NOERROR": 100_000}, false},
		"large, failing":  {"large.txt", map[string]float64{"NOERROR": 84_000, "NXDOMAIN": 15_000, "SERVFAIL": 1_000}, false},
	} {
		answered := 0.0
		for _, n := range c.codes {
			answered += n
		}
		err := sample{answered: answered, codes: c.codes}.proper(c.list)
		if (err == nil) != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestMovingToStill: only whole seconds of the flood count, and as many without a switch as with one are not needed.
func TestMovingToStill(t *testing.T) {
	answered := []float64{0, 2, 40, 100, 90, 90, 100, 100, 90, 30, 1, 0}
	with := func(second int) bool { return slices.Contains([]int{0, 2, 4, 5, 8, 9, 11}, second) }
	if got, err := movingToStill(answered, with); err != nil || math.Abs(got-0.9) > 1e-9 {
		t.Errorf("%v, %v, want 0.9", got, err)
	}
	for _, few := range [][]float64{nil, {0, 0}, {0, 90}, {0, 50, 90, 50}, {0, 0, 0, 0, 0, 50, 90, 50}} {
		if got, err := movingToStill(few, with); err == nil {
			t.Errorf("%v: %v, and there is nothing to compare", few, got)
		}
	}
}
