// Package drill_test holds the drills in which people chat while what they chat through fails: pages in headless Chromium,
// chat deployments and nameservers as real processes, and the paths between them, which are stalled and cut.
package drill_test

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

// binaries are what is under test, built once a run.
var binaries struct{ livens, livechat string }

// chromium is where all pages are, except those in network namespaces.
var chromium *browser

// run builds what is under test and starts Chromium.
func run(m *testing.M) int {
	if err := inMemory(); err != nil {
		return fail(err)
	}
	dir, err := os.MkdirTemp("", "drill")
	if err != nil {
		return fail(err)
	}
	defer os.RemoveAll(dir)
	binaries.livens, binaries.livechat = filepath.Join(dir, "livens"), filepath.Join(dir, "livechat")
	built := make(chan error, 2)
	for path, of := range map[string]string{binaries.livens: "../../cmd/livens", binaries.livechat: "../cmd/livechat"} {
		go func() { built <- build(path, of) }()
	}
	if chromium, err = startBrowser(chromiumFlags, nil, nil); err != nil {
		return fail(err)
	}
	defer chromium.end()
	if err := errors.Join(<-built, <-built); err != nil {
		return fail(err)
	}
	if err := flag.Set("test.parallel", atOnce); err != nil {
		return fail(err)
	}
	code := m.Run()
	printTable(os.Stdout)
	if *update && code == 0 {
		if err := writeEvidence(); err != nil {
			return fail(err)
		}
	}
	return code
}

// inMemory has all files of the drills in memory, where there is such a folder. Each deployment has a disk of its own; here a dozen would wait for one,
// at each message.
func inMemory() error {
	const memory = "/dev/shm"
	if info, err := os.Stat(memory); err != nil || !info.IsDir() {
		return nil
	}
	return os.Setenv("TMPDIR", memory)
}

// chromiumFlags name what DNS says in some drills, and make a page that has been hidden for 3 s the one that others are
// after five minutes. Pages with a WebSocket are kept when they are left, as newer versions do by themselves.
var chromiumFlags = []string{
	"--host-resolver-rules=MAP *.missing.test ~NOTFOUND,MAP *.test 127.0.0.1",
	"--enable-features=IntensiveWakeUpThrottling:grace_period_seconds/3,DisconnectWebSocketOnBFCache",
}

// atOnce is how many of the drills that wait more than they work are held at a time.
const atOnce = "6"

// build builds the program of a folder.
func build(path, folder string) error {
	cmd := exec.Command("go", "build", "-o", path, ".")
	cmd.Dir = folder
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

func fail(err error) int {
	fmt.Fprintln(os.Stderr, "drill:", err)
	return 1
}

// copyBoth joins two connections until either ends.
func copyBoth(a, b net.Conn) {
	defer a.Close()
	defer b.Close()
	done := make(chan struct{}, 2)
	for _, way := range [][2]net.Conn{{a, b}, {b, a}} {
		go func() {
			_, _ = io.Copy(way[0], way[1]) // the end is all that counts
			done <- struct{}{}
		}()
	}
	<-done
}
