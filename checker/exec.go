package checker

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"syscall"
	"time"

	"github.com/livens/livens/zones"
)

// execProber runs a command: exit status 0 passes. The first line of its output, standard error included, is the
// reason. At the timeout the whole process group is killed.
type execProber struct{ check *zones.Check }

func newExec(t Target) prober { return execProber{t.Check} }

// outputGrace is how long a command's output is waited for once it has ended: something that it left running in the
// background may hold it open for ever.
const outputGrace = 50 * time.Millisecond

func (p execProber) probe(ctx context.Context) Result {
	if len(p.check.Command) == 0 {
		return unclear("no command to run")
	}
	var out head
	cmd := exec.CommandContext(ctx, p.check.Command[0], p.check.Command[1:]...)
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = outputGrace
	err := cmd.Run()
	line, _, _ := bytes.Cut(out.seen, []byte("\n"))
	said := printable(string(line), 200)
	var exit *exec.ExitError
	switch {
	case err == nil, errors.Is(err, exec.ErrWaitDelay):
		return success("%s", orElse(said, "exit status 0"))
	case ctx.Err() != nil:
		return failure("command did not end in %s", p.check.Timeout)
	case errors.As(err, &exit) && said != "":
		return failure("%s: %s", exit.ProcessState, said)
	case errors.As(err, &exit):
		return failure("%s", exit.ProcessState)
	}
	// The command was never run: that tells nothing about the deployment.
	return unclear("cannot run the command: %s", plain(err))
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// head keeps the beginning of what is written to it.
type head struct{ seen []byte }

func (h *head) Write(b []byte) (int, error) {
	h.seen = append(h.seen, b[:min(len(b), 1024-len(h.seen))]...)
	return len(b), nil
}
