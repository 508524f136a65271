package peertest

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/livens/livens/internal/process"
)

const (
	startLimit = 20 * time.Second // from start to the first answer, on a slow and busy machine
	startTries = 3                // with another port each, should somebody have taken the first
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
	// Enter is where it starts, as for process.Start; nil: where the test is. With it, Port must be set.
	Enter func() error
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
	log, err := os.Create(filepath.Join(p.Dir, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = p.Dir, log, log
	run, err := process.Start(cmd, spec.Enter)
	if err != nil {
		return err
	}
	if err := run.Await(t.Context(), startLimit, func() error { return spec.Ready(p.Addr) }); err != nil {
		run.End(syscall.SIGTERM)
		return fmt.Errorf("%w; its log:\n%s", err, p.Log())
	}
	t.Cleanup(func() {
		run.End(syscall.SIGTERM)
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
