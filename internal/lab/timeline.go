package lab

import (
	"slices"
	"time"
)

// Change says what was answered from a time on.
type Change struct {
	At     time.Time
	Answer string // addresses; or what came instead of them: Silence, an rcode, Empty
	Epoch  uint64 // of the decision behind it; 0: not known
}

// What comes instead of addresses.
const (
	Silence = "silence" // no response, or a refused one
	Empty   = "empty"   // NOERROR without an address
)

// Timeline is what one nameserver or resolver answered, as it was seen from outside: by time, each unlike the one before.
type Timeline []Change

// At is what was answered at a time: Silence before the first observation.
func (l Timeline) At(when time.Time) string {
	answer := Silence
	for _, c := range l {
		if c.At.After(when) {
			break
		}
		answer = c.Answer
	}
	return answer
}

// Since is the timeline from a time on; it begins with what was answered then.
func (l Timeline) Since(when time.Time) Timeline {
	i := slices.IndexFunc(l, func(c Change) bool { return c.At.After(when) })
	switch {
	case i == 0 || len(l) == 0:
		return l
	case i < 0:
		i = len(l)
	}
	return append(Timeline{{when, l[i-1].Answer, l[i-1].Epoch}}, l[i:]...)
}

// First is when an answer was first given after a time, or already then.
func (l Timeline) First(answer string, after time.Time) (time.Time, bool) {
	for _, c := range l.Since(after) {
		if c.Answer == answer {
			return c.At, true
		}
	}
	return time.Time{}, false
}

// Backward are the changes that brought an epoch below one that was seen before.
func (l Timeline) Backward() (back []Change) {
	var highest uint64
	for _, c := range l {
		if c.Epoch != 0 && c.Epoch < highest {
			back = append(back, c)
		}
		highest = max(highest, c.Epoch)
	}
	return back
}

// Apart is for how long at a stretch, between two times, the timelines did not all give the same answer: the longest.
func Apart(from, to time.Time, lines ...Timeline) (longest time.Duration) {
	moments := []time.Time{from, to}
	for _, l := range lines {
		for _, c := range l {
			if c.At.After(from) && c.At.Before(to) {
				moments = append(moments, c.At)
			}
		}
	}
	slices.SortFunc(moments, time.Time.Compare)
	var since time.Time // when they parted; zero: they agree
	for _, m := range moments {
		if !since.IsZero() {
			longest = max(longest, m.Sub(since))
		}
		switch parted := differ(m, lines); {
		case !parted:
			since = time.Time{}
		case since.IsZero():
			since = m
		}
	}
	return longest
}

func differ(when time.Time, lines []Timeline) bool {
	for _, l := range lines[min(1, len(lines)):] {
		if l.At(when) != lines[0].At(when) {
			return true
		}
	}
	return false
}
