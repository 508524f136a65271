package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/livens/livens/web"
	"github.com/miekg/dns"
	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"
)

// program finds livens in the script's PATH.
func program(ts *testscript.TestScript) string {
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		path := filepath.Join(dir, "livens")
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	ts.Fatalf("no livens in PATH")
	return ""
}

// serve starts livens serve and waits until it serves; negated, until it has ended with status 1.
func cmdServe(ts *testscript.TestScript, neg bool, args []string) {
	w := worldOf(ts)
	starts := func() int {
		return strings.Count(w.logText(), "msg=serving") + strings.Count(w.logText(), `"msg":"serving"`)
	}
	before := starts()
	ts.Check(w.start(program(ts), environment(ts), append([]string{"serve", "--config", "livens.toml"}, args...)))
	if neg {
		<-w.done
		if code, _ := w.outcome(); code != exitError {
			ts.Fatalf("serve ended with %d", code)
		}
		return
	}
	err := eventually(func() error {
		select {
		case <-w.done:
			return errors.New("it ended")
		default:
		}
		if starts() <= before {
			return errors.New("it does not serve yet")
		}
		return nil
	})
	if err != nil {
		ts.Fatalf("%v; log:\n%s", err, w.logText())
	}
}

// signal sends HUP, TERM, INT or KILL to the server.
func cmdSignal(ts *testscript.TestScript, _ bool, args []string) {
	w := worldOf(ts)
	number := unix.SignalNum("SIG" + args[0])
	ts.Check(syscall.Kill(w.process.Process.Pid, number))
	if number == syscall.SIGKILL {
		<-w.done
	}
}

// ended waits until the server has ended, with that exit status or by that signal.
func cmdEnded(ts *testscript.TestScript, _ bool, args []string) {
	w := worldOf(ts)
	select {
	case <-w.done:
	case <-time.After(patience):
		ts.Fatalf("the server goes on; log:\n%s", w.logText())
	}
	code, signal := w.outcome()
	if strconv.Itoa(code) != args[0] && "SIG"+args[0] != unix.SignalName(signal) {
		ts.Fatalf("ended with %d, %v; log:\n%s", code, signal, w.logText())
	}
}

// log waits until a line of the server's log matches; negated, it says that none does now.
func cmdLog(ts *testscript.TestScript, neg bool, args []string) {
	w := worldOf(ts)
	pattern := regexp.MustCompile("(?m)" + args[0])
	if neg {
		if found := pattern.FindString(w.logText()); found != "" {
			ts.Fatalf("the log has %q", found)
		}
		return
	}
	err := eventually(func() error {
		if !pattern.MatchString(w.logText()) {
			return fmt.Errorf("nothing in the log matches %s:\n%s", args[0], w.logText())
		}
		return nil
	})
	ts.Check(err)
}

// until PATTERN PROGRAM ARGS runs the program again and again until its output matches; negated, until it does not.
func cmdUntil(ts *testscript.TestScript, neg bool, args []string) {
	pattern := regexp.MustCompile("(?m)" + args[0])
	name := args[1]
	if name == "livens" {
		name = program(ts)
	}
	err := eventually(func() error {
		out, errs, _ := runOnce(ts, name, args[2:]...) // the output is what counts
		if pattern.MatchString(out+errs) == neg {
			return fmt.Errorf("%q: match of %s is %v:\n%s%s", args[1:], args[0], !neg == false, out, errs)
		}
		return nil
	})
	ts.Check(err)
}

// exits CODE PROGRAM ARGS checks the exit status.
func cmdExits(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		code = failed.ExitCode()
	} else {
		ts.Check(err)
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit status %d", code)
	}
}

// ask asks the server once and gives the data of the answers, or the response code.
func (w *world) ask(name, qtype string, limit time.Duration) (string, error) {
	q := new(dns.Msg).SetQuestion(dns.Fqdn(name), dns.StringToType[qtype])
	client := dns.Client{Timeout: limit}
	reply, _, err := client.Exchange(q, w.dns.String())
	if err != nil {
		return "", err
	}
	if len(reply.Answer) == 0 {
		return dns.RcodeToString[reply.Rcode], nil
	}
	var data []string
	for _, rr := range reply.Answer {
		data = append(data, strings.TrimPrefix(rr.String(), rr.Header().String()))
	}
	slices.Sort(data)
	return strings.Join(data, " "), nil
}

// answers NAME TYPE WANT waits until the server answers so.
func cmdAnswers(ts *testscript.TestScript, neg bool, args []string) {
	err := eventually(func() error {
		got, err := worldOf(ts).ask(args[0], args[1], time.Second)
		if err == nil && (got == args[2]) == neg {
			err = fmt.Errorf("%s %s: %q", args[0], args[1], got)
		}
		return err
	})
	if err != nil {
		ts.Fatalf("%v; log:\n%s", err, worldOf(ts).logText())
	}
}

// stays NAME TYPE WANT asks once: the very next answer must be so.
func cmdStays(ts *testscript.TestScript, _ bool, args []string) {
	got, err := worldOf(ts).ask(args[0], args[1], patience)
	ts.Check(err)
	if got != args[2] {
		ts.Fatalf("%s %s: %q", args[0], args[1], got)
	}
}

// up DEPLOYMENT starts it; "up DEPLOYMENT PATH CODE" has it answer so at the path.
func cmdUp(ts *testscript.TestScript, _ bool, args []string) {
	d := worldOf(ts).deployments[args[0]]
	if len(args) == 1 {
		ts.Check(d.up())
		return
	}
	code, err := strconv.Atoi(args[2])
	ts.Check(err)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.codes == nil {
		d.codes = map[string]int{}
	}
	d.codes[args[1]] = code
}

func cmdDown(ts *testscript.TestScript, _ bool, args []string) {
	worldOf(ts).deployments[args[0]].down()
}

// http METHOD PATH [BODY] asks the private port, or with "socket:" before the path the control socket, and prints
// status and body.
func cmdHTTP(ts *testscript.TestScript, _ bool, args []string) {
	w := worldOf(ts)
	network, address, path := "tcp", w.http.String(), args[1]
	if rest, ok := strings.CutPrefix(path, "socket:"); ok {
		network, address, path = "unix", filepath.Join(w.dir, "state", web.SocketName), rest
	}
	var body io.Reader
	if len(args) > 2 {
		body = strings.NewReader(args[2])
	}
	request, err := http.NewRequest(args[0], "http://livens"+path, body)
	ts.Check(err)
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}}
	defer transport.CloseIdleConnections()
	response, err := (&http.Client{Transport: transport, Timeout: patience}).Do(request)
	ts.Check(err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	ts.Check(err)
	fmt.Fprintf(ts.Stdout(), "%s\n%s", response.Status, text)
}

// replace FILE OLD NEW edits a file in place.
func cmdReplace(ts *testscript.TestScript, _ bool, args []string) {
	text, edited := edit(ts, args)
	ts.Check(os.WriteFile(text, edited, 0o644))
}

// save FILE OLD NEW edits a file as editors do: a new file is renamed over it.
func cmdSave(ts *testscript.TestScript, _ bool, args []string) {
	path, edited := edit(ts, args)
	beside := filepath.Join(filepath.Dir(path), ".new~")
	ts.Check(os.WriteFile(beside, edited, 0o644))
	ts.Check(os.Rename(beside, path))
}

func edit(ts *testscript.TestScript, args []string) (string, []byte) {
	path := ts.MkAbs(args[0])
	text, err := os.ReadFile(path)
	ts.Check(err)
	if !bytes.Contains(text, []byte(args[1])) {
		ts.Fatalf("%s does not hold %q", args[0], args[1])
	}
	return path, bytes.ReplaceAll(text, []byte(args[1]), []byte(args[2]))
}

// tmpfs FOLDER SIZE mounts a small file system.
func cmdTmpfs(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(path, 0o700))
	ts.Check(unix.Mount("tmpfs", path, "tmpfs", 0, "size="+args[1]))
	ts.Defer(func() { _ = unix.Unmount(path, unix.MNT_DETACH) })
}

// occupy ADDRESS takes a port until "! occupy".
func cmdOccupy(ts *testscript.TestScript, neg bool, args []string) {
	w := worldOf(ts)
	if neg {
		w.mu.Lock()
		defer w.mu.Unlock()
		ts.Check(closeForAll(w.occupied))
		w.occupied = nil
		return
	}
	var err error
	w.occupied, err = net.Listen("tcp", args[0])
	ts.Check(err)
}

// hold begins a request to the private port and does not end it.
func cmdHold(ts *testscript.TestScript, _ bool, _ []string) {
	w := worldOf(ts)
	var conn net.Conn
	ts.Check(eventually(func() (err error) {
		conn, err = net.Dial("tcp", w.http.String())
		return err
	}))
	_, err := io.WriteString(conn, "GET / HTTP/1.1\r\n")
	ts.Check(err)
	ts.Defer(func() { conn.Close() })
	// Connections are accepted in turn: once a later one has been served, this one is the server's.
	later := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	reply, err := later.Get("http://" + w.http.String() + "/healthz")
	ts.Check(err)
	ts.Check(reply.Body.Close())
}

// notices listens as a service manager does; "notices WANT…" waits for these states in turn.
func cmdNotices(ts *testscript.TestScript, _ bool, args []string) {
	w := worldOf(ts)
	if w.notices == nil {
		path := filepath.Join(w.dir, "notify")
		var err error
		w.notices, err = net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
		ts.Check(err)
		ts.Setenv("NOTIFY_SOCKET", path)
	}
	buffer := make([]byte, 4096)
	for _, want := range args {
		ts.Check(w.notices.SetReadDeadline(time.Now().Add(patience)))
		n, err := w.notices.Read(buffer)
		ts.Check(err)
		if !regexp.MustCompile(want).Match(buffer[:n]) {
			ts.Fatalf("notified %q, want %s", buffer[:n], want)
		}
	}
}
