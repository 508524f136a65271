package web

import (
	"net/netip"
	"testing"

	"github.com/livens/livens/checker"
	"github.com/livens/livens/failover"
)

func TestDisagreement(t *testing.T) {
	v4, v6 := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")
	target := func(a netip.Addr, check string, s checker.State) Target {
		return Target{Deployment: "primary", Address: a, Check: check, State: s}
	}
	for name, tc := range map[string]struct {
		targets []Target
		want    bool
	}{
		"up":                      {[]Target{target(v4, "http", checker.Up)}, false},
		"down":                    {[]Target{target(v4, "http", checker.Down)}, true},
		"unknown":                 {[]Target{target(v4, "http", checker.Unknown)}, false},
		"one check of two fails":  {[]Target{target(v4, "http", checker.Up), target(v4, "tcp", checker.Down)}, true},
		"another address is up":   {[]Target{target(v4, "http", checker.Down), target(v6, "http", checker.Up)}, false},
		"only the gate is shut":   {[]Target{target(v4, "http", checker.Up), target(v4, syncCheck, checker.Down)}, false},
		"the standby is down":     {[]Target{target(v4, "http", checker.Up), {Deployment: "redundant", Address: v6, State: checker.Down}}, false},
		"down, and one unknown":   {[]Target{target(v4, "http", checker.Down), target(v6, "http", checker.Unknown)}, true},
		"no checks: it follows":   {nil, false},
		"up after unknown checks": {[]Target{target(v4, "http", checker.Unknown), target(v4, "tcp", checker.Up)}, false},
	} {
		p := Pool{Decision: failover.Decision{Active: []string{"primary"}}, Targets: tc.targets}
		if got := p.disagrees(); got != tc.want {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
}
