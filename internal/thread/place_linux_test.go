package thread

import (
	"runtime"
	"sync/atomic"
	"testing"
	"time"
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
		kept = kept || !since.IsZero() && p.since == since
	}
	if !kept {
		t.Error("a place that was renewed just now is given up again")
	}
}

// TestPlaceIsNewAfterAWait: the place counts from when it was got again, not from when it was given up: who waited for long would give it
// up again at once.
func TestPlaceIsNewAfterAWait(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var until atomic.Pointer[time.Time]
	go func() { // takes its turn, and longer than a tenure
		start := time.Now()
		for time.Since(start) < 2*tenure {
		}
		end := time.Now()
		until.Store(&end)
	}()
	for range 10 { // the scheduler may prefer who has given it up
		var p Place
		if p.Renew(); until.Load() != nil {
			if p.since.Before(*until.Load()) {
				t.Error("the place is as old as the wait for it")
			}
			return
		}
	}
	t.Error("a place that was held for long is not given up")
}
