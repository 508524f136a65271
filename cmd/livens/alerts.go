package main

import (
	"cmp"
	"context"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/livens/livens/failover"
)

// alertsEvery is how often alerts are looked at for the log.
const alertsEvery = 2 * time.Second

// alertKey tells one alert from any other; text and hint may change while it lasts.
type alertKey struct{ code, affects string }

// alertLine is what the log is to say of one alert.
type alertLine struct {
	level slog.Level
	text  string
	attrs []slog.Attr
}

// logAlerts says in the log which alerts come and go, until ctx is done.
func (in *instance) logAlerts(ctx context.Context) error {
	tick := time.NewTicker(alertsEvery)
	defer tick.Stop()
	var standing map[alertKey]failover.Alert
	for {
		next, lines := compareAlerts(standing, in.alerts(), time.Now())
		standing = next
		for _, l := range lines {
			in.log.LogAttrs(ctx, l.level, l.text, l.attrs...)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// compareAlerts is which alerts stand now, each since it was raised, and what is to be said of those that were raised or
// became more or less severe, and of those that are over.
func compareAlerts(before map[alertKey]failover.Alert, list []failover.Alert, now time.Time) (map[alertKey]failover.Alert, []alertLine) {
	next := make(map[alertKey]failover.Alert, len(list))
	var lines []alertLine
	for _, a := range list {
		key := alertKey{a.Code, a.Affects}
		was, stood := before[key]
		switch _, twice := next[key]; {
		case twice:
			continue
		case stood:
			a.Since = was.Since
		case a.Since.IsZero():
			a.Since = now
		}
		if !stood || was.Severity != a.Severity {
			lines = append(lines, raisedLine(&a))
		}
		next[key] = a
	}
	gone := slices.SortedFunc(maps.Keys(before), func(a, b alertKey) int {
		return cmp.Or(cmp.Compare(a.code, b.code), cmp.Compare(a.affects, b.affects))
	})
	for _, key := range gone {
		if _, stands := next[key]; !stands {
			lines = append(lines, alertLine{slog.LevelInfo, "alert is over", []slog.Attr{
				slog.String("code", key.code), slog.String("affects", key.affects),
				slog.Duration("lasted", max(0, now.Sub(before[key].Since)).Round(time.Second)),
			}})
		}
	}
	return next, lines
}

func raisedLine(a *failover.Alert) alertLine {
	level := slog.LevelWarn
	if a.Severity == failover.Critical {
		level = slog.LevelError
	}
	return alertLine{level, "alert", []slog.Attr{
		slog.String("code", a.Code), slog.String("affects", a.Affects), slog.String("text", a.Text), slog.String("hint", a.Hint),
	}}
}
