package lab

import (
	"slices"
	"testing"
	"time"
)

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

func at(ms int) time.Time { return noon.Add(time.Duration(ms) * time.Millisecond) }

// line reads pairs of milliseconds and answer.
func line(pairs ...any) (l Timeline) {
	for p := range slices.Chunk(pairs, 2) {
		l = append(l, Change{At: at(p[0].(int)), Answer: p[1].(string)})
	}
	return l
}

func TestTimelineAt(t *testing.T) {
	l := line(0, "a", 100, "b", 200, "a")
	for ms, want := range map[int]string{-1: Silence, 0: "a", 99: "a", 100: "b", 199: "b", 200: "a", 900: "a"} {
		if got := l.At(at(ms)); got != want {
			t.Errorf("at %d ms %q, want %q", ms, got, want)
		}
	}
}

func TestTimelineFirst(t *testing.T) {
	l := line(0, "a", 100, "b", 200, "a")
	for _, c := range []struct {
		answer string
		after  int
		want   int // -1: never
	}{
		{"b", 0, 100}, {"b", 100, 100}, {"b", 150, 150}, {"b", 200, -1}, {"a", 50, 50}, {"a", 150, 200}, {"a", -50, 0}, {"c", 0, -1},
	} {
		when, found := l.First(c.answer, at(c.after))
		if found != (c.want >= 0) || found && !when.Equal(at(c.want)) {
			t.Errorf("first %q after %d ms: %v %v, want %d", c.answer, c.after, when.Sub(noon), found, c.want)
		}
	}
	if _, found := Timeline(nil).First("a", noon); found {
		t.Error("nothing was seen, and yet found")
	}
}

func TestApart(t *testing.T) {
	for name, c := range map[string]struct {
		lines []Timeline
		want  int
	}{
		"one":              {[]Timeline{line(0, "a", 100, "b")}, 0},
		"none":             {nil, 0},
		"together":         {[]Timeline{line(0, "a", 100, "b"), line(0, "a", 100, "b")}, 0},
		"one after other":  {[]Timeline{line(0, "a", 100, "b"), line(0, "a", 130, "b")}, 30},
		"third is last":    {[]Timeline{line(0, "a", 100, "b"), line(0, "a", 130, "b"), line(0, "a", 190, "b")}, 90},
		"to and fro":       {[]Timeline{line(0, "a", 100, "b", 110, "a", 120, "b"), line(0, "a", 150, "b")}, 30},
		"the longest":      {[]Timeline{line(0, "a", 100, "b", 110, "a"), line(0, "a", 500, "b", 570, "a")}, 70},
		"to the end":       {[]Timeline{line(0, "a", 100, "b"), line(0, "a")}, 900},
		"from before":      {[]Timeline{line(-50, "a"), line(-50, "b", 40, "a")}, 40},
		"different change": {[]Timeline{line(0, "a", 100, "b", 120, "c"), line(0, "a", 150, "c")}, 50},
	} {
		if got := Apart(at(0), at(1000), c.lines...); got != time.Duration(c.want)*time.Millisecond {
			t.Errorf("%s: %v, want %d ms", name, got, c.want)
		}
	}
}

func TestBackward(t *testing.T) {
	l := Timeline{{At: at(0), Epoch: 5}, {At: at(1), Epoch: 0}, {At: at(2), Epoch: 7}, {At: at(3), Epoch: 6}, {At: at(4), Epoch: 7}}
	if back := l.Backward(); len(back) != 1 || back[0].Epoch != 6 {
		t.Errorf("went back at %v, want 6 alone", back)
	}
}
