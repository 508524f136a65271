package thread

import (
	"runtime"
	"sync/atomic"
	"testing"
)

// TestPlaceRenewed: whoever waits for the place has its turn, once, and what was renewed just now is kept.
func TestPlaceRenewed(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var ran atomic.Bool
	go func() { ran.Store(true) }()
	for range 10 { // the scheduler may prefer who has given it up
		if new(Place).Renew(); ran.Load() {
			break
		}
	}
	if !ran.Load() {
		t.Error("a place that was held for long is not given up")
	}
	var p Place
	kept := false
	for range 100 { // this goroutine may be held up for longer than a place is kept
		p.Renew()
		since := p.since
		p.Renew()
		kept = kept || p.since == since
	}
	if !kept {
		t.Error("a place that was renewed just now is given up again")
	}
}
