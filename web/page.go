package web

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/livens/livens/events"
	"github.com/livens/livens/failover"
)

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS string

//go:embed page.js
var pageJS string

// contentSecurityPolicy allows the page its own style and script, by their hashes, and nothing else.
var contentSecurityPolicy = fmt.Sprintf("default-src 'none'; style-src 'sha256-%s'; script-src 'sha256-%s'; "+
	"connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'", digest(pageCSS), digest(pageJS))

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return base64.StdEncoding.EncodeToString(sum[:])
}

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"css":   func() template.CSS { return template.CSS(pageCSS) },
	"js":    func() template.JS { return template.JS(pageJS) },
	"join":  func(s []string) string { return strings.Join(s, ", ") },
	"bare":  func(s string) string { return strings.TrimSuffix(s, ".") },
	"clock": func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") },
	"stamp": func(t time.Time) string { return t.UTC().Format("01-02 15:04:05") },
	"age":   Age,
	"ms":    func(seconds float64) string { return Age(time.Duration(seconds * float64(time.Second))) },
}).Parse(pageHTML))

// page draws the status page. It is one document without outside resources; its script renews it in place.
func (s *Server) page(w http.ResponseWriter, _ *http.Request) {
	var body bytes.Buffer
	if err := pageTemplate.Execute(&body, s.options.Status()); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(body.Bytes())
}

// Ago is the time since t in words, "never" for the zero time.
func (s *Status) Ago(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return Age(s.Now.Sub(t))
}

// Age is a duration in words of two units at most: "12 ms", "48 s", "3 min 20 s", "5 h 2 min", "12 d 3 h".
func Age(d time.Duration) string {
	pair := func(big time.Duration, bigName string, small time.Duration, smallName string) string {
		out := fmt.Sprintf("%d %s", d/big, bigName)
		if rest := d % big / small; rest > 0 {
			out += fmt.Sprintf(" %d %s", rest, smallName)
		}
		return out
	}
	const day = 24 * time.Hour
	switch {
	case d <= 0:
		return "0 s"
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.1f ms", d.Seconds()*1000)
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < time.Hour:
		return pair(time.Minute, "min", time.Second, "s")
	case d < day:
		return pair(time.Hour, "h", time.Minute, "min")
	}
	return pair(day, "d", time.Hour, "h")
}

// TargetsOf are the targets of one deployment.
func (p *Pool) TargetsOf(deployment string) []Target {
	var out []Target
	for _, t := range p.Targets {
		if t.Deployment == deployment {
			out = append(out, t)
		}
	}
	return out
}

// row is a target in the page's table.
type row struct {
	Target
	Again bool // the address stands in the row above
}

// Dissent is Status.Dissent of the row's target.
func (r row) Dissent(s *Status) string { return s.Dissent(&r.Target) }

// Rows are the targets of one deployment for the page's table.
func (p *Pool) Rows(deployment string) []row {
	var out []row
	for i, t := range p.TargetsOf(deployment) {
		out = append(out, row{t, i > 0 && out[i-1].Address == t.Address})
	}
	return out
}

// Health sums the status up in one word for the page's head: "critical", "warning", "waiting" or "well".
func (s *Status) Health() string {
	switch {
	case len(s.Alerts) > 0:
		return string(s.Alerts[0].Severity)
	case !s.Ready:
		return "waiting"
	}
	return "well"
}

// Headline is Health in words.
func (s *Status) Headline() string {
	switch n := len(s.Alerts); {
	case n == 1:
		return "1 alert"
	case n > 1:
		return fmt.Sprintf("%d alerts", n)
	case !s.Ready:
		return "starting: " + s.Waiting
	}
	return "all is well"
}

// Preferences are the orders for one pool that say where traffic goes, and all that are planned; drains in force stand
// at their deployments.
func (s *Status) Preferences(pool string) []string {
	var out []string
	for i := range s.Overrides {
		o := &s.Overrides[i]
		switch planned := o.From.After(s.Now); {
		case o.Pool != pool:
		case planned:
			out = append(out, "planned "+o.String())
		case o.Kind != failover.ToDrain:
			out = append(out, o.String())
		}
	}
	return out
}

// Newest are the events for the page: newest first.
func (s *Status) Newest() []events.Happened {
	newest := slices.Clone(s.Events)
	slices.Reverse(newest)
	return newest
}
