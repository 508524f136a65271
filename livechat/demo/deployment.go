package main

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/livens/livens/internal/process"
)

// deployment is a livechat.
type deployment struct {
	actor
	cast        *cast
	Addr, Known netip.AddrPort // where it is, and where everybody finds it
}

// What livechat.toml asks for.

func (d *deployment) Dir() string    { return filepath.Join(d.cast.dir, d.Name) }
func (d *deployment) Root() string   { return d.cast.dir }
func (d *deployment) Cast() *cast    { return d.cast }
func (d *deployment) Origin() string { return d.cast.site.url }

// Other is the other deployment.
func (d *deployment) Other() *deployment {
	for _, other := range d.cast.deployments {
		if other != d {
			return other
		}
	}
	return nil
}

// startLimit is how long a deployment may take until it serves.
const startLimit = 15 * time.Second

func (d *deployment) start(ctx context.Context) (running, error) {
	config, err := fill(deploymentText, d)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(d.Dir(), 0o755); err != nil {
		return nil, err
	}
	file := filepath.Join(d.Dir(), "livechat.toml")
	if err := os.WriteFile(file, []byte(config), 0o644); err != nil {
		return nil, err
	}
	log, err := os.OpenFile(filepath.Join(d.Dir(), "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(d.cast.livechat, "serve", "--config", file)
	cmd.Stdout, cmd.Stderr = log, log
	run, err := process.Start(cmd, nil)
	if err != nil {
		return nil, err
	}
	if err := run.Await(ctx, startLimit, d.serves); err != nil {
		run.End(syscall.SIGKILL)
		said, _ := os.ReadFile(log.Name()) // what there is
		return nil, fmt.Errorf("livechat does not serve: %w\n%s", err, said)
	}
	return chat{run}, nil
}

// serves reports nil once the deployment does; it is asked where it is, whatever the path is like.
func (d *deployment) serves() error {
	reply, err := http.Get("http://" + d.Addr.String() + "/healthz")
	if err != nil {
		return err
	}
	reply.Body.Close()
	if reply.StatusCode != http.StatusOK {
		return fmt.Errorf("healthz says %s", reply.Status)
	}
	return nil
}

// chat is a running livechat.
type chat struct{ *process.Process }

func (c chat) Kill()         { c.End(syscall.SIGKILL) }
func (c chat) Freeze() error { return c.Signal(syscall.SIGSTOP) }
func (c chat) Thaw() error   { return c.Signal(syscall.SIGCONT) }
