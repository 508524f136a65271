package web

import (
	"testing"
	"time"
)

func TestMeterAveragesTheLastTenSeconds(t *testing.T) {
	var m meter
	now := time.Unix(1_800_000_000, 0)
	for second := range 30 {
		for range 7 {
			m.add(now.Add(time.Duration(second) * time.Second))
		}
	}
	for after, want := range map[time.Duration]float64{29 * time.Second: 7, 30 * time.Second: 7, 34 * time.Second: 4.2, 39 * time.Second: 0.7, 40 * time.Second: 0, 9000 * time.Second: 0} {
		if got := m.rate(now.Add(after)); got != want {
			t.Errorf("after %v: %v a second, want %v", after, got, want)
		}
	}
}

func TestModeratorIsToldInOneLine(t *testing.T) {
	m := sample(t).Moderator
	if got, want := m.Words(noon), "12.5 polls a second, certificate for 10 d, 7 connections refused, last complaint 1 min ago: http: TLS handshake error from 192.0.2.9:4: <b>EOF</b>"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	m.Refused, m.Complaint = 0, nil
	if got, want := m.Words(m.Expires.Add(time.Hour)), "12.5 polls a second, certificate ended 1 h ago"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
