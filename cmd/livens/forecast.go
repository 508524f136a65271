package main

import (
	"strings"
	"time"

	"github.com/livens/livens/web"
)

// foreseen tells what an order would bring.
func (p *printer) foreseen(f *web.Forecast, now time.Time) {
	p.hang(f.Pool+": ", "nothing was changed; as things stand:")
	p.table("  ", forecastRows(f, now))
}

// forecastRows are what would happen, in the order of time.
func forecastRows(f *web.Forecast, now time.Time) [][]string {
	var rows [][]string
	at := func(what string, t time.Time, note string) {
		if !t.IsZero() {
			rows = append(rows, []string{what, clock(t), in(t, now), note})
		}
	}
	before, after := strings.Join(f.Before, ", "), strings.Join(f.After, ", ")+" instead of "+strings.Join(f.Before, ", ")
	if len(f.Followers) > 0 {
		after += ", in " + strings.Join(f.Followers, ", ") + " too"
	}
	if f.Switch.IsZero() {
		rows = append(rows, []string{"no switch", "", "", before + " answers as before: " + f.Reason})
	}
	at("TTL falls", f.Lowered, "so that caches follow soon")
	at("switch", f.Switch, after)
	at("caches have followed", f.Followed, "")
	at("the order ends", f.Ends, "")
	at("return", f.Returns, f.Return)
	if f.Waits != "" {
		rows = append(rows, []string{"waits", "", "", f.Waits})
	}
	if f.Returns.IsZero() && f.Return != "" {
		rows = append(rows, []string{"return", "", "", f.Return})
	}
	if len(f.Untold) > 0 {
		rows = append(rows, []string{"not reached now", "", "", strings.Join(f.Untold, ", ")})
	}
	return rows
}
