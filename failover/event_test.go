package failover

import (
	"bytes"
	"log/slog"
	"testing"
	"time"
)

// TestEventsInTheLog: orders and what nameservers notice of one another are logged, with what they have to say and no more.
func TestEventsInTheLog(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
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
