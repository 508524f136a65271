// Package process runs children that die with their parent: what the demos, the measurements and the tests start.
package process

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// Process is a running child with its own children, which share its process group: what the terminal sends (Ctrl-C)
// reaches the parent alone, which then ends them in order.
type Process struct {
	Done <-chan struct{} // closed when it has ended
	pid  int
	err  error // how it ended
}

// Err is how it ended, once Done is closed: nil for exit status 0.
func (p *Process) Err() error { return p.err }

// Start starts cmd. The kernel kills the child should this process die without ending it; it ties that to the thread
// that started it, so one locked thread stays until the child's end. enter, unless nil, is called on that thread first: what it
// changes about the thread, such as its network namespace, the child inherits.
func Start(cmd *exec.Cmd, enter func() error) (*Process, error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	done := make(chan struct{})
	p := &Process{Done: done}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		if enter == nil { // the thread is as it was: others may use it
			defer runtime.UnlockOSThread()
		}
		defer close(done)
		err := start(cmd, enter)
		started <- err
		if err == nil {
			p.err = cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	p.pid = cmd.Process.Pid
	return p, nil
}

func start(cmd *exec.Cmd, enter func() error) error {
	if enter != nil {
		if err := enter(); err != nil {
			return err
		}
	}
	return cmd.Start()
}

// Signal sends a signal to the child alone.
func (p *Process) Signal(s syscall.Signal) error { return syscall.Kill(p.pid, s) }

// endLimit is how long a child may take to end by itself.
const endLimit = 5 * time.Second

// End sends a signal to the whole group, also a stopped one, and returns when the child is gone; after 5 s it is
// killed.
func (p *Process) End(s syscall.Signal) {
	_ = syscall.Kill(-p.pid, s) // an error means that it has ended already
	_ = syscall.Kill(-p.pid, syscall.SIGCONT)
	select {
	case <-p.Done:
	case <-time.After(endLimit):
	}
	_ = syscall.Kill(-p.pid, syscall.SIGKILL) // children that outlived it, or itself
	<-p.Done
}

// Await waits until ready returns nil. It gives up when the child ends, and with ready's last error after limit.
func (p *Process) Await(ctx context.Context, limit time.Duration, ready func() error) error {
	return Await(ctx, limit, func() error {
		select {
		case <-p.Done:
			return fmt.Errorf("%w: %v", errEnded, p.err)
		default:
			return ready()
		}
	})
}

var errEnded = errors.New("it has ended")

// pollPause is short because what is awaited is also measured.
const pollPause = 2 * time.Millisecond

// Await asks again and again until ready returns nil, and gives up with its last error after limit.
func Await(ctx context.Context, limit time.Duration, ready func() error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(pollPause)
	defer tick.Stop()
	for {
		err := ready()
		if err == nil || errors.Is(err, errEnded) {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not within %v: %w", limit, err)
		case <-tick.C:
		}
	}
}
