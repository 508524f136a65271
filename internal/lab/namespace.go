package lab

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// namespace is a network namespace without a name: it goes when its file is closed and the last process in it has
// ended, so that nothing of it outlives this process, however that ends.
type namespace struct{ file *os.File }

func newNamespace() (*namespace, error) {
	ns := &namespace{}
	err := onThread(func() (err error) {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("a new network namespace: %w (run as root, in a container with CAP_SYS_ADMIN)", err)
		}
		ns.file, err = os.Open("/proc/thread-self/ns/net")
		return err
	})
	return ns, err
}

// onThread runs f on a thread of its own that ends with it, so that what f changes about the thread stays there.
func onThread(f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: that is what ends the thread
		done <- f()
	}()
	return <-done
}

// enter moves the calling thread, which must be locked and must never be unlocked, into the namespace.
func (ns *namespace) enter() error {
	if err := unix.Setns(int(ns.file.Fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("entering a network namespace: %w", err)
	}
	return nil
}

// do runs f inside: sockets that it makes belong to the namespace for good. f must not leave its goroutine.
func (ns *namespace) do(f func() error) error {
	return onThread(func() error {
		if err := ns.enter(); err != nil {
			return err
		}
		return f()
	})
}

// path names the namespace for other processes.
func (ns *namespace) path() string { return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), ns.file.Fd()) }

// run runs a program inside, with input on its standard input.
func (ns *namespace) run(input, name string, args ...string) error {
	return ns.do(func() error {
		cmd := exec.Command(name, args...)
		cmd.Stdin = strings.NewReader(input)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s%s", cmd, err, out, input)
		}
		return nil
	})
}

// ip runs lines of ip(8) in one go.
func (ns *namespace) ip(lines ...string) error {
	return ns.run(strings.Join(lines, "\n")+"\n", "ip", "-batch", "-")
}
