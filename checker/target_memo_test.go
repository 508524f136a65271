package checker

import (
	"net/netip"
	"runtime"
	"testing"
	"time"

	"github.com/livens/livens/zones"
)

// TestTargetsAreRemembered while their check is in use, each origin for itself, and forgotten after.
func TestTargetsAreRemembered(t *testing.T) {
	var m memo
	address := netip.MustParseAddr("192.0.2.1")
	check := &zones.Check{Kind: zones.HTTP, Path: "/{pool}/{deployment}", Headers: map[string]string{"A": "{address}"}}
	one := NewTarget("chat", "primary", address, check)
	if n := testing.AllocsPerRun(100, func() { NewTarget("chat", "primary", address, check) }); n > 2 {
		t.Errorf("%v allocations", n)
	}
	if again := NewTarget("chat", "primary", address, check); again.Check != one.Check {
		t.Error("made anew")
	}
	for _, other := range []Target{
		NewTarget("shop", "primary", address, check), NewTarget("chat", "redundant", address, check),
		NewTarget("chat", "primary", address.Next(), check),
	} {
		if other.Key == one.Key {
			t.Errorf("%+v has the key of another", other)
		}
	}
	m.of(check)
	check = nil
	for deadline := time.Now().Add(10 * time.Second); ; runtime.GC() {
		left := 0
		m.checks.Range(func(any, any) bool { left++; return true })
		if left == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("never forgotten")
		}
	}
}

func BenchmarkNewTarget(b *testing.B) {
	check := &zones.Check{Kind: zones.HTTP, Path: "/healthz", Port: 80, Interval: time.Second, Timeout: time.Second, Fall: 4, Rise: 3}
	address := netip.MustParseAddr("192.0.2.1")
	b.Run("anew", func(b *testing.B) {
		for b.Loop() {
			newTarget(origin{"chat", "primary", address}, check)
		}
	})
	b.Run("remembered", func(b *testing.B) {
		for b.Loop() {
			NewTarget("chat", "primary", address, check)
		}
	})
}
