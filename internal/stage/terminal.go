package stage

import (
	"os"

	"golang.org/x/sys/unix"
)

// IsTerminal says whether somebody may sit at f. /dev/null, which is a device of characters as well, is no terminal.
func IsTerminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}
