package drill_test

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// figures are what the people of a drill noticed.
type figures struct {
	gap     time.Duration // the longest that a page was without a welcomed socket
	slowest time.Duration // the longest from saying something to the other party's page showing it
	sent    int
	lost    int // never shown, or not in both transcripts
	doubled int
	swapped int // shown before what its sender said earlier
}

func (f figures) String() string {
	return fmt.Sprintf("without a socket %v, slowest message %v; %d sent, %d lost, %d doubled, %d out of order",
		round(f.gap), round(f.slowest), f.sent, f.lost, f.doubled, f.swapped)
}

func round(d time.Duration) time.Duration { return d.Round(time.Millisecond) }

// worse takes what is worse of each, and adds what is counted.
func (f figures) worse(other figures) figures {
	return figures{max(f.gap, other.gap), max(f.slowest, other.slowest), f.sent + other.sent, f.lost + other.lost, f.doubled + other.doubled, f.swapped + other.swapped}
}

// transcript is what one page holds of one conversation in the end.
type transcript struct {
	Name  string   `json:"name"`
	C     string   `json:"c"`
	Texts []string `json:"texts"`
	Marks []string `json:"marks"`
}

// spoken splits what a speaker said into its line and its number.
func spoken(text string) (line string, n int) {
	line, number, _ := strings.Cut(text, " ")
	n, _ = strconv.Atoi(number)
	return line, n
}

// withoutSocket is the longest time between two moments in which no socket of the page was ready. A page that was left has
// none, and before its first it had not begun.
func withoutSocket(events []event, from, to time.Time) (longest time.Duration) {
	open, hole := map[int]bool{}, time.Time{}
	end := func(at time.Time) {
		if !hole.IsZero() && at.After(from) {
			longest = max(longest, at.Sub(latest(hole, from)))
		}
		hole = time.Time{}
	}
	for _, e := range events {
		at := e.time()
		if at.After(to) {
			break
		}
		had := len(open) > 0
		switch e.Kind {
		case "ready":
			open[e.ID] = true
			end(at)
		case "closed":
			delete(open, e.ID)
		case "pagehide", "load":
			clear(open)
		}
		if had && len(open) == 0 {
			hole = at
		}
	}
	end(to)
	return longest
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// count judges what one side said by what the other was shown. The slowest is of those said between two moments.
func count(speaking, listening *party, from, to time.Time) (f figures) {
	said, refused := map[string]time.Time{}, map[string]bool{}
	for _, e := range speaking.seen(time.Time{}) {
		switch e.Kind {
		case "said":
			said[e.Text] = e.time()
		case "refused":
			refused[e.Text] = true
		}
	}
	shown := show(&f, listening.seen(time.Time{}), said)
	for text, at := range said {
		if refused[text] {
			continue
		}
		f.sent++
		first, ok := shown[text]
		if !ok {
			f.lost++
			first = time.Now()
		}
		if !at.Before(from) && at.Before(to) {
			f.slowest = max(f.slowest, first.Sub(at))
		}
	}
	return f
}

// show finds when each text was first shown, and counts those shown twice, or after a later one of their line, on one and
// the same load of the page.
func show(f *figures, events []event, said map[string]time.Time) map[string]time.Time {
	first, once, last := map[string]time.Time{}, map[string]bool{}, map[string]int{}
	for _, e := range events {
		if _, ours := said[e.Text]; e.Kind != "got" || !ours {
			continue
		}
		line, n := spoken(e.Text)
		here, inLine := fmt.Sprint(e.load, " ", e.Text), fmt.Sprint(e.load, " ", line)
		switch {
		case once[here]:
			f.doubled++
		case n < last[inLine]:
			f.swapped++
		}
		if _, ok := first[e.Text]; !ok {
			first[e.Text] = e.time()
		}
		once[here], last[inLine] = true, max(n, last[inLine])
	}
	return first
}

// hold counts what is wrong with the transcripts that the pages hold in the end: of each conversation both sides must have
// the same messages, everything that was said once, and each speaker's in order. What two people wrote within the same
// milliseconds may stand in either order: an acknowledgement does not tell the time that the deployment gave.
func hold(visitors, operators []transcript, sent map[string]bool) (lost, doubled, swapped int, differ []string) {
	held := map[string]bool{}
	theirs := map[string][]string{}
	for _, o := range operators {
		theirs[o.C] = o.Texts
	}
	for _, v := range visitors {
		if mine, others := slices.Sorted(slices.Values(v.Texts)), slices.Sorted(slices.Values(theirs[v.C])); !slices.Equal(mine, others) {
			differ = append(differ, fmt.Sprintf("%s: %d and %d messages, %s", v.Name, len(mine), len(others), firstDifference(mine, others)))
		}
		last := map[string]int{}
		for _, text := range v.Texts {
			line, n := spoken(text)
			if held[text] {
				doubled++
			} else if n <= last[line] {
				swapped++
			}
			held[text], last[line] = true, n
		}
	}
	for text := range sent {
		if !held[text] {
			lost++
		}
	}
	return lost, doubled, swapped, differ
}

func firstDifference(a, b []string) string {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("of which number %d is %q here and %q there", i+1, a[i], b[i])
		}
	}
	return "the shorter begins like the longer"
}

// percentile99 is the 99th percentile: of fewer than 100, the longest.
func percentile99(all []time.Duration) time.Duration {
	sorted := slices.SortedFunc(slices.Values(all), cmp.Compare[time.Duration])
	return sorted[min(len(sorted)-1, len(sorted)*99/100)]
}

// spread is the range of what was measured.
func spread(all []time.Duration) string {
	return fmt.Sprintf("%v to %v", round(slices.Min(all)), round(slices.Max(all)))
}

func median(all []time.Duration) time.Duration {
	return slices.SortedFunc(slices.Values(all), cmp.Compare[time.Duration])[len(all)/2]
}
