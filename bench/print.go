package main

import (
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
)

func (r *report) print() {
	fmt.Printf("livens, %s\n", r.When.Format("2006-01-02 15:04"))
	if len(r.Detection) > 0 {
		r.printOne()
	}
	if len(r.Probes) > 0 {
		r.printProbes()
	}
	if len(r.Polls) > 0 {
		r.printPolls()
	}
	if len(r.Spread) > 0 {
		r.printCluster()
	}
}

func (r *report) printPolls() {
	fmt.Printf("\nPolls of the public Moderator, %d clients at once:\n\n", pollers)
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "HOW\tPOLLS A SECOND\tFOR A SECOND OF PROCESSOR TIME\tWRONG\tTARGET")
	for _, p := range r.Polls {
		fmt.Fprintf(w, "%s\t%.0f\t%.0f\t%d\t≥ %.0f%s\n", p.How, float64(p.Polls)/p.Seconds, p.PerCore, p.Wrong, p.Bound, missedWord(p.missed()))
	}
	w.Flush()
}

func (r *report) printOne() {
	fmt.Print("\nFrom a fault to the first answer without the dead deployment:\n\n")
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "PROFILE\tFAULT\tTRIALS\tMEDIAN\t95TH\tMAX\tTARGET")
	for _, d := range r.Detection {
		fmt.Fprintf(w, "%s\t%s\t%d\t%.3f s\t%.3f s\t%.3f s\t%s\n", d.Profile, d.Fault, d.Trials, d.Median, d.P95, d.Max, &d)
	}
	w.Flush()
	fmt.Print("\nGlitches that must switch nobody (defaults):\n\n")
	fmt.Fprintln(w, "GLITCH\tTRIALS\tSWITCHED\tTARGET")
	for _, g := range r.Glitches {
		fmt.Fprintf(w, "%s\t%d\t%d\t0\n", g.Name, g.Trials, g.Switched)
	}
	w.Flush()
	l := r.Load
	if l.Seconds == 0 {
		return
	}
	fmt.Printf("\nUnder load for %.0f s, %d reloads and %d switches: %d queries (%.0f a second), %d lost, %d wrong (target 0 and 0)\n",
		l.Seconds, l.Reloads, l.Switches, l.Queries, float64(l.Queries)/l.Seconds, l.Lost, l.Wrong)
	if l.First != "" {
		fmt.Printf("first wrong: %s\n", l.First)
	}
}

func (r *report) printCluster() {
	fmt.Print("\nA deployment killed under three nameservers that agree, and under one alone:\n\n")
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "PROFILE\tTRIALS\tAPART: MEDIAN\t99TH\tALL THREE SWITCHED\tALONE\tRATIO\tTARGET")
	for _, s := range r.Spread {
		fmt.Fprintf(w, "%s\t%d\t%.3f s\t%.3f s\t%.3f s\t%.3f s\t%.2f\tapart: median ≤ %.1f s, 99th ≤ %.0f s%s\n",
			s.Profile, s.Trials, s.Median, s.P99, s.Three, s.Lone, s.Ratio, spreadMedian, spreadP99, missedWord(s.missed()))
	}
	w.Flush()
	x := r.Rest
	if x == nil {
		return
	}
	fmt.Printf("\n%d nameservers with %d targets at rest for %.0f s, each:\n\n", x.Nameservers, x.Targets, x.Seconds)
	fmt.Fprintln(w, "WHAT\tMEASURED\tTARGET")
	fmt.Fprintf(w, "gossip, sent and received\t%.1f KB/s (sent, with IP headers: %.1f KB/s)\t≤ %.0f KB/s%s\n", x.Sockets, x.Wire, gossipBound, missedWord(x.Sockets > gossipBound))
	fmt.Fprintf(w, "processor\t%.1f %% of a core, alone %.1f %%\tdifference ≤ %.0f %%%s\n", 100*x.CPU, 100*x.Lone, 100*clusterBound, missedWord(x.CPU-x.Lone > clusterBound))
	fmt.Fprintf(w, "an order at one, answered by all\tmedian %.3f s, max %.3f s of %d\t≤ %.1f s%s\n", x.OrderMedian, x.OrderMax, x.Orders, orderBound, missedWord(x.OrderMax > orderBound))
	w.Flush()
}

func missedWord(missed bool) string {
	if missed {
		return ", MISSED"
	}
	return ""
}

// String is what the detection is held to, and whether it held.
func (d *detection) String() string {
	var parts []string
	if d.Target.Median > 0 {
		parts = append(parts, fmt.Sprintf("median ≤ %.2f s", d.Target.Median))
	}
	if d.Target.P95 > 0 {
		parts = append(parts, fmt.Sprintf("95th ≤ %.2f s", d.Target.P95))
	}
	if d.missed() {
		parts = append(parts, "MISSED")
	}
	return strings.Join(parts, ", ")
}

// missed counts the figures that are not what they should be.
func (r *report) missed() int {
	n := 0
	for _, d := range r.Detection {
		if d.missed() {
			n++
		}
	}
	for _, g := range r.Glitches {
		if g.Switched > 0 {
			n++
		}
	}
	for _, s := range r.Spread {
		if s.missed() {
			n++
		}
	}
	if r.Rest != nil {
		n += r.Rest.missed()
	}
	for _, p := range r.Probes {
		if p.missed() {
			n++
		}
	}
	for _, p := range r.Polls {
		if p.missed() {
			n++
		}
	}
	if r.Load.Lost+r.Load.Wrong > 0 {
		n++
	}
	return n
}
