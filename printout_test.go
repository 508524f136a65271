package livens_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// printout is what a step prints. Goroutines of one instant of fake time run in no fixed order: lines are put in order by
// when, and by whom, they were printed.
type printout struct {
	began time.Time
	mu    sync.Mutex
	lines []line
}

// line is one line of one or more nameservers.
type line struct {
	at    time.Time
	place int // of the nameserver
	count int // of its lines
	timed bool
	who   []string
	text  string
}

func newPrintout() *printout { return &printout{began: time.Now()} }

func (p *printout) begin() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lines = nil
}

func (p *printout) add(l line) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lines = append(p.lines, l)
}

// together is within what time several nameservers that print the same do so together.
const together = 100 * time.Millisecond

// text is what was printed. Where there are several nameservers each line bears the names of those who printed it at that
// time.
func (p *printout) text(names bool) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	slices.SortFunc(p.lines, func(a, b line) int {
		return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.place, b.place), cmp.Compare(a.count, b.count))
	})
	var out strings.Builder
	for _, l := range fold(p.lines) {
		if l.timed {
			out.WriteString(p.clock(l.at) + " ")
		}
		if names {
			out.WriteString(strings.Join(l.who, " ") + " ")
		}
		out.WriteString(l.text + "\n")
	}
	return out.String()
}

// fold makes one line of those that several nameservers printed together.
func fold(lines []line) []line {
	var out []line
	for _, l := range lines {
		i := slices.IndexFunc(out, func(o line) bool {
			return o.text == l.text && l.at.Sub(o.at) < together && !slices.Contains(o.who, l.who[0])
		})
		if i < 0 {
			out = append(out, l)
			continue
		}
		out[i].who = append(slices.Clone(out[i].who), l.who...)
		slices.Sort(out[i].who)
	}
	return out
}

func (p *printout) clock(t time.Time) string { return fmt.Sprintf("%6.1fs", t.Sub(p.began).Seconds()) }
