package web

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
)

// SocketName is the control socket's file name inside the state folder.
const SocketName = "control.sock"

// maxSocketPath is what fits into a sockaddr_un besides its final zero.
const maxSocketPath = 107

// SocketPath is the control socket of a state folder, or an error that says what to do when it would be too long.
func SocketPath(state string) (string, error) {
	path := filepath.Join(state, SocketName)
	if len(path) > maxSocketPath {
		return "", fmt.Errorf("control socket %s: the path has %d bytes and unix sockets allow %d: choose a shorter state folder",
			path, len(path), maxSocketPath)
	}
	return path, nil
}

// ErrTaken says that another process holds the state folder.
var ErrTaken = errors.New("another livens runs with this state folder")

// Claim takes the state folder for this process until it ends, however it ends. It returns ErrTaken when another live
// process has it.
func Claim(state string) (release func(), err error) {
	lock, err := os.OpenFile(filepath.Join(state, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	switch err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); {
	case errors.Is(err, syscall.EWOULDBLOCK):
		lock.Close()
		return nil, fmt.Errorf("%s: %w", state, ErrTaken)
	case err != nil:
		lock.Close()
		return nil, fmt.Errorf("lock %s: %w", lock.Name(), err)
	}
	return func() { lock.Close() }, nil
}

// Control listens on the control socket of a state folder that this process has claimed; the socket of a dead process
// is replaced. Only the owner (and root) may connect, from the first moment on.
func Control(ctx context.Context, state string) (net.Listener, error) {
	path, err := SocketPath(state)
	if err != nil {
		return nil, err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("stale control socket: %w", err)
	}
	config := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var chmod error
		if err := c.Control(func(fd uintptr) { chmod = syscall.Fchmod(int(fd), 0o600) }); err != nil {
			return err
		}
		return chmod // on Linux, bind gives the socket file the mode of the socket
	}}
	l, err := config.Listen(ctx, "unix", path)
	if err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	return l, nil
}
