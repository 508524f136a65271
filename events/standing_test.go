package events

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/livens/livens/failover"
	"github.com/livens/livens/zones"
)

// TestOperationsLearnWhatWasGivenUp: by the log, the figures and, for an hour, an alert.
func TestOperationsLearnWhatWasGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said bytes.Buffer
		l := NewLog()
		l.limit, l.waiting = 2, 3
		tl := NewTeller(Options{
			Name: "ns1", Log: l, Hooks: []zones.HookConfig{page}, Logger: slog.New(slog.NewTextHandler(&said, nil)), May: func() bool { return false },
		})
		go tl.Run(t.Context())
		synctest.Wait()
		for _, id := range []string{"1", "2", "3", "4", "5"} {
			e := now(failover.EventSwitch, id)
			e.Pool = id
			l.Add(e, time.Now())
			time.Sleep(time.Second)
		}
		synctest.Wait()
		if s := tl.Stats(); len(s) != 1 || s[0] != (HookStats{Hook: "page", GivenUp: 2, Pending: 3}) {
			t.Errorf("%+v", s)
		}
		if n := strings.Count(said.String(), `level=ERROR msg="events are given up untold: too many wait" to=page events=1`); n != 2 {
			t.Errorf("logged %d times:\n%s", n, &said)
		}
		a := tl.Alerts()
		if len(a) != 1 || a[0].Code != "events-given-up" || a[0].Affects != "hook page" || !strings.HasPrefix(a[0].Text, "2 events ") {
			t.Errorf("%+v", a)
		}
		time.Sleep(lossLife)
		if a := tl.Alerts(); len(a) != 0 {
			t.Errorf("after an hour: %+v", a)
		}
	})
}
