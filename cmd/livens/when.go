package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/livens/livens/failover"
	"github.com/livens/livens/web"
)

// atForms are how --at is written, apart from +DURATION and RFC 3339: in local time.
var atForms = []string{"2006-01-02 15:04", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02T15:04:05"}

// parseAt reads --at: RFC 3339, a local date and time, a local time (the next such), or +DURATION from now.
func parseAt(written string, now time.Time) (time.Time, error) {
	if rest, ok := strings.CutPrefix(written, "+"); ok {
		d, err := time.ParseDuration(rest)
		if err != nil || d < 0 {
			return time.Time{}, fmt.Errorf("%q is no duration, such as +30m", written)
		}
		return now.Add(d).Truncate(time.Second), nil
	}
	if t, err := time.Parse(time.RFC3339, strings.Replace(written, " ", "T", 1)); err == nil {
		return t, nil
	}
	for _, form := range atForms {
		if t, err := time.Parse(form, written); err == nil {
			return local(t, now.Location())
		}
	}
	for _, form := range []string{"15:04", "15:04:05"} {
		if t, err := time.Parse(form, written); err == nil {
			return nextLocal(t, now)
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time: write 02:00, 2026-03-01 02:00, 2026-03-01T02:00:00+01:00 or +30m", written)
}

// nextLocal is when clocks show that time of day next.
func nextLocal(clock, now time.Time) (time.Time, error) {
	for day := 0; ; day++ {
		t := now.AddDate(0, 0, day)
		at, err := local(time.Date(t.Year(), t.Month(), t.Day(), clock.Hour(), clock.Minute(), clock.Second(), 0, time.UTC), now.Location())
		if err != nil || at.After(now) {
			return at, err
		}
	}
}

// local is the time at which clocks in zone show what t shows. Where clocks are changed there may be none, or two.
func local(t time.Time, zone *time.Location) (time.Time, error) {
	const form = "2006-01-02 15:04:05"
	at := time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, zone)
	wall := t.Format(form)
	if at.Format(form) != wall {
		return time.Time{}, fmt.Errorf("there is no %s: clocks are changed then; write it with an offset, as in %s", wall, at.Format(time.RFC3339))
	}
	for _, other := range []time.Time{at.Add(-time.Hour), at.Add(time.Hour)} {
		if other.Format(form) == wall {
			return time.Time{}, errors.New("there are two " + wall + ": clocks are changed then; write " + at.Format(time.RFC3339) + " or " + other.Format(time.RFC3339))
		}
	}
	return at, nil
}

// clock is a time as it is shown to people: local, with its offset.
func clock(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05 -07:00") }

// span is "from … until …" of an order, as far as it has these; the end without the date when that is the beginning's.
func span(o *failover.Override) string {
	var parts []string
	end := o.Until.Local()
	switch {
	case o.From.IsZero() && o.Until.IsZero():
		return ""
	case o.From.IsZero():
		return "until " + clock(o.Until)
	}
	parts = append(parts, "from "+clock(o.From))
	switch from := o.From.Local(); {
	case o.Until.IsZero():
	case from.YearDay() == end.YearDay() && from.Year() == end.Year():
		parts = append(parts, "until "+end.Format("15:04:05 -07:00"))
	default:
		parts = append(parts, "until "+clock(o.Until))
	}
	return strings.Join(parts, " ")
}

// orderWords is an order in force or planned: "planned failover to redundant by alice, from … until … (db upgrade)".
func orderWords(o *failover.Override, now time.Time) string {
	what := string(o.Kind) + " to " + o.Deployment
	if o.Kind == failover.ToDrain {
		what = "drain of " + o.Deployment
	}
	if o.Force {
		what = "forced " + what
	}
	if o.From.After(now) {
		what = "planned " + what
	}
	what += " by " + o.Who
	if s := span(o); s != "" {
		what += " " + s
	}
	if o.Why != "" {
		what += " (" + o.Why + ")"
	}
	return what
}

// in is how far ahead of now a time is: "in 9 h 12 min", or "now".
func in(t, now time.Time) string {
	if d := t.Sub(now); d >= time.Second {
		return "in " + web.Age(d)
	}
	return "now"
}
