package checker

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"syscall"
	"unicode"
)

// fileProber reads a state file that another program writes: its first word is up, down or drain, the rest is the
// reason. A file that cannot be read or understood is a failure.
type fileProber struct{ path string }

func newFile(t Target) prober { return fileProber{t.Check.File} }

func (p fileProber) probe(context.Context) Result {
	text, err := readHead(p.path, 4096)
	if err != nil {
		return failure("state file %s: %s", p.path, plain(err))
	}
	text = strings.TrimSpace(text)
	word, reason := text, ""
	if i := strings.IndexFunc(text, unicode.IsSpace); i >= 0 {
		word, reason = text[:i], text[i:]
	}
	said := "state file says " + word
	if reason = printable(reason, 200); reason != "" {
		said += ": " + reason
	}
	switch word {
	case "up":
		return success("%s", said)
	case "drain":
		return Result{Outcome: Success, Reason: said, Drain: true}
	case "down":
		return failure("%s", said)
	case "":
		return failure("state file %s is empty", p.path)
	}
	return failure("state file says %q, wanted up, down or drain", printable(word, 60))
}

// readHead reads the beginning of a regular file. Opening anything else must not block.
func readHead(path string, limit int64) (string, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return "", err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil {
		return "", err
	} else if !info.Mode().IsRegular() {
		return "", errors.New("not a regular file")
	}
	text, err := io.ReadAll(io.LimitReader(f, limit))
	return string(text), err
}
