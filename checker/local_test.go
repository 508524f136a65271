package checker

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/livens/livens/zones"
)

func TestExec(t *testing.T) {
	for _, tc := range []struct {
		name    string
		command []string
		timeout time.Duration
		want    Result
	}{
		{"true", []string{"true"}, patience, success("exit status 0")},
		{"says", []string{"echo", "{deployment} of {pool} at {address} is well"}, patience, success("primary of chat at 127.0.0.1 is well")},
		{"false", []string{"false"}, patience, failure("exit status 1")},
		{"says why", []string{"sh", "-c", "echo disk full >&2; echo more; exit 3"}, patience, failure("exit status 3: disk full")},
		{"says odd things", []string{"printf", `a\033[31m\377b`}, patience, success("a [31m?b")},
		{"says much", []string{"sh", "-c", "yes x | tr -d '\\n' | head -c 1000000; exit 1"}, patience,
			failure("exit status 1: %s…", strings.Repeat("x", 200))},
		{"killed", []string{"sh", "-c", "kill -9 $$"}, patience, failure("signal: killed")},
		{"too slow", []string{"sleep", "60"}, haste, failure("command did not end in 150ms")},
		{"leaves something in the background", []string{"sh", "-c", "sleep 5 & echo ok"}, patience, success("ok")},
		{"no such command", []string{"/nonexistent"}, patience, unclear("cannot run the command: no such file or directory")},
	} {
		t.Run(tc.name, func(t *testing.T) {
			wantResult(t, ask(t, 0, zones.Check{Kind: zones.Exec, Command: tc.command, Timeout: tc.timeout}), tc.want)
		})
	}
}

func TestExecTimeoutKillsTheProcessGroup(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pid")
	script := fmt.Sprintf("sleep 60 & echo $! > %[1]s.new; mv %[1]s.new %[1]s; wait", file)
	// The timeout is over once the grandchild is there, however long that takes.
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		defer cancel()
		for ctx.Err() == nil {
			if _, err := os.Stat(file); err == nil {
				return
			}
			time.Sleep(time.Millisecond)
		}
	}()
	check := zones.Check{Kind: zones.Exec, Command: []string{"sh", "-c", script}, Timeout: patience}
	wantResult(t, Probe(ctx, Options{}, NewTarget("chat", "primary", loopback, &check)), failure("command did not end in 20s"))
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	// Killed, the grandchild is a zombie until init reaps it.
	for limit := time.Now().Add(patience); time.Now().Before(limit); time.Sleep(time.Millisecond) {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil || strings.Contains(string(stat), ") Z ") {
			return
		}
	}
	syscall.Kill(pid, syscall.SIGKILL)
	t.Error("a grandchild lives on")
}

func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "primary.state")
	for _, tc := range []struct {
		text string
		want Result
	}{
		{"up\n", success("state file says up")},
		{"  up since noon\nmore", success("state file says up: since noon more")},
		{"down\tupgrade", failure("state file says down: upgrade")},
		{"drain for the upgrade", Result{Outcome: Success, Drain: true, Reason: "state file says drain: for the upgrade"}},
		{"", failure("state file %s is empty", path)},
		{"UP", failure(`state file says "UP", wanted up, down or drain`)},
		{"\x00\x1b[2J", failure(`state file says "[2J", wanted up, down or drain`)},
		{strings.Repeat("x", 1<<20), failure(`state file says "%s…", wanted up, down or drain`, strings.Repeat("x", 60))},
	} {
		t.Run(printable(tc.text, 20), func(t *testing.T) {
			if err := os.WriteFile(path, []byte(tc.text), 0o600); err != nil {
				t.Fatal(err)
			}
			name := filepath.Join(filepath.Dir(path), "{deployment}.state")
			wantResult(t, ask(t, 0, zones.Check{Kind: zones.File, File: name}), tc.want)
		})
	}
	t.Run("none", func(t *testing.T) {
		wantResult(t, ask(t, 0, zones.Check{Kind: zones.File, File: "/nonexistent"}),
			failure("state file /nonexistent: no such file or directory"))
	})
	t.Run("fifo", func(t *testing.T) {
		fifo := filepath.Join(t.TempDir(), "fifo")
		if err := syscall.Mkfifo(fifo, 0o600); err != nil {
			t.Fatal(err)
		}
		wantResult(t, ask(t, 0, zones.Check{Kind: zones.File, File: fifo}), failure("state file %s: not a regular file", fifo))
	})
}

func TestStatic(t *testing.T) {
	wantResult(t, ask(t, 0, zones.Check{Kind: zones.Static, Up: true}), success("always up"))
	wantResult(t, ask(t, 0, zones.Check{Kind: zones.Static}), failure("always down"))
}

func TestUnknownKindIsUnclear(t *testing.T) {
	wantResult(t, ask(t, 0, zones.Check{Kind: "gopher"}), unclear(`no such kind of check: "gopher"`))
}

// nameserver is a real DNS server on one loopback port over UDP and TCP.
func nameserver(t *testing.T, handle dns.HandlerFunc) uint16 {
	t.Helper()
	udp, tcp := bothTransports(t)
	for _, srv := range []*dns.Server{{PacketConn: udp, Handler: handle}, {Listener: tcp, Handler: handle}} {
		started := make(chan struct{})
		srv.NotifyStartedFunc = func() { close(started) }
		go srv.ActivateAndServe()
		<-started
		t.Cleanup(func() { srv.Shutdown() })
	}
	return portOf(udp.LocalAddr())
}

// bothTransports listens on one port that is free for UDP and for TCP.
func bothTransports(t *testing.T) (net.PacketConn, net.Listener) {
	t.Helper()
	for range 100 {
		udp, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		tcp, err := net.Listen("tcp", udp.LocalAddr().String())
		if err == nil {
			return udp, tcp
		}
		udp.Close()
	}
	t.Fatal("no port is free for both UDP and TCP")
	return nil, nil
}

func TestDNS(t *testing.T) {
	port := nameserver(t, func(w dns.ResponseWriter, q *dns.Msg) {
		r := new(dns.Msg).SetReply(q)
		_, overTCP := w.RemoteAddr().(*net.TCPAddr)
		switch q.Question[0].Name {
		case "broken.example.":
			r.Rcode = dns.RcodeServerFailure
		case "odd.example.":
			r.Rcode = 14
		case "empty.example.":
		case "wrong.example.":
			r.Question[0].Name = "other.example."
		case "lost.example.":
			return
		case "garbage.example.":
			w.Write([]byte("garbage"))
			return
		case "long.example.":
			r.Truncated = !overTCP
			fallthrough
		default:
			rr, err := dns.NewRR(q.Question[0].Name + " TXT hello")
			if err != nil {
				t.Error(err)
			}
			rr.Header().Rrtype = q.Question[0].Qtype
			if !r.Truncated {
				r.Answer = append(r.Answer, rr)
			}
		}
		w.WriteMsg(r)
	})
	for _, tc := range []struct {
		query string
		want  Result
	}{
		{"ok.example.", success("NOERROR")},
		{"long.example.", success("NOERROR")},
		{"broken.example.", failure("SERVFAIL, wanted NOERROR")},
		{"odd.example.", failure("rcode 14, wanted NOERROR")},
		{"empty.example.", failure("NOERROR without an answer")},
		{"wrong.example.", failure("reply is to another question")},
		{"lost.example.", silence("no reply in 150ms")},
	} {
		t.Run(tc.query, func(t *testing.T) {
			check := zones.Check{Kind: zones.DNS, Query: tc.query, QType: dns.TypeTXT}
			if tc.query == "lost.example." {
				check.Timeout = haste
			}
			wantResult(t, ask(t, port, check), tc.want)
		})
	}
	t.Run("garbage", func(t *testing.T) {
		if r := ask(t, port, zones.Check{Kind: zones.DNS, Query: "garbage.example."}); r.Outcome != Failure || r.Silent {
			t.Errorf("got %+v", r)
		}
	})
	t.Run("nothing listens", func(t *testing.T) {
		dead := closedPort(t)
		wantResult(t, ask(t, dead, zones.Check{Kind: zones.DNS, Query: "ok.example."}), failure("refused: nothing listens on port %d", dead))
	})
}

// Without the right to send ICMP the result says what to do; with it, loopback answers.
func TestICMP(t *testing.T) {
	r := ask(t, 0, zones.Check{Kind: zones.ICMP})
	if os.Geteuid() != 0 {
		if r.Outcome != Unclear || !strings.Contains(r.Reason, "CAP_NET_RAW") {
			t.Errorf("got %+v", r)
		}
		return
	}
	wantResult(t, r, success("echo reply"))
	check := zones.Check{Kind: zones.ICMP, Timeout: patience}
	wantResult(t, Probe(t.Context(), Options{}, NewTarget("p", "d", netip.MustParseAddr("::1"), &check)), success("echo reply"))
}

func TestICMPWithoutReply(t *testing.T) {
	p := icmpProber{t: Target{Address: loopback, Check: &zones.Check{Timeout: time.Second}}}
	for _, tc := range []struct {
		err  error
		want Result
	}{
		{nil, silence("no echo reply in 1s")},
		{context.DeadlineExceeded, silence("no echo reply in 1s")},
		{&net.OpError{Op: "write", Err: os.NewSyscallError("sendto", syscall.EHOSTUNREACH)}, silence("connect: unreachable, says the network")},
		{&net.OpError{Op: "write", Err: os.NewSyscallError("sendto", syscall.ENOBUFS)},
			unclear("cannot probe from here: no buffer space available")},
	} {
		wantResult(t, p.noReply(tc.err), tc.want)
	}
	r := p.noReply(&net.OpError{Op: "listen", Err: os.NewSyscallError("socket", syscall.EPERM)})
	if r.Outcome != Unclear || !strings.Contains(r.Reason, "CAP_NET_RAW") {
		t.Errorf("got %+v", r)
	}
}

func TestPlaceholdersAndKeys(t *testing.T) {
	a, b := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")
	check := func(c zones.Check) *zones.Check { return &c }
	https := zones.Check{Kind: zones.HTTPS, Port: 443, Path: "/{deployment}", Headers: map[string]string{"A": "{pool}", "B": "x"}}
	target := NewTarget("chat", "primary", a, &https)
	if target.Check.Path != "/primary" || target.Check.Headers["A"] != "chat" || https.Path != "/{deployment}" || https.Headers["A"] != "{pool}" {
		t.Errorf("got %+v from %+v", target.Check, https)
	}
	key := func(pool, deployment string, addr netip.Addr, c zones.Check) string {
		return NewTarget(pool, deployment, addr, check(c)).Key
	}
	plain := zones.Check{Kind: zones.TCP, Port: 80, Timeout: time.Second}
	slower := plain
	slower.Timeout = 2 * time.Second
	file := zones.Check{Kind: zones.File, File: "/run/state"}
	fileOf := zones.Check{Kind: zones.File, File: "/run/{address}"}
	static := zones.Check{Kind: zones.Static, Up: true}
	run := zones.Check{Kind: zones.Exec, Command: []string{"true"}}
	runOn := zones.Check{Kind: zones.Exec, Command: []string{"ping", "{address}"}}
	for _, tc := range []struct {
		name string
		one  string
		two  string
		same bool
	}{
		{"two pools", key("chat", "x", a, plain), key("www", "y", a, plain), true},
		{"two addresses", key("chat", "x", a, plain), key("chat", "x", b, plain), false},
		{"two timeouts", key("chat", "x", a, plain), key("chat", "x", a, slower), false},
		{"the placeholder differs", key("chat", "x", a, https), key("chat", "y", a, https), false},
		{"file", key("chat", "x", a, file), key("chat", "x", b, file), true},
		{"file with address", key("chat", "x", a, fileOf), key("chat", "x", b, fileOf), false},
		{"static", key("chat", "x", a, static), key("chat", "x", b, static), true},
		{"exec", key("chat", "x", a, run), key("www", "y", b, run), true},
		{"exec with address", key("chat", "x", a, runOn), key("chat", "x", b, runOn), false},
		{"argv is not joined", key("chat", "x", a, zones.Check{Kind: zones.Exec, Command: []string{"a b"}}),
			key("chat", "x", a, zones.Check{Kind: zones.Exec, Command: []string{"a", "b"}}), false},
	} {
		if (tc.one == tc.two) != tc.same {
			t.Errorf("%s: keys %s and %s", tc.name, tc.one, tc.two)
		}
	}
	// Keys must be the same on all nameservers and in all versions: votes are counted by them.
	if got := key("chat", "primary", a, https); got != goldenKey {
		t.Errorf("key of an HTTPS check is %s, was %s", got, goldenKey)
	}
}

const goldenKey = "4652ef417dee7ea60bb0"
