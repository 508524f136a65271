package failover

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// timeless logs as text without times.
func timeless(out *bytes.Buffer) *slog.Logger {
	return slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
}

// TestEventsInTheLog: orders and what nameservers notice of one another are logged, with what they have to say and no more.
func TestEventsInTheLog(t *testing.T) {
	var out bytes.Buffer
	log := timeless(&out)
	for _, e := range []Event{
		{Kind: EventOverride, At: time.Now(), Node: "ns1", Pool: "chat", Deployment: "a", To: "in force", Reason: "drain of a by alice"},
		{Kind: EventSwitch, Pool: "chat", From: "a", To: "b"},
		{Kind: EventVerdict, Pool: "chat", Deployment: "a", From: "up", To: "down"},
		{Kind: EventDivergence, To: "ns2 silent", Reason: "no sign of life of ns2"},
	} {
		e.LogTo(log)
	}
	want := `level=INFO msg=order pool=chat deployment=a to="in force" reason="drain of a by alice"
level=INFO msg=nameservers to="ns2 silent" reason="no sign of life of ns2"
`
	if out.String() != want {
		t.Errorf("got:\n%swant:\n%s", &out, want)
	}
}

// TestSwitchesInTheLog: each change that a resolver could see has its own words.
func TestSwitchesInTheLog(t *testing.T) {
	var out bytes.Buffer
	c := &Controller{options: Options{Log: timeless(&out)}}
	up := &Decision{Pool: "chat", Active: []string{"a"}, Epoch: 1}
	down := &Decision{Pool: "chat", Active: []string{"a"}, Epoch: 1, AllDown: true}
	moved := &Decision{Pool: "chat", Active: []string{"a"}, Epoch: 2}
	other := &Decision{Pool: "chat", Active: []string{"b"}, Epoch: 2}
	for _, step := range []struct {
		before, next *Decision
		want         string
	}{
		{nil, up, `"pool answers"`}, {up, up, ""}, {up, down, `"every deployment is down"`}, {down, down, ""},
		{down, up, `"live again"`}, {up, moved, `"addresses changed"`}, {down, moved, `"addresses changed"`}, {up, other, "switch"}, {down, other, "switch"},
	} {
		out.Reset()
		c.logSwitch(step.before, step.next)
		_, text, _ := strings.Cut(out.String(), "msg=")
		if got, _, _ := strings.Cut(text, " pool="); got != step.want {
			t.Errorf("from %+v to %+v: %s, want %s", step.before, step.next, got, step.want)
		}
	}
}

// TestOrdersInTheLogSayOnlyWhatWasSaid leaves out what was not given.
func TestOrdersInTheLogSayOnlyWhatWasSaid(t *testing.T) {
	for want, o := range map[string]Order{
		"[verb=failback pool=chat who=alice]": {Verb: DoFailback, Pool: "chat", Who: "alice"},
		"[verb=drain pool=chat deployment=a who=alice why=disks at=2026-03-01 12:00:00 +0000 UTC for=1h0m0s force=true]": {
			Verb: DoDrain, Pool: "chat", Deployment: "a", Who: "alice", Why: "disks", At: epochStart, For: time.Hour, Force: true,
		},
	} {
		if got := fmt.Sprint(o.attrs()); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
