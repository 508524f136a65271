package dnsserver

import (
	"encoding/binary"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/livens/livens/internal/thread"
	"golang.org/x/sys/unix"
)

// batchSize is how many datagrams are received, and sent, with one call at most.
const batchSize = 64

// maxControl holds one packet information message of either family.
const maxControl = 64

// batches move datagrams many at a time: a socket, and a thread, for one reader.
type batches struct {
	fd       int // blocking
	wildcard bool
	stopped  atomic.Bool

	scrape sync.Mutex // over fd being closed, whose number may then be another file's
	closed bool
}

// lastBatches is how many batches are received after stop: what a socket buffer held then, whoever goes on sending.
const lastBatches = mostWaiting / batchSize

// serve keeps its thread: the kernel then wakes the one that has the socket's data in its cache, without a scheduler between them.
func (b *batches) serve(w *worker) {
	defer thread.Punctual()()
	m := newBatch(b.wildcard)
	var place thread.Place
	var rush thread.Rush
	queue := backlog{of: b}
	more := false // is likely there already
	for left := lastBatches; left > 0; {
		if b.stopped.Load() {
			left--
		}
		if !more {
			place.Renew()
		}
		n, errno := m.receive(b.fd, more)
		switch {
		case errno == unix.EINTR:
		case errno == unix.EAGAIN:
			queue.received(0, time.Now)
		case errno != 0:
			if b.stopped.Load() {
				return
			}
			w.stats.drops[dropReceive].Add(1)
			time.Sleep(receivePause)
		case m.in[0].header.Namelen == 0 && b.stopped.Load(): // no datagram, but stop
			return
		default:
			queue.received(n, time.Now)
			w.stats.drops[dropSend].Add(m.send(b.fd, m.answer(w, n)))
		}
		full := n == batchSize
		more = rush.Pause(n, full) || full
	}
}

// stop wakes a reader that waits: on a socket that is not connected shutdown is an error, and is done all the same.
func (b *batches) stop() {
	b.stopped.Store(true)
	_ = unix.Shutdown(b.fd, unix.SHUT_RD)
}

func (b *batches) close() {
	b.scrape.Lock()
	defer b.scrape.Unlock()
	b.closed = true
	unix.Close(b.fd)
}

// overflow is among what the kernel tells of a socket's memory (SO_MEMINFO).
func (b *batches) overflow() uint64 {
	const drops = 8 // SK_MEMINFO_DROPS
	var info [drops + 1]uint32
	size := uint32(unsafe.Sizeof(info))
	b.scrape.Lock()
	defer b.scrape.Unlock()
	if b.closed {
		return 0
	}
	_, _, errno := unix.RawSyscall6(unix.SYS_GETSOCKOPT, uintptr(b.fd), unix.SOL_SOCKET, unix.SO_MEMINFO,
		uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		return 0
	}
	return uint64(info[drops])
}

// batch is the memory of one reader. Responses are written where they are sent from: each behind its query, so that a small one shares
// its page of memory.
type batch struct {
	in, out   [batchSize]message
	queries   [batchSize]unix.Iovec
	responses [batchSize]unix.Iovec
	senders   [batchSize]unix.RawSockaddrInet6 // large enough for IPv4, too
	controls  [batchSize][maxControl]byte
	memory    []byte
	wildcard  bool
}

// A slot of the memory holds a query and its response. Slots begin in different lines of a page, or they would all compete for the same
// places of the cache.
const slotSize = maxQuery + maxResponse + 3*cacheLine

// message is struct mmsghdr of recvmmsg(2).
type message struct {
	header unix.Msghdr
	size   uint32 // received
}

func newBatch(wildcard bool) *batch {
	m := &batch{wildcard: wildcard, memory: make([]byte, batchSize*slotSize)}
	for i := range batchSize {
		m.queries[i].Base = &m.memory[i*slotSize]
		m.queries[i].SetLen(maxQuery + 1)
		m.in[i].header.Name = (*byte)(unsafe.Pointer(&m.senders[i]))
		m.in[i].header.Iov, m.out[i].header.Iov = &m.queries[i], &m.responses[i]
		m.in[i].header.SetIovlen(1)
		m.out[i].header.SetIovlen(1)
		if wildcard {
			m.in[i].header.Control = &m.controls[i][0]
		}
		m.arm(i)
	}
	return m
}

// arm makes a message ready to receive.
func (m *batch) arm(i int) {
	m.in[i].header.Namelen = unix.SizeofSockaddrInet6
	if m.wildcard {
		m.in[i].header.SetControllen(maxControl)
	}
}

// receive fills messages from the first on. It waits for one, unless more is likely there already: then the call cannot block, and
// the scheduler need not hear of it.
func (m *batch) receive(fd int, more bool) (int, unix.Errno) {
	var n uintptr
	var errno unix.Errno
	if more {
		n, _, errno = unix.RawSyscall6(unix.SYS_RECVMMSG, uintptr(fd), uintptr(unsafe.Pointer(&m.in)), batchSize, unix.MSG_DONTWAIT, 0, 0)
	} else {
		n, _, errno = unix.Syscall6(unix.SYS_RECVMMSG, uintptr(fd), uintptr(unsafe.Pointer(&m.in)), batchSize, unix.MSG_WAITFORONE, 0, 0)
	}
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}

// answer answers the first n messages, and says how many responses there are.
func (m *batch) answer(w *worker, n int) (responses int) {
	for at := 0; at < n; at += ahead {
		group := min(ahead, n-at)
		for i := range group {
			w.read(i, m.query(at+i), peer{address: sender(&m.senders[at+i])})
		}
		for i := range group {
			if response := w.answer(i, m.room(at+i)); response != nil {
				m.reply(responses, at+i, response)
				responses++
			}
		}
	}
	for i := range n {
		m.arm(i)
	}
	return responses
}

// query is what the i-th message is.
func (m *batch) query(i int) []byte {
	size := m.in[i].size
	return m.memory[i*slotSize:][:size:size]
}

// room is where the response to the i-th message belongs: from the line behind it on.
func (m *batch) room(i int) []byte {
	at := i*slotSize + (int(m.in[i].size)+cacheLine-1)&^(cacheLine-1)
	return m.memory[at : at : at+maxResponse]
}

// reply makes response, to the i-th message, the nth that is sent.
func (m *batch) reply(nth, i int, response []byte) {
	in, out := &m.in[i].header, &m.out[nth].header
	out.Name, out.Namelen = in.Name, in.Namelen
	m.responses[nth].Base = &response[0]
	m.responses[nth].SetLen(len(response))
	if m.wildcard {
		source := replySource(m.controls[i][:in.Controllen])
		out.Control = &m.controls[i][0]
		out.SetControllen(len(source))
	}
}

// send sends the first n responses, and says how many could not be: there is no room for them, or no way.
func (m *batch) send(fd, n int) (dropped uint64) {
	for at := 0; at < n; {
		sent, _, errno := unix.RawSyscall6(unix.SYS_SENDMMSG, uintptr(fd), uintptr(unsafe.Pointer(&m.out[at])), uintptr(n-at), unix.MSG_DONTWAIT, 0, 0)
		switch {
		case errno == unix.EINTR:
		case errno != 0: // is that of the first
			dropped++
			at++
		default:
			at += int(sent)
		}
	}
	return dropped
}

// sender is the IP address of a raw socket address.
func sender(sa *unix.RawSockaddrInet6) netip.Addr {
	if sa.Family == unix.AF_INET {
		return netip.AddrFrom4((*unix.RawSockaddrInet4)(unsafe.Pointer(sa)).Addr)
	}
	return netip.AddrFrom16(sa.Addr)
}

// replySource turns the packet information of a received datagram, in place, into what makes the reply leave from the
// address that was asked. The interface is left to routing, but for link-local addresses, which mean nothing without.
func replySource(oob []byte) []byte {
	const head = unix.SizeofCmsghdr // a length, as wide as the system's words, then level and type
	if len(oob) < head {
		return nil
	}
	level, kind := native32(oob[head-8:]), native32(oob[head-4:])
	switch {
	case level == unix.IPPROTO_IP && kind == unix.IP_PKTINFO && len(oob) >= head+unix.SizeofInet4Pktinfo:
		// struct in_pktinfo: interface, local address, destination of the header
		info := oob[head : head+unix.SizeofInet4Pktinfo]
		clear(info[:4])
		return oob[:head+unix.SizeofInet4Pktinfo]
	case level == unix.IPPROTO_IPV6 && kind == unix.IPV6_PKTINFO && len(oob) >= head+unix.SizeofInet6Pktinfo:
		// struct in6_pktinfo: address, interface
		info := oob[head : head+unix.SizeofInet6Pktinfo]
		if linkLocal := info[0] == 0xfe && info[1]&0xc0 == 0x80; !linkLocal {
			clear(info[16:20])
		}
		return oob[:head+unix.SizeofInet6Pktinfo]
	}
	return nil
}

// native32 reads an int of the kernel's.
func native32(b []byte) int { return int(int32(binary.NativeEndian.Uint32(b))) }
