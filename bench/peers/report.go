package main

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// report is all that a run found.
type report struct {
	When     time.Time                       `json:"when"`
	Rounds   int                             `json:"rounds"`
	Seconds  int                             `json:"seconds"`
	Servers  []string                        `json:"servers"` // livens first
	Versions []string                        `json:"versions"`
	Values   map[string]map[string][]float64 `json:"values"` // by figure and server, one for each round
}

func (r *report) add(figure, server string, v float64) {
	if r.Values == nil {
		r.Values = map[string]map[string][]float64{}
	}
	if r.Values[figure] == nil {
		r.Values[figure] = map[string][]float64{}
	}
	r.Values[figure][server] = append(r.Values[figure][server], v)
}

// target is what livens' figure is held to, as a ratio to the best peer, or as it is.
type target struct {
	figure string
	bound  float64 // infinite: it is reported, and held to nothing
	less   bool    // less is better
	alone  bool    // the figure itself is bounded, not its ratio
	than   string  // the one peer that counts; "": the best
}

var targets = []target{
	{figure: "a: answered for each second of processor time", bound: 1.15},
	{figure: "a: answered at saturation, a second", bound: 1.15},
	{figure: "b: answered for each second of processor time", bound: 1.15},
	{figure: "b: answered at saturation, a second", bound: 1},
	{figure: "e: 100,000 a second, answered for each second of processor time", bound: math.Inf(1)},
	{figure: "c: answered for each second of processor time", bound: 1},
	{figure: "l: p50 at half load, µs", bound: math.Inf(1), less: true},
	{figure: "l: p99 at half load, µs", bound: 1.1, less: true},
	{figure: "l: p99.9 at half load, µs", bound: 1.5, less: true},
	{figure: "l: lost", bound: 0, less: true, alone: true},
	{figure: "d: at saturation, against (a)", bound: 0.97, alone: true},
	{figure: "d: lost at half load", bound: 0, less: true, alone: true},
	{figure: "d: lost or wrong, of the probes", bound: 0, less: true, alone: true},
	{figure: "m: start with a million records, s", bound: 1, less: true, than: "Knot"},
	{figure: "m: processor time of the start with a million records, s", bound: math.Inf(1), less: true},
	{figure: "m: resident with a million records, MB", bound: 1, less: true, than: "Knot"},
	{figure: "m: most ever resident with a million records, MB", bound: math.Inf(1), less: true},
	{figure: "m: later start with a million records, s", bound: math.Inf(1), less: true, alone: true},
	{figure: "n: start with 10,000 zones, s", bound: math.Inf(1), less: true},
	{figure: "n: resident with 10,000 zones, MB", bound: math.Inf(1), less: true},
	{figure: "n: most ever resident with 10,000 zones, MB", bound: math.Inf(1), less: true},
	{figure: "n: later start with 10,000 zones, s", bound: math.Inf(1), less: true, alone: true},
}

// bestPeer is the best median of a figure of which more is better, XDP left out.
func (r *report) bestPeer(figure string) float64 {
	_, v := r.best(livens, target{figure: figure})
	return v
}

// best names the peer that livens is compared with, and its median. Beside livens without XDP only those without count.
func (r *report) best(own string, t target) (name string, best float64) {
	for _, s := range r.Servers {
		values := r.Values[t.figure][s]
		if s == livens || s == livensXDP || own == livens && strings.HasSuffix(s, "XDP") || len(values) == 0 || t.than != "" && t.than != s {
			continue
		}
		if v := median(values); name == "" || t.less == (v < best) {
			name, best = s, v
		}
	}
	return name, best
}

// verdict is livens' figure, with or without XDP, against its target: the ratio, or the figure itself, and whether it holds.
func (r *report) verdict(own string, t target) (ratio float64, of string, holds bool) {
	ratio = median(r.Values[t.figure][own])
	if math.IsNaN(ratio) {
		return ratio, "", true
	}
	if !t.alone {
		var best float64
		if of, best = r.best(own, t); of == "" {
			return math.NaN(), "", true
		}
		ratio /= best
	}
	if t.less {
		return ratio, of, ratio <= t.bound
	}
	return ratio, of, ratio >= t.bound || math.IsInf(t.bound, 1)
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

// spread is how far the middle half of the values is apart, as a share of their median.
func spread(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	if len(sorted) == 0 {
		return 0
	}
	return (sorted[len(sorted)*3/4] - sorted[len(sorted)/4]) / median(sorted)
}

// print prints the table: medians, in brackets the spread.
func (r *report) print(out io.Writer) {
	fmt.Fprintf(out, "%s, %d rounds of %d s, one core each for server and load\n%s\n\n", r.When.Format("2006-01-02 15:04"), r.Rounds, r.Seconds, strings.Join(r.Versions, ", "))
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "FIGURE\t%s\tLIVENS TO BEST PEER\tLIVENS XDP TO BEST OF ALL\tTARGET\n", strings.ToUpper(strings.Join(r.Servers, "\t")))
	for _, t := range targets {
		if r.Values[t.figure] == nil {
			continue
		}
		fmt.Fprint(w, t.figure)
		for _, s := range r.Servers {
			fmt.Fprintf(w, "\t%s", cell(r.Values[t.figure][s]))
		}
		for _, own := range []string{livens, livensXDP} {
			fmt.Fprintf(w, "\t%s", ratioText(r.verdict(own, t)))
		}
		fmt.Fprintf(w, "\t%s\n", t.text())
	}
	w.Flush()
}

// cell is a median, and how far the rounds lie apart.
func cell(values []float64) string {
	if len(values) == 0 {
		return "–"
	}
	m := median(values)
	text := fmt.Sprintf("%.2f", m)
	switch {
	case m >= 10000:
		text = fmt.Sprintf("%.0f k", m/1000)
	case m >= 1000:
		text = fmt.Sprintf("%.1f k", m/1000)
	case m >= 10 || m == 0:
		text = fmt.Sprintf("%.0f", m)
	}
	if s := spread(values); m != 0 && len(values) > 2 {
		text += fmt.Sprintf(" (±%.0f %%)", 50*s)
	}
	return text
}

func ratioText(ratio float64, of string, holds bool) string {
	if math.IsNaN(ratio) {
		return "–"
	}
	text := fmt.Sprintf("%.2f", ratio)
	if of != "" {
		text += " × " + of
	}
	if !holds {
		text += ", MISSED"
	}
	return text
}

func (t target) text() string {
	if math.IsInf(t.bound, 0) {
		return "–"
	}
	sign := "≥"
	if t.less {
		sign = "≤"
	}
	return fmt.Sprintf("%s %.2f", sign, t.bound)
}

// figures are the names of all that was measured, in order.
func (r *report) figures() []string { return slices.Sorted(maps.Keys(r.Values)) }
