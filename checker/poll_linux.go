package checker

import (
	"net"
	"os"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// poller tells kept connections that there is something to read: one goroutine for all of them, where each would need one with a
// buffer of its own. There is one in the process, and it stays.
type poller struct {
	epoll int

	mu    sync.Mutex
	lines map[int32]*keptConn // by descriptor
}

// thePoller is nil where the kernel allows none.
var thePoller = sync.OnceValue(func() *poller {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil
	}
	unix.SetNonblock(fd, true) // so that package os waits for it as for any other descriptor, without a thread
	file := os.NewFile(uintptr(fd), "epoll")
	raw, err := file.SyscallConn()
	if err != nil || file.SetReadDeadline(time.Time{}) != nil { // it could not be waited for
		file.Close()
		return nil
	}
	p := &poller{epoll: fd, lines: make(map[int32]*keptConn)}
	go func() {
		defer file.Close()
		p.run(raw)
	}()
	return p
})

// mostReady is how many connections are looked at in one go.
const mostReady = 64

func (p *poller) run(raw syscall.RawConn) {
	var events [mostReady]unix.EpollEvent
	var lines [mostReady]*keptConn
	buf := make([]byte, mostHeard)
	raw.Read(func(fd uintptr) (done bool) {
		for {
			n := ready(fd, events[:])
			p.mu.Lock()
			for i, e := range events[:n] {
				lines[i] = p.lines[e.Fd]
			}
			p.mu.Unlock()
			for i, l := range lines[:n] {
				if l == nil {
					continue // closed meanwhile
				}
				l.kept.readable(l, buf)
				// What came before the end has been read; there will be no other event to read the end itself.
				if events[i].Events&(unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) != 0 {
					l.kept.readable(l, buf)
				}
			}
			clear(lines[:n])
			if n < mostReady {
				return false
			}
		}
	})
}

// pollEvents are told when they begin: a connection that is not idle is not asked for again and again.
const pollEvents = unix.EPOLLIN | unix.EPOLLRDHUP | unix.EPOLLET

// poll has the connection's readable called when there is something to read, beginning with what is there already. false: it cannot
// be polled.
func (l *keptConn) poll() bool {
	tcp, ok := l.Conn.(*net.TCPConn)
	p := thePoller()
	if !ok || p == nil {
		return false
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return false
	}
	op := unix.EPOLL_CTL_MOD
	if l.poller == nil {
		op = unix.EPOLL_CTL_ADD
	}
	l.poller = nil
	raw.Control(func(fd uintptr) {
		l.fd = int32(fd)
		p.mu.Lock()
		p.lines[l.fd] = l
		p.mu.Unlock()
		if unix.EpollCtl(p.epoll, op, int(fd), &unix.EpollEvent{Events: pollEvents, Fd: l.fd}) == nil {
			l.poller = p
		}
	})
	if l.poller == nil {
		p.forget(l)
	}
	return l.poller != nil
}

// forget must come before the descriptor is closed, which may then be another connection's.
func (p *poller) forget(l *keptConn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.lines[l.fd] == l {
		delete(p.lines, l.fd)
	}
}

// send writes a request to a polled connection that is idle, and says that all of it went.
func (l *keptConn) send(request []byte) bool {
	n, errno := atOnce(unix.SYS_WRITE, l.fd, request)
	return errno == 0 && n == len(request)
}

// receive reads what has come on a polled connection that is idle or asked; again: nothing has.
func (l *keptConn) receive(buf []byte) (n int, again bool, err error) {
	n, errno := atOnce(unix.SYS_READ, l.fd, buf)
	if errno != 0 {
		return 0, errno == unix.EAGAIN || errno == unix.EINTR, errno
	}
	return n, false, nil
}

// ready is how many events there are now.
func ready(epoll uintptr, events []unix.EpollEvent) int {
	n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, epoll, uintptr(unsafe.Pointer(unsafe.SliceData(events))), uintptr(len(events)), 0, 0, 0)
	if errno != 0 {
		return 0
	}
	return int(n)
}

// atOnce reads or writes. As ready it never blocks, so the runtime need not be told that this thread may: each time it is, it wakes
// the thread that looks after those that do, thousands of times a second.
func atOnce(call uintptr, fd int32, b []byte) (int, syscall.Errno) {
	n, _, errno := unix.RawSyscall(call, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
	return int(n), errno
}
