package checker

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/livens/livens/zones"
)

// helperEnv makes the test binary a server to be killed: its value is the address to listen on.
const helperEnv = "CHECKER_TEST_SERVER"

func TestMain(m *testing.M) {
	if addr := os.Getenv(helperEnv); addr != "" {
		serveUntilKilled(addr)
	}
	os.Exit(m.Run())
}

func serveUntilKilled(addr string) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(l.Addr())
	http.Serve(l, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	os.Exit(1)
}

// process is a real HTTP server in a process of its own.
type process struct {
	addr netip.AddrPort
	cmd  *exec.Cmd
}

// startProcess starts a server; port 0 lets the kernel choose.
func startProcess(tb testing.TB, addr string) *process {
	tb.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), helperEnv+"="+addr)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	p := &process{cmd: cmd}
	tb.Cleanup(p.kill)
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		tb.Fatalf("helper process did not start: %v", err)
	}
	p.addr = netip.MustParseAddrPort(line[:len(line)-1])
	return p
}

func (p *process) kill() {
	p.cmd.Process.Kill()
	p.cmd.Wait()
}

func (p *process) signal(tb testing.TB, s syscall.Signal) {
	tb.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		tb.Fatal(err)
	}
}

// fast and normal are the two profiles that the figures are given for.
func fastProfile(c zones.Check) zones.Check {
	c.Interval, c.FastInterval, c.Timeout, c.Fall, c.Rise = time.Second, 100*time.Millisecond, 500*time.Millisecond, 2, 3
	return c
}

func defaults(c zones.Check) zones.Check {
	c.Interval, c.FastInterval, c.Timeout, c.Fall, c.Rise = time.Second, 200*time.Millisecond, 500*time.Millisecond, 4, 3
	return c
}

// run runs a checker until the test ends, and fails it if Run does not end cleanly.
func run(tb testing.TB, c *Checker, targets ...Target) {
	tb.Helper()
	c.Update(targets)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	tb.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			tb.Error(err)
		}
	})
}

// waitFor waits for a change after which the target's verdict is as wanted.
func waitFor(tb testing.TB, c *Checker, t Target, wanted func(Verdict) bool) Verdict {
	tb.Helper()
	patience := time.NewTimer(30 * time.Second)
	defer patience.Stop()
	for {
		if v := c.Verdicts()[t.Key]; wanted(v) {
			return v
		}
		select {
		case <-c.Changes():
		case <-patience.C:
			tb.Fatalf("verdict stays %+v", c.Verdicts()[t.Key])
		}
	}
}

func isState(s State) func(Verdict) bool { return func(v Verdict) bool { return v.State == s } }
