package main

import (
	"testing"
	"time"

	"github.com/livens/livens/failover"
	"github.com/livens/livens/web"
)

func TestExpiryAlert(t *testing.T) {
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		left     time.Duration
		severity failover.Severity
		text     string
	}{
		{expiresSoon + time.Second, "", ""},
		{expiresSoon, failover.Warning, "the certificate of [moderator] ends in 7 d"},
		{time.Second, failover.Warning, "the certificate of [moderator] ends in 1 s"},
		{0, failover.Critical, "the certificate of [moderator] ended 0 s ago: browsers refuse it"},
		{-25 * time.Hour, failover.Critical, "the certificate of [moderator] ended 1 d 1 h ago: browsers refuse it"},
	} {
		alerts := expiry(&web.ModeratorStatus{Expires: now.Add(test.left)}, now)
		switch {
		case test.text == "" && len(alerts) == 0:
		case len(alerts) != 1 || alerts[0].Severity != test.severity || alerts[0].Text != test.text || !alerts[0].Since.Equal(now.Add(test.left-expiresSoon)):
			t.Errorf("%v left: %+v", test.left, alerts)
		}
	}
	if expiry(nil, now) != nil || expiry(&web.ModeratorStatus{}, now) != nil {
		t.Error("no certificate, and an alert that it ends")
	}
}
