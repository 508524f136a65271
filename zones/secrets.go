package zones

import (
	"bufio"
	"bytes"
	"errors"
	"io/fs"
	"strings"
)

// maxSecrets is how many bytes a file of secrets may have.
const maxSecrets = 64 << 10

// secretFile is a file of secrets, one a line.
type secretFile struct {
	path, shown string // shown is its name in problems
	what, hint  string // what a line holds, and how to make one
}

// read gives one each line with its number, without comments and the spaces around, and wants at least one line. The
// errors of one must tell no secret.
func (f secretFile) read(one func(number int, line string) error) *Problem {
	text, err := readRegular(f.path, maxSecrets)
	if err != nil {
		return f.unread(err)
	}
	lines, found := bufio.NewScanner(bytes.NewReader(text)), false
	lines.Buffer(nil, maxSecrets+1)
	for number := 1; lines.Scan(); number++ {
		line, _, _ := strings.Cut(lines.Text(), "#")
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		found = true
		if err := one(number, line); err != nil {
			return &Problem{File: f.shown, Line: number, Message: err.Error(), Hint: f.hint}
		}
	}
	if !found {
		return &Problem{File: f.shown, Message: "holds no " + f.what, Hint: f.hint}
	}
	return nil
}

// unread is the problem of a file that cannot be read.
func (f secretFile) unread(err error) *Problem {
	hint := readHint(err)
	if errors.Is(err, fs.ErrNotExist) {
		hint = f.hint
	}
	return &Problem{File: f.shown, Message: plainError(err), Hint: hint}
}
