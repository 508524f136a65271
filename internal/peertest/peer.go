package peertest

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"
)

const (
	startLimit = 20 * time.Second // from start to the first answer, on a slow and busy machine
	stopLimit  = 5 * time.Second  // from SIGTERM to SIGKILL
	startTries = 3                // with another port each, should somebody have taken the first
	pollPause  = 10 * time.Millisecond
)

// Peer is a program under test conditions: started, ready, and stopped when the test ends.
type Peer struct {
	Addr netip.AddrPort // where it answers, UDP and TCP
	Dir  string         // its folder; its log is Dir/log
}

// Spec describes how one kind of peer starts.
type Spec struct {
	Tool   string     // the program
	Listen netip.Addr // default Loopback
	Port   uint16     // default: one that the kernel chooses
	// Setup writes configuration into dir and returns the arguments.
	Setup func(dir string, addr netip.AddrPort) ([]string, error)
	// Ready reports nil once the peer does its work; it is asked over and over.
	Ready func(addr netip.AddrPort) error
}

// Start starts a peer and waits until it is ready. The test fails, with the peer's log, when that takes too long.
func Start(t testing.TB, spec Spec) *Peer {
	t.Helper()
	tool := Tool(t, spec.Tool)
	if !spec.Listen.IsValid() {
		spec.Listen = Loopback
	}
	var err error
	for range startTries {
		port := spec.Port
		if port == 0 {
			port = FreePort(t, spec.Listen)
		}
		peer := &Peer{Addr: netip.AddrPortFrom(spec.Listen, port), Dir: shortDir(t)}
		if err = peer.start(t, tool, spec); err == nil {
			return peer
		}
	}
	t.Fatalf("%s: %v", spec.Tool, err)
	return nil
}

// shortDir is a temporary folder whose path is short enough for unix sockets inside it (108 bytes).
func shortDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "peer")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func (p *Peer) start(t testing.TB, tool string, spec Spec) error {
	args, err := spec.Setup(p.Dir, p.Addr)
	if err != nil {
		return err
	}
	program, err := unconfined(tool, p.Dir)
	if err != nil {
		return err
	}
	run, err := launch(program, args, p.Dir)
	if err != nil {
		return err
	}
	if err := run.await(func() error { return spec.Ready(p.Addr) }); err != nil {
		run.stop()
		return fmt.Errorf("%w; its log:\n%s", err, p.Log())
	}
	t.Cleanup(func() {
		run.stop()
		if t.Failed() {
			t.Logf("log of %s on %s:\n%s", spec.Tool, p.Addr, tail(p.Log(), 8000))
		}
	})
	return nil
}

// unconfined copies a program into dir. AppArmor knows programs by their path: Debian's profiles keep named and unbound
// from reading anything outside their own folders in /etc and /var.
func unconfined(tool, dir string) (string, error) {
	program, err := os.ReadFile(tool)
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, filepath.Base(tool))
	// A process forked meanwhile would hold the file open for writing, and so keep it from being run.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	return path, os.WriteFile(path, program, 0o700)
}

// Log is what the peer has printed so far.
func (p *Peer) Log() string {
	text, err := os.ReadFile(filepath.Join(p.Dir, "log"))
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func tail(text string, n int) string {
	if len(text) <= n {
		return text
	}
	return "…" + text[len(text)-n:]
}

// process is a running program with its children, which share its process group.
type process struct {
	pid  int
	done chan struct{} // closed when it has ended
	err  error         // how; read after done
}

// launch starts the program. It is killed by the kernel should the test process die without stopping it; the kernel
// ties that to the thread that started it, so one locked thread stays until the end.
func launch(tool string, args []string, dir string) (*process, error) {
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(tool, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	run := &process{done: make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer close(run.done)
		err := cmd.Start()
		started <- err
		if err == nil {
			run.err = cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	run.pid = cmd.Process.Pid
	return run, nil
}

func (r *process) await(ready func() error) error {
	deadline := time.After(startLimit)
	poll := time.NewTicker(pollPause)
	defer poll.Stop()
	for {
		err := ready()
		if err == nil {
			return nil
		}
		select {
		case <-r.done:
			return fmt.Errorf("it ended before it was ready (%v)", r.err)
		case <-deadline:
			return fmt.Errorf("not ready after %v: %w", startLimit, err)
		case <-poll.C:
		}
	}
}

func (r *process) stop() {
	_ = syscall.Kill(-r.pid, syscall.SIGTERM) // an error means that it has ended already
	select {
	case <-r.done:
	case <-time.After(stopLimit):
	}
	_ = syscall.Kill(-r.pid, syscall.SIGKILL) // children that outlived it, or itself
	<-r.done
}
