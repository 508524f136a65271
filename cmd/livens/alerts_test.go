package main

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/livens/livens/failover"
)

// TestAlertsAreLoggedOnceEach lets alerts come, change and go.
func TestAlertsAreLoggedOnceEach(t *testing.T) {
	start := time.Unix(1000, 0)
	down := failover.Alert{Code: "deployment-down", Severity: failover.Warning, Affects: "pool chat, deployment a", Text: "a is down", Hint: "mend it", Since: start.Add(-time.Minute)}
	later := down
	later.Text, later.Since = "a is down: refused", start.Add(time.Second)
	worse := down
	worse.Severity = failover.Critical
	mute := failover.Alert{Code: "cluster-mute", Severity: failover.Critical, Affects: "this nameserver", Text: "port taken"}
	const (
		raised = "WARN alert [code=deployment-down affects=pool chat, deployment a text=a is down hint=mend it]"
		grave  = "ERROR alert [code=deployment-down affects=pool chat, deployment a text=a is down hint=mend it]"
		muted  = "ERROR alert [code=cluster-mute affects=this nameserver text=port taken hint=]"
	)
	var standing map[alertKey]failover.Alert
	for i, step := range []struct {
		alerts []failover.Alert
		want   []string
	}{
		{nil, nil},
		{[]failover.Alert{down}, []string{raised}},
		{[]failover.Alert{later}, nil},
		{[]failover.Alert{mute, mute, down}, []string{muted}},
		{[]failover.Alert{mute, worse}, []string{grave}},
		{nil, []string{
			"INFO alert is over [code=cluster-mute affects=this nameserver lasted=20s]",
			"INFO alert is over [code=deployment-down affects=pool chat, deployment a lasted=1m50s]",
		}},
		{nil, nil},
		{[]failover.Alert{down}, []string{raised}},
	} {
		next, lines := compareAlerts(standing, step.alerts, start.Add(time.Duration(i)*10*time.Second))
		standing = next
		var got []string
		for _, l := range lines {
			got = append(got, fmt.Sprint(l.level, " ", l.text, " ", l.attrs))
		}
		if !slices.Equal(got, step.want) {
			t.Errorf("step %d: got %q, want %q", i, got, step.want)
		}
	}
}
