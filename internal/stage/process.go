// Package stage runs livens and small deployments as real processes, for the demo and the measurements: what is shown
// and measured there crosses real sockets, and dies by real signals.
package stage

import (
	"context"
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// process is a child that dies with its parent.
type process struct {
	cmd  *exec.Cmd
	done chan struct{}
}

func start(cmd *exec.Cmd, output io.Writer) (*process, error) {
	cmd.Stdout, cmd.Stderr = output, output
	// Its own group: what the terminal sends (Ctrl-C) reaches the parent alone, which then stops it in order. The kernel
	// ties the death signal to the thread that started the child, so one locked thread stays until the end.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	p := &process{cmd, make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer close(p.done)
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // how it ended is for whoever stopped it to know
		}
	}()
	return p, <-started
}

func (p *process) signal(s syscall.Signal) error { return p.cmd.Process.Signal(s) }

// end sends a signal and waits until the process is gone.
func (p *process) end(s syscall.Signal) {
	_ = p.signal(s) // an error means that it has ended
	_ = p.signal(syscall.SIGCONT)
	select {
	case <-p.done:
	case <-time.After(5 * time.Second):
		_ = p.signal(syscall.SIGKILL)
		<-p.done
	}
}

// Await asks again and again until ready returns nil, and gives up with its last error after limit.
func Await(ctx context.Context, limit time.Duration, ready func() error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ready()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not within %v: %w", limit, err)
		case <-tick.C:
		}
	}
}
