package xdp

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/livens/livens/internal/thread"
	"golang.org/x/sys/unix"
)

const (
	// chunkSize holds one frame, behind the 256 octets of headroom that the kernel keeps.
	chunkSize = 2048
	// Chunks to send from are used from different cache lines on, or they would all compete for the same places of the cache.
	cacheLine = 64
	stagger   = chunkSize - 7*cacheLine // what is left of a chunk at least
	// ringSize is how many chunks there are in each direction, and slots in every ring.
	ringSize = 2048
	// batchSize bounds what is answered before it is sent.
	batchSize = 64
	// wakeTries bounds how often the kernel is asked to send what it has been given: it takes up to 32 at a time.
	wakeTries = 4 * batchSize
)

// queue is the socket of one of an interface's queues (AF_XDP). Its methods other than stop are for one goroutine.
type queue struct {
	mtu  int // octets of a reply at most, its IP header included
	fd   int
	bell int // eventfd: stop's

	memory   []byte // chunks: ringSize to receive into, then as many to send from
	fill     ring[uint64]
	received ring[descriptor]
	send     ring[descriptor]
	sent     ring[uint64]
	free     []uint64 // chunks to send from
	stuck    int      // how long it was waited last for the kernel to send more, in milliseconds; 0: never
	stuckAt  uint32   // and what it had sent by then

	stopped atomic.Bool
}

// openQueue opens the socket of a queue. EINVAL says that there is no such queue.
func openQueue(index, number, mtu int) (q *queue, err error) {
	q = &queue{mtu: mtu, fd: -1, bell: -1}
	defer func() {
		if err != nil {
			q.close()
		}
	}()
	if q.fd, err = unix.Socket(unix.AF_XDP, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0); err != nil {
		return nil, err
	}
	if q.bell, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return nil, err
	}
	if q.memory, err = unix.Mmap(-1, 0, 2*ringSize*chunkSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS); err != nil {
		return nil, err
	}
	_ = unix.Madvise(q.memory, unix.MADV_HUGEPAGE) // faster where it works
	_ = unix.Madvise(q.memory, unix.MADV_POPULATE_WRITE)
	if err := q.mapRings(); err != nil {
		return nil, err
	}
	for i := range uint64(ringSize) {
		q.fill.put(i * chunkSize)
		q.free = append(q.free, (ringSize+i)*chunkSize+i%8*cacheLine)
	}
	q.fill.publish()
	return q, q.bind(index, number)
}

func (q *queue) mapRings() error {
	if err := register(q.fd, q.memory); err != nil {
		return fmt.Errorf("lending memory to the kernel: %w", err)
	}
	for _, option := range []int{unix.XDP_UMEM_FILL_RING, unix.XDP_UMEM_COMPLETION_RING, unix.XDP_RX_RING, unix.XDP_TX_RING} {
		if err := setRing(q.fd, option, ringSize); err != nil {
			return err
		}
	}
	offsets, err := ringOffsets(q.fd)
	if err != nil {
		return err
	}
	if q.fill, err = mapRing[uint64](q.fd, ringSize, unix.XDP_UMEM_PGOFF_FILL_RING, offsets.Fr); err != nil {
		return err
	}
	if q.sent, err = mapRing[uint64](q.fd, ringSize, unix.XDP_UMEM_PGOFF_COMPLETION_RING, offsets.Cr); err != nil {
		return err
	}
	if q.received, err = mapRing[descriptor](q.fd, ringSize, unix.XDP_PGOFF_RX_RING, offsets.Rx); err != nil {
		return err
	}
	q.send, err = mapRing[descriptor](q.fd, ringSize, unix.XDP_PGOFF_TX_RING, offsets.Tx)
	return err
}

// The kernel takes its time to let go of a queue whose socket was closed.
const (
	bindTries = 50
	bindPause = 10 * time.Millisecond
)

// bind joins the queue. Where the driver can, frames are not copied.
func (q *queue) bind(index, number int) error {
	at := unix.RawSockaddrXDP{Family: unix.AF_XDP, Flags: unix.XDP_USE_NEED_WAKEUP, Ifindex: uint32(index), Queue_id: uint32(number)}
	errno := unix.EBUSY
	for n := 0; n < bindTries && errno == unix.EBUSY; n++ {
		if n > 0 {
			time.Sleep(bindPause)
		}
		_, _, errno = unix.Syscall(unix.SYS_BIND, uintptr(q.fd), uintptr(unsafe.Pointer(&at)), unsafe.Sizeof(at))
	}
	if errno != 0 {
		return errno
	}
	return nil
}

// serve returns nil after stop, and an error when the interface is gone.
func (q *queue) serve(h *Handler) error {
	defer thread.Punctual()()
	group := make([]datagram, h.Ahead)
	var place thread.Place
	var rush thread.Rush
	for last := false; !last; {
		last = q.stopped.Load()
		n := q.received.ready()
		if !last {
			n = min(n, batchSize)
		}
		if n == 0 && !last {
			rush.Pause(0, false)
			place.Renew()
			if err := q.wait(); err != nil {
				return err
			}
			continue
		}
		q.reclaim()
		for handled := 0; handled < n; {
			next := min(n-handled, len(group))
			q.handle(group[:next], h)
			if handled += next; handled == n && !last { // what came meanwhile goes out with the rest
				n = min(n+q.received.ready(), batchSize)
			}
		}
		q.received.release()
		q.fill.publish()
		q.flush()
		rush.Pause(n, n == batchSize)
	}
	return nil
}

// handle answers as many datagrams as group has room for, and lends their chunks to the kernel again.
func (q *queue) handle(group []datagram, h *Handler) {
	read := 0
	for range group {
		in, d := q.received.take(), &group[read]
		q.fill.put(in.at &^ (chunkSize - 1)) // not published yet
		switch {
		case !d.parse(q.memory[in.at : in.at+uint64(in.size)]):
			h.Malformed.Add(1)
		case read == len(q.free): // no room for its reply
			h.Unsent.Add(1)
		default:
			h.Read(read, d.payload, d.from)
			read++
		}
	}
	for i := range read {
		q.reply(i, &group[i], h)
	}
}

// reply puts the answer to the i-th datagram into the ring of what is to be sent.
func (q *queue) reply(i int, d *datagram, h *Handler) {
	at := q.free[len(q.free)-1]
	chunk := q.memory[at : at+uint64(min(stagger, etherSize+q.mtu))]
	room := d.room(chunk)
	payload := h.Answer(i, room)
	switch {
	case payload == nil:
		return
	case &payload[0] != &room[0]: // it outgrew its room
		h.Unsent.Add(1)
		return
	}
	q.free = q.free[:len(q.free)-1]
	q.send.put(descriptor{at: at, size: uint32(d.address(chunk, len(payload)))})
}

// reclaim takes back the chunks that have been sent: those used last are used next, for the processor still has them in its cache.
func (q *queue) reclaim() {
	n := q.sent.ready()
	for range n {
		q.free = append(q.free, q.sent.take())
	}
	q.sent.release()
}

// flush has the kernel send. What it cannot send now it is asked for again by the next flush or wait.
func (q *queue) flush() {
	q.send.publish()
	for range wakeTries {
		if q.send.drained() || !q.send.asleep() {
			return
		}
		_, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(q.fd), 0, 0, unix.MSG_DONTWAIT, 0, 0)
		if errno != 0 && errno != unix.EAGAIN && errno != unix.EBUSY && errno != unix.EINTR {
			return
		}
	}
}

const (
	// lookEvery is how often a queue without datagrams looks whether its interface is still there, in milliseconds: the kernel wakes
	// nobody for that.
	lookEvery = 500
	// sendAgain is how soon the kernel is asked again to send what it had no room for, in milliseconds, and then half as often each time
	// while it sends nothing: the interface may be down.
	sendAgain = 1
)

// patience is how long to wait, in milliseconds.
func (q *queue) patience() int {
	at := q.send.consumer.Load()
	switch {
	case q.send.drained():
		return lookEvery
	case at != q.stuckAt || q.stuck == 0:
		q.stuck, q.stuckAt = sendAgain, at
	default:
		q.stuck = min(2*q.stuck, lookEvery)
	}
	return q.stuck
}

// wait returns when there may be something to receive, to send or to stop for. To poll is to ask the kernel to send as well.
func (q *queue) wait() error {
	poll := []unix.PollFd{{Fd: int32(q.fd), Events: unix.POLLIN}, {Fd: int32(q.bell), Events: unix.POLLIN}}
	n, err := unix.Poll(poll, q.patience())
	switch {
	case err == unix.EINTR || err == unix.EAGAIN:
		return nil
	case err != nil:
		return err
	case n > 0:
		return nil
	}
	if trouble, err := unix.GetsockoptInt(q.fd, unix.SOL_SOCKET, unix.SO_ERROR); err != nil || trouble != 0 {
		return errors.New("the interface is gone")
	}
	return nil
}

// overflow is how many datagrams found no room.
func (q *queue) overflow() uint64 {
	var s unix.XDPStatistics
	size := uint32(unsafe.Sizeof(s))
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(q.fd), unix.SOL_XDP, unix.XDP_STATISTICS,
		uintptr(unsafe.Pointer(&s)), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		return 0
	}
	return s.Rx_dropped + s.Rx_ring_full
}

// stop ends serve once what was received by then is answered.
func (q *queue) stop() {
	q.stopped.Store(true)
	_, _ = unix.Write(q.bell, []byte{1, 0, 0, 0, 0, 0, 0, 0})
}

// close is for after serve.
func (q *queue) close() {
	_ = q.fill.unmap()
	_ = q.sent.unmap()
	_ = q.received.unmap()
	_ = q.send.unmap()
	if q.fd >= 0 {
		unix.Close(q.fd)
	}
	if q.bell >= 0 {
		unix.Close(q.bell)
	}
	if q.memory != nil {
		_ = unix.Munmap(q.memory) // the kernel keeps its own hold on the pages until nothing is under way
	}
}
