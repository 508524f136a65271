// Package peertest runs other people's DNS software for tests: real nameservers, resolvers and clients.
//
// A peer listens on loopback, on a port that was free; it counts as started only once it answers, its log is
// shown when a test fails, and it is stopped by its process id when the test ends. A program that is not installed
// fails the test: nothing is skipped.
package peertest

import (
	"errors"
	"os/exec"
	"path/filepath"
	"testing"
)

// Tool returns the path of a program, looked up in PATH and where Debian keeps daemons. The test fails without it.
func Tool(t testing.TB, name string) string {
	t.Helper()
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	for _, dir := range []string{"/usr/sbin", "/usr/local/sbin", "/sbin"} {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path
		}
	}
	t.Fatalf("%s is not installed: run scripts/test-tools.sh", name)
	return ""
}

// Run runs a client to its end and returns what it printed on both streams. A status other than 0 is not an error
// here, since clients use it to report answers too: the caller judges the text.
func Run(t testing.TB, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), Tool(t, name), args...)
	out, err := cmd.CombinedOutput()
	var status *exec.ExitError
	if err != nil && !errors.As(err, &status) {
		t.Fatalf("%s: %v", cmd, err)
	}
	return string(out)
}
