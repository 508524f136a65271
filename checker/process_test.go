package checker

import (
	"runtime"
	"runtime/pprof"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/livens/livens/zones"
)

// onProcess is a running checker with one HTTP target, a real process that is up.
func onProcess(t *testing.T, check zones.Check) (*Checker, Target, *process) {
	t.Helper()
	p := startProcess(t, "127.0.0.1:0")
	check.Kind, check.Port, check.Path = zones.HTTP, p.addr.Port(), "/"
	target := NewTarget("chat", "primary", loopback, &check)
	c := New(Options{Name: "ns1", Version: "test"})
	run(t, c, target)
	waitFor(t, c, target, isState(Up))
	return c, target, p
}

func TestKilledProcessIsDownAndItsSuccessorUp(t *testing.T) {
	check := fastProfile(zones.Check{})
	check.Interval = 200 * time.Millisecond
	c, target, p := onProcess(t, check)
	p.kill()
	if v := waitFor(t, c, target, isState(Down)); v.Streak > -2 {
		t.Errorf("got %+v", v)
	}
	// The probe that made it two may have been under way when the process died.
	waitFor(t, c, target, func(v Verdict) bool { return v.Reason == "connect: refused" })
	startProcess(t, p.addr.String())
	waitFor(t, c, target, isState(Up))
}

func TestStoppedProcessIsDownAndUpOnceContinued(t *testing.T) {
	c, target, p := onProcess(t, fastProfile(zones.Check{}))
	p.signal(t, syscall.SIGSTOP)
	waitFor(t, c, target, func(v Verdict) bool { return v.State == Down && v.Reason == "no reply in 500ms" })
	p.signal(t, syscall.SIGCONT)
	waitFor(t, c, target, isState(Up))
}

// When the watch breaks a probe is sent at once: with an interval of an hour nothing else would notice.
func TestBrokenWatchBringsAProbe(t *testing.T) {
	check := fastProfile(zones.Check{})
	check.Interval = 3600e9
	c, target, p := onProcess(t, check)
	waitForWatch(t, c, target)
	p.kill()
	waitFor(t, c, target, isState(Down))
}

// What ends with Run is all that it has started.
func TestRunLeavesNoGoroutine(t *testing.T) {
	t.Run("running", func(t *testing.T) {
		c, target, _ := onProcess(t, fastProfile(zones.Check{}))
		waitForWatch(t, c, target)
		hung := fastProfile(zones.Check{Kind: zones.TCP, Port: raw(t, hold), ExpectReply: "x"})
		cmd := fastProfile(zones.Check{Kind: zones.Exec, Command: []string{"sleep", "60"}})
		icmp := fastProfile(zones.Check{Kind: zones.ICMP})
		ws := fastProfile(zones.Check{Kind: zones.WebSocket, Port: raw(t, hold), Path: "/"})
		targets := []Target{target}
		for _, check := range []zones.Check{hung, cmd, icmp, ws} {
			targets = append(targets, NewTarget("chat", "primary", loopback, &check))
		}
		c.Update(targets)
		for _, target := range targets {
			waitFor(t, c, target, func(Verdict) bool { return c.Stats().Targets[target.Key].Probes > 0 })
		}
	})
	// A connection that Run has begun to close may be a moment about it.
	left := leftBehind()
	for limit := time.Now().Add(patience); left != "" && time.Now().Before(limit); left = leftBehind() {
		runtime.Gosched()
	}
	if left != "" {
		t.Errorf("left behind:\n%s", left)
	}
}

// leftBehind are the stacks of goroutines that a Checker starts.
func leftBehind() (left string) {
	var stacks strings.Builder
	pprof.Lookup("goroutine").WriteTo(&stacks, 2)
	for _, stack := range strings.Split(stacks.String(), "\n\n") {
		if strings.Contains(stack, "checker.(*Checker)") || strings.Contains(stack, "checker.watchPeer") ||
			strings.Contains(stack, "probing.(*Pinger)") || strings.Contains(stack, "checker.execProber") {
			left += stack + "\n"
		}
	}
	return left
}
