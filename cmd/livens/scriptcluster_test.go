package main

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/livens/livens/internal/process"
	"github.com/rogpeppe/go-internal/testscript"
)

// member is one of several nameservers of a script: its folder, and the process.
type member struct {
	dir  string
	cmd  *exec.Cmd
	done chan struct{} // closed when the process has ended
}

// memberConfig is a member's livens.toml; ns1 also has the private listener.
const memberConfig = `name = "ns%[1]d"
listen = [%[2]s]
state = "state"
site = "site%[1]d"
[http]
listen = "%[3]s"
[cluster]
listen = "%[4]v"
peers = ["%[5]s"]
key_file = "cluster.key"
[moderator]
listen = "%[6]v"
`

// cluster N starts nameservers ns1 to nsN, each in a folder of its name with a copy of zones, and waits until all serve; with
// "witness" after N the last one is a witness. $NS1 to $NSN become the URLs of their public listeners.
func cmdCluster(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	w, addrs := worldOf(ts), []netip.Addr{}
	for i := range n {
		addrs = append(addrs, netip.AddrFrom4([4]byte{127, 0, 3, byte(1 + i)}))
	}
	dns, err := process.FreePort(addrs...)
	ts.Check(err)
	port, err := process.FreePort(addrs...)
	ts.Check(err)
	public, err := process.FreePort(addrs...)
	ts.Check(err)
	key, _, err := runOnce(ts, program(ts), "key", "cluster")
	ts.Check(err)
	for i, addr := range addrs {
		dir, private := ts.MkAbs(fmt.Sprintf("ns%d", i+1)), "off"
		if i == 0 {
			private = w.http.String()
		}
		var peers []string
		for _, other := range addrs {
			if other != addr {
				peers = append(peers, netip.AddrPortFrom(other, port).String())
			}
		}
		listen := strconv.Quote(netip.AddrPortFrom(addr, dns).String())
		if len(args) > 1 && i == n-1 {
			listen = ""
		}
		moderator := netip.AddrPortFrom(addr, public)
		ts.Setenv(fmt.Sprintf("NS%d", i+1), "http://"+moderator.String())
		config := fmt.Sprintf(memberConfig, i+1, listen, private, netip.AddrPortFrom(addr, port), strings.Join(peers, `", "`), moderator)
		ts.Check(os.MkdirAll(dir, 0o755))
		ts.Check(os.WriteFile(filepath.Join(dir, "livens.toml"), []byte(config), 0o644))
		ts.Check(os.WriteFile(filepath.Join(dir, "cluster.key"), []byte(key), 0o600))
		ts.Check(os.CopyFS(filepath.Join(dir, "zones"), os.DirFS(ts.MkAbs("zones"))))
		w.members[filepath.Base(dir)] = startMember(ts, dir)
	}
	for name, m := range w.members {
		err := eventually(func() error {
			if text := m.logText(); !strings.Contains(text, "msg=serving") {
				return errors.New(name + " does not serve yet:\n" + text)
			}
			return nil
		})
		ts.Check(err)
	}
}

func startMember(ts *testscript.TestScript, dir string) *member {
	log, err := os.OpenFile(filepath.Join(dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	ts.Check(err)
	defer log.Close()
	m := &member{dir, exec.Command(program(ts), "serve", "--config", "livens.toml"), make(chan struct{})}
	m.cmd.Dir, m.cmd.Env, m.cmd.Stdout, m.cmd.Stderr = dir, environment(ts), log, log
	ts.Check(m.cmd.Start())
	go func() {
		_ = m.cmd.Wait() // the state tells how
		close(m.done)
	}()
	return m
}

func (m *member) logText() string {
	text, err := os.ReadFile(filepath.Join(m.dir, "log"))
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// end kills the process, also one that is stopped.
func (m *member) end() {
	_ = m.cmd.Process.Kill() // it may have ended
	<-m.done
}

// member NAME STOP|CONT|TERM sends the signal to one of the nameservers; TERM waits for its end.
func cmdMember(ts *testscript.TestScript, _ bool, args []string) {
	m := worldOf(ts).members[args[0]]
	number := map[string]syscall.Signal{"STOP": syscall.SIGSTOP, "CONT": syscall.SIGCONT, "TERM": syscall.SIGTERM}[args[1]]
	ts.Check(m.cmd.Process.Signal(number))
	if number != syscall.SIGTERM {
		return
	}
	select {
	case <-m.done:
	case <-time.After(patience):
		ts.Fatalf("%s goes on; log:\n%s", args[0], m.logText())
	}
}
