package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/livens/livens/internal/process"
	"github.com/rogpeppe/go-internal/testscript"
)

// patience is how long scripts wait for what must happen, on a slow and busy machine.
const patience = 30 * time.Second

const pollPause = 5 * time.Millisecond

// world is what surrounds one script's livens: deployments, and the process itself.
type world struct {
	dir         string
	dns, http   netip.AddrPort
	deployments map[string]*deployment
	load        *load
	notices     *net.UnixConn
	occupied    net.Listener
	members     map[string]*member // by name: of scripts with several nameservers

	mu      sync.Mutex
	process *exec.Cmd
	done    chan struct{} // closed when the process has ended
}

type worldKey struct{}

func worldOf(ts *testscript.TestScript) *world { return ts.Value(worldKey{}).(*world) }

func newWorld(e *testscript.Env) (*world, error) {
	w := &world{dir: e.WorkDir, deployments: map[string]*deployment{}, members: map[string]*member{}}
	loopback, second := netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("127.0.0.2")
	var ports [4]uint16
	for i := range ports {
		var err error
		if ports[i], err = process.FreePort(loopback, second); err != nil {
			return nil, err
		}
	}
	w.dns, w.http = netip.AddrPortFrom(loopback, ports[0]), netip.AddrPortFrom(loopback, ports[1])
	e.Setenv("DNS", w.dns.String())
	e.Setenv("DNS2", netip.AddrPortFrom(second, ports[0]).String())
	e.Setenv("HTTP", w.http.String())
	e.Setenv("MODERATOR", netip.AddrPortFrom(loopback, ports[3]).String())
	e.Setenv("CHECK", fmt.Sprint(ports[2]))
	e.Setenv("USER", "tester")
	for name, address := range map[string]netip.Addr{"primary": loopback, "redundant": second} {
		d := &deployment{where: netip.AddrPortFrom(address, ports[2])}
		if err := d.up(); err != nil {
			return nil, err
		}
		w.deployments[name] = d
	}
	e.Defer(w.end)
	return w, nil
}

func (w *world) end() {
	if w.load != nil {
		w.load.stop()
	}
	if w.process != nil {
		_ = w.process.Process.Kill() // it may have ended
		<-w.done
	}
	for _, m := range w.members {
		m.end()
	}
	for _, d := range w.deployments {
		d.down()
	}
	if w.notices != nil {
		w.notices.Close()
	}
}

// start runs livens serve with its log in the file log.
func (w *world) start(program string, env []string, args []string) error {
	log, err := os.OpenFile(filepath.Join(w.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = w.dir, env, log, log
	if err := cmd.Start(); err != nil {
		return err
	}
	w.process, w.done = cmd, make(chan struct{})
	go func() {
		_ = cmd.Wait() // the state tells how
		close(w.done)
	}()
	return nil
}

func (w *world) logText() string {
	text, err := os.ReadFile(filepath.Join(w.dir, "log"))
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// deployment is an HTTP server: 200 on every path, unless told otherwise.
type deployment struct {
	where netip.AddrPort

	mu     sync.Mutex
	server *http.Server
	codes  map[string]int
}

func (d *deployment) up() error {
	l, err := net.Listen("tcp", d.where.String())
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.server = &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d.mu.Lock()
		code, ok := d.codes[r.URL.Path]
		d.mu.Unlock()
		if !ok {
			code = http.StatusOK
		}
		w.WriteHeader(code)
	})}
	go d.server.Serve(l)
	return nil
}

func (d *deployment) down() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.server != nil {
		_ = closeForAll(d.server)
		d.server = nil
	}
}

// closeForAll closes what listens so that its port is free at once. A process that another script is starting has this one's sockets,
// closed ones too, until it becomes its program: that is waited for.
func closeForAll(c io.Closer) error {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	return c.Close()
}

// eventually polls until ok says nil.
func eventually(ok func() error) error {
	deadline := time.Now().Add(patience)
	for {
		err := ok()
		if err == nil || time.Now().After(deadline) {
			return err
		}
		time.Sleep(pollPause)
	}
}

// outcome is how the process ended.
func (w *world) outcome() (code int, signal syscall.Signal) {
	status := w.process.ProcessState.Sys().(syscall.WaitStatus)
	if status.Signaled() {
		return -1, status.Signal()
	}
	return status.ExitStatus(), 0
}

// runOnce runs a program to its end.
func runOnce(ts *testscript.TestScript, program string, args ...string) (out, errs string, err error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = ts.MkAbs("."), environment(ts), &stdout, &stderr
	err = cmd.Run()
	return stdout.String(), stderr.String(), err
}

func environment(ts *testscript.TestScript) []string {
	var out []string
	for _, name := range []string{"PATH", "HOME", "USER", "TMPDIR", "NOTIFY_SOCKET", "SUDO_USER"} {
		if v := ts.Getenv(name); v != "" {
			out = append(out, name+"="+v)
		}
	}
	return out
}
