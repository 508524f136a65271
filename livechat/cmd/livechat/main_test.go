package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/livens/livens/internal/process"
	"github.com/livens/livens/livechat/chattest"
	"github.com/livens/livens/livechat/frame"
)

// TestMain lets the test binary be livechat itself, so that tests can kill it.
func TestMain(m *testing.M) {
	if os.Getenv("LIVECHAT_TEST_MAIN") != "" {
		main()
	}
	os.Exit(m.Run())
}

// livechat runs a command in this process.
func livechat(args ...string) (code int, stdout, stderr string) {
	var out, err bytes.Buffer
	code = run(context.Background(), args, &out, &err)
	return code, out.String(), err.String()
}

// folder is one with a configuration.
func folder(t *testing.T) (dir, config string) {
	t.Helper()
	_, out, _ := livechat("token")
	hash := regexp.MustCompile(`sha256:\w+`).FindString(out)
	dir = t.TempDir()
	config = filepath.Join(dir, "livechat.toml")
	text := fmt.Sprintf("name = %q\nlisten = %q\ndata = \"data\"\npool = \"chat\"\n[[operator]]\nname = \"ann\"\ntoken_hash = %q\n[limits]\nburst = 1000\nrate = 1000\n[backup]\nkeep = 2\n",
		"primary", "127.0.0.1:0", hash)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir, config
}

// output is a process's log, and finds where it listens.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

func (o *output) find(pattern string) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	m := regexp.MustCompile(pattern).FindSubmatch(o.text.Bytes())
	if m == nil {
		return ""
	}
	return string(m[1])
}

// serving starts a real process, and returns it with its address.
func serving(t *testing.T, config string) (*process.Process, string) {
	t.Helper()
	log := &output{}
	cmd := exec.Command(os.Args[0], "serve", "--config", config)
	cmd.Env, cmd.Stderr = append(os.Environ(), "LIVECHAT_TEST_MAIN=1"), log
	p, err := process.Start(cmd, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.End(syscall.SIGKILL) })
	var addr string
	if err := p.Await(context.Background(), patience, func() error {
		if addr = log.find(`msg=listening addr=(\S+)`); addr == "" {
			return fmt.Errorf("no address in %q", log.find("(?s)(.*)"))
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return p, addr
}

// talker is a visitor that sends as fast as it is acknowledged.
type talker struct {
	key, sender, c string
	acked          int64
}

func (v *talker) hello(addr string) (*chattest.Client, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	_ = context.AfterFunc(ctx, cancel)
	c, err := chattest.Dial(ctx, "ws://"+addr+"/chat")
	if err != nil {
		return nil, err
	}
	err = c.Send(frame.Hello{T: "hello", V: 1, Role: frame.Visitor, Key: v.key, Sender: v.sender})
	return c, err
}

// talk sends until the deployment is gone, notes what was acknowledged, and calls acked for each.
func (v *talker) talk(addr string, acked func()) error {
	c, err := v.hello(addr)
	if err != nil {
		return err
	}
	defer c.Cut()
	for n := v.acked + 1; ; n++ {
		if err := c.Send(frame.Msg{T: "msg", C: v.c, S: v.sender, N: n, Text: fmt.Sprint(n)}); err != nil {
			return nil
		}
		a, err := chattest.Until(c, func(a *frame.Ack) bool { return a.By == frame.Disk })
		if err != nil {
			return nil
		}
		v.acked = a.Have[v.sender]
		acked()
	}
}

// TestKilledInTraffic: whenever the process is killed, everything that it acknowledged is there when it is started again.
func TestKilledInTraffic(t *testing.T) {
	_, config := folder(t)
	visitors := make([]*talker, 4)
	for i := range visitors {
		key := chattest.Key()
		c, _ := frame.Conversation(key)
		visitors[i] = &talker{key: key, sender: chattest.Sender("visitor"), c: c}
	}
	for round := range 4 {
		p, addr := serving(t, config)
		var talking sync.WaitGroup
		var acked atomic.Int64
		for _, v := range visitors {
			talking.Go(func() {
				err := v.talk(addr, func() {
					if acked.Add(1) == int64(20+17*round) {
						_ = p.Signal(syscall.SIGKILL)
					}
				})
				if err != nil && acked.Load() == 0 {
					t.Error(err)
				}
			})
		}
		talking.Wait()
		p.End(syscall.SIGKILL)
	}
	_, addr := serving(t, config)
	total := int64(0)
	for _, v := range visitors {
		c, err := v.hello(addr)
		if err != nil {
			t.Fatal(err)
		}
		welcome, err := chattest.Until[*frame.Welcome](c, nil)
		if err != nil {
			t.Fatal(err)
		}
		if held := welcome.Have[v.c][v.sender]; held < v.acked {
			t.Errorf("%d messages were acknowledged, %d are there", v.acked, held)
		}
		total += v.acked
		c.Cut()
	}
	if total == 0 {
		t.Error("nothing was acknowledged: nothing is proved")
	}
	t.Logf("%d messages acknowledged", total)
}

// TestTerminatedTellsClients, and ends with 0 although one does not answer.
func TestTerminatedTellsClients(t *testing.T) {
	_, config := folder(t)
	p, addr := serving(t, config)
	v := &talker{key: chattest.Key(), sender: chattest.Sender("visitor")}
	c, err := v.hello(addr)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := chattest.Until[*frame.Synced](c, nil); err != nil {
		t.Fatal(err)
	}
	silent, err := (&talker{key: chattest.Key(), sender: chattest.Sender("visitor")}).hello(addr) // it never reads
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Cut()
	if err := p.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_, err = chattest.Until[*frame.Move](c, nil)
	if code := chattest.CloseCode(err); code != frame.Restart {
		t.Errorf("closed with %d", code)
	}
	if err := p.Await(context.Background(), 20*time.Second, func() error { return fmt.Errorf("it is still there") }); !strings.Contains(err.Error(), "it has ended: <nil>") {
		t.Error(err)
	}
}

func TestBackupAndRestoreCommands(t *testing.T) {
	dir, config := folder(t)
	p, addr := serving(t, config)
	resp, err := http.Get("http://" + addr + "/client.json")
	if err != nil {
		t.Fatal(err)
	}
	if body, _ := io.ReadAll(resp.Body); !strings.Contains(string(body), `"pool": "chat"`) {
		t.Errorf("client.json: %s", body)
	}
	code, out, stderr := livechat("backup", "--config", config)
	if code != 0 || !strings.HasPrefix(out, filepath.Join(dir, "data/backup/livechat-")) {
		t.Fatal(code, out, stderr)
	}
	if code, _, stderr := livechat("restore", "--config", config, "--replace"); code != 1 || !strings.Contains(stderr, "in use") {
		t.Error(code, stderr)
	}
	p.End(syscall.SIGTERM)
	if code, _, stderr := livechat("restore", "--config", config); code != 1 || !strings.Contains(stderr, "--replace") {
		t.Error(code, stderr)
	}
	if code, out, stderr := livechat("restore", "--config", config, "--replace"); code != 0 || !strings.Contains(out, "restored 0 messages") || !strings.Contains(out, "the former database is") {
		t.Error(code, out, stderr)
	}
}

func TestCommandLine(t *testing.T) {
	for _, test := range []struct {
		args []string
		code int
		says string
	}{
		{nil, 0, "livechat COMMAND"}, {[]string{"--help"}, 0, "serve"}, {[]string{"serve", "--help"}, 0, "1012"}, {[]string{"restore", "-h"}, 0, "moved aside"},
		{[]string{"nonsense"}, 2, `no command "nonsense"`}, {[]string{"serve", "--nonsense"}, 2, "--help"}, {[]string{"serve", "now"}, 2, "unexpected argument"},
		{[]string{"serve", "--config", "/nowhere/livechat.toml"}, 1, "no such file"}, {[]string{"token", "--bare"}, 0, ""}, {[]string{"--version"}, 0, ""},
	} {
		code, out, stderr := livechat(test.args...)
		if code != test.code || !strings.Contains(out+stderr, test.says) || (code == 0) != (stderr == "") {
			t.Errorf("livechat %v: %d\n%s\n%s", test.args, code, out, stderr)
		}
	}
}
