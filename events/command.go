package events

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/livens/livens/failover"
)

// outputGrace is how long a command's output is waited for once it has ended: what it left running in the background
// may hold it open for ever.
const outputGrace = 50 * time.Millisecond

// run runs a command with the event's Document on its standard input and the event in its environment; exit status 0 is
// success. When ctx ends first the whole process group is killed. The error has the first line of its output.
func run(ctx context.Context, command []string, nameserver string, e failover.Event) error {
	if len(command) == 0 {
		return errors.New("no command to run")
	}
	body, err := document(nameserver, e)
	if err != nil {
		return err
	}
	var out head
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(body), &out, &out
	cmd.Env = append(os.Environ(), environment(nameserver, e)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = outputGrace
	err = cmd.Run()
	switch {
	case err == nil, errors.Is(err, exec.ErrWaitDelay):
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("command did not end in time and was killed%s", out.said())
	}
	return fmt.Errorf("command: %w%s", err, out.said())
}

// environment are the event's fields, as documented in docs/operations.md.
func environment(nameserver string, e failover.Event) []string {
	return []string{
		"LIVENS_NAMESERVER=" + nameserver,
		"LIVENS_EVENT=" + e.ID,
		"LIVENS_KIND=" + string(e.Kind),
		"LIVENS_AT=" + e.At.Format(time.RFC3339Nano),
		"LIVENS_NODE=" + e.Node,
		"LIVENS_POOL=" + e.Pool,
		"LIVENS_DEPLOYMENT=" + e.Deployment,
		"LIVENS_FROM=" + e.From,
		"LIVENS_TO=" + e.To,
		"LIVENS_EPOCH=" + strconv.FormatUint(e.Epoch, 10),
		"LIVENS_REASON=" + strings.ReplaceAll(e.Reason, "\x00", ""),
		"LIVENS_QUORUM=" + strconv.FormatBool(e.Quorum),
	}
}

// head keeps the beginning of what is written to it.
type head struct{ seen []byte }

func (h *head) Write(b []byte) (int, error) {
	h.seen = append(h.seen, b[:min(len(b), 200-len(h.seen))]...)
	return len(b), nil
}

// said is the first line, quoted where it holds anything but text.
func (h *head) said() string {
	line, _, _ := strings.Cut(strings.TrimSpace(string(h.seen)), "\n")
	if line == "" {
		return ""
	}
	if quoted := strconv.Quote(line); quoted != `"`+line+`"` {
		line = quoted
	}
	return ": " + line
}
