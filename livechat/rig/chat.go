// Package rig puts livechat on as a real process, and paths before it that can fail: for the demo, and for tests.
package rig

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/livens/livens/internal/process"
)

// Chat is a livechat process.
type Chat struct{ *process.Process }

// Plan is how one is started.
type Plan struct {
	Binary string
	Dir    string            // its folder, made when it is missing: livechat.toml, log, and Files
	Config string            // its livechat.toml
	Files  map[string]string // others in the folder, by name, such as secrets
	Addr   netip.AddrPort    // where it listens
	Enter  func() error      // as for process.Start, or nil
	// Dial reaches Addr, from where that can be done; nil: from here.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// Names of files in a deployment's folder.
const (
	configName = "livechat.toml"
	logName    = "log"
)

// startLimit is how long a deployment may take until it serves.
const startLimit = 15 * time.Second

// Start writes the files, starts the process, also again in the same folder, and waits until it serves. The error has what it logged.
func Start(ctx context.Context, p Plan) (*Chat, error) {
	if err := p.write(); err != nil {
		return nil, err
	}
	log, err := os.OpenFile(filepath.Join(p.Dir, logName), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(p.Binary, "serve", "--config", filepath.Join(p.Dir, configName))
	cmd.Stdout, cmd.Stderr = log, log
	run, err := process.Start(cmd, p.Enter)
	if err != nil {
		return nil, err
	}
	if err := run.Await(ctx, startLimit, p.serves); err != nil {
		run.End(syscall.SIGKILL)
		said, _ := os.ReadFile(log.Name()) // what there is
		return nil, fmt.Errorf("livechat does not serve: %w\n%s", err, said)
	}
	return &Chat{run}, nil
}

func (p *Plan) write() error {
	if err := os.MkdirAll(p.Dir, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(p.Dir, configName), []byte(p.Config), 0o600); err != nil {
		return err
	}
	for name, text := range p.Files {
		if err := os.WriteFile(filepath.Join(p.Dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// serves reports nil once the deployment does; it is asked where it is, whatever the paths to it are like.
func (p *Plan) serves() error {
	client := http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true, DialContext: p.Dial}}
	reply, err := client.Get("http://" + p.Addr.String() + "/healthz")
	if err != nil {
		return err
	}
	reply.Body.Close()
	if reply.StatusCode != http.StatusOK {
		return fmt.Errorf("healthz says %s", reply.Status)
	}
	return nil
}

// Kill ends it as kill -9 does: the kernel closes its sockets.
func (c *Chat) Kill() { c.End(syscall.SIGKILL) }

// Stop asks it to end, as for an upgrade, and waits.
func (c *Chat) Stop() { c.End(syscall.SIGTERM) }

// Freeze stops it without closing anything: connections are accepted, and nothing is answered.
func (c *Chat) Freeze() error { return c.Signal(syscall.SIGSTOP) }

// Thaw lets it go on.
func (c *Chat) Thaw() error { return c.Signal(syscall.SIGCONT) }
