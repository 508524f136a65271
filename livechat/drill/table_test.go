package drill_test

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"
)

// row is a line of the table that the drills print: a drill, what was done to the chat, and what the people noticed.
type row struct {
	test     string
	what     string
	promised string // the bound that the drill held it to; "": none but that nothing is lost
	figures
	more         string // what else was measured
	runs, faults int    // of runs by chance that were put together
}

// results are the rows of this run.
var results struct {
	sync.Mutex
	rows []row
}

// report adds a row, unless the drill has failed: the table tells what was proved.
func report(t *testing.T, r row) {
	t.Helper()
	r.test = t.Name()
	t.Logf("%s: %v %s", r.what, r.figures, r.more)
	if t.Failed() {
		return
	}
	results.Lock()
	defer results.Unlock()
	results.rows = append(results.rows, r)
}

// sorted are the rows by test, then in the order in which they came.
func sorted() []row {
	results.Lock()
	defer results.Unlock()
	rows := slices.Clone(results.rows)
	slices.SortStableFunc(rows, func(a, b row) int { return cmp.Compare(a.test, b.test) })
	return rows
}

// printTable prints all rows.
func printTable(out io.Writer) {
	rows := sorted()
	if len(rows) == 0 {
		return
	}
	fmt.Fprintf(out, "\n%-34s %-46s %9s %9s  %-16s %6s %5s %7s %6s  %s\n", "drill", "what was done", "no socket", "slowest", "promised", "sent", "lost", "doubled", "order", "and")
	for _, r := range together(rows) {
		fmt.Fprintf(out, "%-34s %-46s %9v %9v  %-16s %6d %5d %7d %6d  %s\n", r.test, r.what, round(r.gap), round(r.slowest), r.promised, r.sent, r.lost, r.doubled, r.swapped, r.more)
	}
}
