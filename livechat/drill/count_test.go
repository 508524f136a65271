package drill_test

import (
	"testing"
	"time"
)

// heard makes a party that has told these events, a second apart.
func heard(events ...event) *party {
	p := &party{}
	for i, e := range events {
		e.At = float64(1000 * (i + 1))
		p.events = append(p.events, e)
	}
	return p
}

func said(text string) event { return event{Kind: "said", Text: text} }
func got(text string) event  { return event{Kind: "got", Text: text} }

// TestDrillsCount holds what the drills rest on: that loss, doubling, disorder and delay are seen.
func TestDrillsCount(t *testing.T) {
	t.Parallel()
	speaking := heard(said("ada 1"), said("ada 2"), said("ada 3"), event{Kind: "refused", Text: "ada 3"})
	for what, c := range map[string]struct {
		shown []event
		want  figures
	}{
		"all is well":          {[]event{{}, {}, got("ada 1"), got("ada 2")}, figures{sent: 2, slowest: 2 * time.Second}},
		"one is lost":          {[]event{{}, {}, got("ada 1")}, figures{sent: 2, lost: 1}},
		"one twice":            {[]event{{}, {}, got("ada 1"), got("ada 2"), got("ada 2")}, figures{sent: 2, slowest: 2 * time.Second, doubled: 1}},
		"the wrong way round":  {[]event{{}, {}, got("ada 2"), got("ada 1")}, figures{sent: 2, slowest: 3 * time.Second, swapped: 1}},
		"again after a reload": {[]event{{}, {}, got("ada 1"), got("ada 2"), {Kind: "got", Text: "ada 1", load: 2}, {Kind: "got", Text: "ada 2", load: 2}}, figures{sent: 2, slowest: 2 * time.Second}},
		"a stranger's":         {[]event{{}, {}, got("ada 1"), got("ada 2"), got("eve 1")}, figures{sent: 2, slowest: 2 * time.Second}},
	} {
		f := count(speaking, heard(c.shown...), time.Time{}, time.UnixMilli(9000))
		if c.want.lost > 0 {
			f.slowest = 0 // counted until now
		}
		if f != c.want {
			t.Errorf("%s: %v, want %v", what, f, c.want)
		}
	}
}

// TestDrillsSeeGaps holds how a time without a socket is found.
func TestDrillsSeeGaps(t *testing.T) {
	t.Parallel()
	ready, closed := func(id int) event { return event{Kind: "ready", ID: id} }, func(id int) event { return event{Kind: "closed", ID: id} }
	for what, c := range map[string]struct {
		events []event
		want   time.Duration
	}{
		"never closed":                 {[]event{ready(1), {}, {}}, 0},
		"the next before the last":     {[]event{ready(1), ready(2), closed(1), {}}, 0},
		"the next after the last":      {[]event{ready(1), closed(1), {}, ready(2)}, 2 * time.Second},
		"closed twice":                 {[]event{ready(1), closed(1), ready(2), closed(1)}, time.Second},
		"none to the end":              {[]event{ready(1), closed(1)}, 8 * time.Second},
		"the page is left":             {[]event{ready(1), {Kind: "pagehide"}, ready(2)}, time.Second},
		"a race's loser closes":        {[]event{ready(2), {}, closed(1), {}}, 0},
		"nothing was ready before":     {[]event{{}, {}, ready(1)}, 0},
		"the longer of two":            {[]event{ready(1), closed(1), ready(2), closed(2), {}, {}, ready(3)}, 3 * time.Second},
		"what is after does not count": {[]event{ready(1), {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, closed(1), {}, {}}, 0},
	} {
		if gap := withoutSocket(heard(c.events...).events, time.Time{}, time.UnixMilli(10000)); gap != c.want {
			t.Errorf("%s: %v, want %v", what, gap, c.want)
		}
	}
}

// TestDrillsCompareTranscripts holds what is seen of two pages' transcripts.
func TestDrillsCompareTranscripts(t *testing.T) {
	t.Parallel()
	sent := map[string]bool{"ada 1": true, "ann 1": true, "ada 2": true}
	for what, c := range map[string]struct {
		mine, theirs           []string
		lost, doubled, swapped int
		differ                 bool
	}{
		"the same":             {[]string{"ada 1", "ann 1", "ada 2"}, []string{"ada 1", "ann 1", "ada 2"}, 0, 0, 0, false},
		"two people's at once": {[]string{"ada 1", "ann 1", "ada 2"}, []string{"ann 1", "ada 1", "ada 2"}, 0, 0, 0, false},
		"one is missing":       {[]string{"ada 1", "ann 1"}, []string{"ada 1", "ann 1", "ada 2"}, 1, 0, 0, true},
		"one twice":            {[]string{"ada 1", "ada 1", "ann 1", "ada 2"}, []string{"ada 1", "ann 1", "ada 2"}, 0, 1, 0, true},
		"one's own swapped":    {[]string{"ada 2", "ann 1", "ada 1"}, []string{"ada 1", "ann 1", "ada 2"}, 0, 0, 1, false},
	} {
		lost, doubled, swapped, differ := hold([]transcript{{Name: "ada", C: "c", Texts: c.mine}}, []transcript{{Name: "ann", C: "c", Texts: c.theirs}}, sent)
		if lost != c.lost || doubled != c.doubled || swapped != c.swapped || len(differ) > 0 != c.differ {
			t.Errorf("%s: %d lost, %d doubled, %d out of order, %v", what, lost, doubled, swapped, differ)
		}
	}
}
