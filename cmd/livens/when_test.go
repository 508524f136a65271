package main

import (
	"strings"
	"testing"
	"time"

	"github.com/livens/livens/failover"
	"github.com/livens/livens/web"
)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func TestParseAt(t *testing.T) {
	berlin := zone(t, "Europe/Berlin")
	evening := time.Date(2026, 2, 28, 16, 48, 3, 5e6, berlin)
	for _, c := range []struct {
		now           time.Time
		written, want string // want: RFC 3339, or a part of the error after "!"
	}{
		{evening, "2026-03-01T02:00:00Z", "2026-03-01T02:00:00Z"},
		{evening, "2026-03-01T02:00:00+09:00", "2026-03-01T02:00:00+09:00"},
		{evening, "2026-03-01 02:00:00+09:00", "2026-03-01T02:00:00+09:00"},
		{evening, "2026-03-01 02:00", "2026-03-01T02:00:00+01:00"},
		{evening, "2026-03-01 02:00:30", "2026-03-01T02:00:30+01:00"},
		{evening, "2026-07-01T02:00", "2026-07-01T02:00:00+02:00"},
		{evening, "02:00", "2026-03-01T02:00:00+01:00"},
		{evening, "16:49", "2026-02-28T16:49:00+01:00"},
		{evening, "16:48", "2026-03-01T16:48:00+01:00"}, // has just passed: tomorrow's
		{evening, "16:48:30", "2026-02-28T16:48:30+01:00"},
		{evening, "+30m", "2026-02-28T17:18:03+01:00"},
		{evening, "+1h30m", "2026-02-28T18:18:03+01:00"},
		{time.Date(2026, 12, 31, 23, 0, 0, 0, berlin), "02:00", "2027-01-01T02:00:00+01:00"},
		{time.Date(2026, 3, 28, 23, 0, 0, 0, berlin), "02:30", "!there is no 2026-03-29 02:30:00"},
		{time.Date(2026, 3, 28, 23, 0, 0, 0, berlin), "03:30", "2026-03-29T03:30:00+02:00"},
		{time.Date(2026, 10, 24, 23, 0, 0, 0, berlin), "02:30", "!there are two 2026-10-25 02:30:00"},
		{time.Date(2026, 10, 24, 23, 0, 0, 0, berlin), "2026-10-25T02:30:00+01:00", "2026-10-25T02:30:00+01:00"},
		{evening, "+soon", "!is no duration"},
		{evening, "+-5m", "!is no duration"},
		{evening, "2026-02-30 02:00", "!is no time"},
		{evening, "24:00", "!is no time"},
		{evening, "tonight", "!is no time"},
		{evening, "2", "!is no time"},
	} {
		got, err := parseAt(c.written, c.now)
		if part, fails := strings.CutPrefix(c.want, "!"); fails {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("%q at %v: %v, %v; want an error with %q", c.written, c.now, got, err, part)
			}
			continue
		}
		if err != nil || got.Format(time.RFC3339) != c.want {
			t.Errorf("%q at %v: %v, %v; want %s", c.written, c.now, got.Format(time.RFC3339), err, c.want)
		}
	}
}

// TestTwoTimesAreBothNamed: whoever writes a local time that comes twice is given both to choose from.
func TestTwoTimesAreBothNamed(t *testing.T) {
	_, err := parseAt("2026-10-25 02:30", time.Date(2026, 10, 24, 23, 0, 0, 0, zone(t, "Europe/Berlin")))
	if err == nil || !strings.Contains(err.Error(), "02:30:00+02:00") || !strings.Contains(err.Error(), "02:30:00+01:00") {
		t.Errorf("%v", err)
	}
}

func TestOrderWords(t *testing.T) {
	now := time.Date(2026, 2, 28, 12, 0, 0, 0, time.Local)
	night := time.Date(2026, 3, 1, 2, 0, 0, 0, time.Local)
	offset := night.Format("-07:00")
	for want, o := range map[string]failover.Override{
		"planned failover to b by al from 2026-03-01 02:00:00 " + offset + " until 04:00:00 " + offset + " (db upgrade)": {
			Kind: failover.ToFailover, Deployment: "b", Who: "al", Why: "db upgrade", From: night, Until: night.Add(2 * time.Hour)},
		"planned drain of b by al from 2026-03-01 02:00:00 " + offset + " until 2026-03-02 02:00:00 " + offset: {
			Kind: failover.ToDrain, Deployment: "b", Who: "al", From: night, Until: night.AddDate(0, 0, 1)},
		"planned drain of b by al from 2026-03-01 02:00:00 " + offset: {
			Kind: failover.ToDrain, Deployment: "b", Who: "al", From: night},
		"forced failover to b by al until 2026-03-01 02:00:00 " + offset: {
			Kind: failover.ToFailover, Deployment: "b", Who: "al", Force: true, Until: night},
		"failback to b by al": {Kind: failover.ToFailback, Deployment: "b", Who: "al"},
	} {
		if got := orderWords(&o, now); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func TestForecast(t *testing.T) {
	now := time.Date(2026, 2, 28, 16, 48, 0, 0, time.Local)
	night := time.Date(2026, 3, 1, 2, 0, 0, 0, time.Local)
	for name, c := range map[string]struct {
		forecast failover.Forecast
		more     web.Forecast
		want     []string
	}{
		"planned": {
			failover.Forecast{Before: []string{"a"}, After: []string{"b"}, Lowered: night.Add(-10 * time.Second), Switch: night, Followed: night.Add(5 * time.Second),
				Ends: night.Add(2 * time.Hour), Returns: night.Add(2 * time.Hour), Return: "a came back"},
			web.Forecast{Followers: []string{"ws"}, Untold: []string{"ns3"}},
			[]string{
				"TTL falls  " + clock(night.Add(-10*time.Second)) + "  in 9 h 11 min  so that caches follow soon",
				"switch  " + clock(night) + "  in 9 h 12 min  b instead of a, in ws too",
				"caches have followed  " + clock(night.Add(5*time.Second)) + "  in 9 h 12 min",
				"the order ends  " + clock(night.Add(2*time.Hour)) + "  in 11 h 12 min",
				"return  " + clock(night.Add(2*time.Hour)) + "  in 11 h 12 min  a came back",
				"not reached now  ns3",
			},
		},
		"at once, and no way back": {
			failover.Forecast{Before: []string{"a"}, After: []string{"b"}, Switch: now, Followed: now.Add(10 * time.Second), Return: "failback = manual"},
			web.Forecast{},
			[]string{
				"switch  " + clock(now) + "  now  b instead of a",
				"caches have followed  " + clock(now.Add(10*time.Second)) + "  in 10 s",
				"return  failback = manual",
			},
		},
		"nothing": {
			failover.Forecast{Before: []string{"a"}, After: []string{"a"}, Reason: "a is up", Waits: "b waits for its sync check"},
			web.Forecast{},
			[]string{"no switch  a answers as before: a is up", "waits  b waits for its sync check"},
		},
	} {
		c.more.Forecast = &c.forecast
		got := squeeze(onTerminal(0, func(p *printer) { p.table("", forecastRows(&c.more, now)) }))
		if want := squeeze(strings.Join(c.want, "\n") + "\n"); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, want)
		}
	}
}

// squeeze makes one blank of several, line by line.
func squeeze(s string) string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		lines[i] = strings.Join(strings.Fields(l), " ")
	}
	return strings.Join(lines, "\n")
}
