package xdp

import (
	"errors"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ring is one of the rings that a queue shares with the kernel: of descriptors (what was received, what is to be sent) or of addresses
// (chunks to receive into, chunks that have been sent). One side moves the producer, the other one the consumer.
type ring[T any] struct {
	memory             []byte
	producer, consumer *atomic.Uint32
	flags              *atomic.Uint32
	slots              []T
	at                 uint32 // this side's own position, perhaps ahead of what the other side has been told
}

// mapRing maps a ring of size slots, a power of two.
func mapRing[T any](fd, size int, page int64, offsets unix.XDPRingOffset) (ring[T], error) {
	var slot T
	memory, err := unix.Mmap(fd, page, int(offsets.Desc)+size*int(unsafe.Sizeof(slot)), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_POPULATE)
	if err != nil {
		return ring[T]{}, err
	}
	word := func(at uint64) *atomic.Uint32 { return (*atomic.Uint32)(unsafe.Pointer(&memory[at])) }
	return ring[T]{
		memory:   memory,
		producer: word(offsets.Producer), consumer: word(offsets.Consumer), flags: word(offsets.Flags),
		slots: unsafe.Slice((*T)(unsafe.Pointer(&memory[offsets.Desc])), size),
	}, nil
}

// put adds a slot, which publish will show. The caller knows that there is room.
func (r *ring[T]) put(v T) {
	r.slots[r.at&uint32(len(r.slots)-1)] = v
	r.at++
}

func (r *ring[T]) publish() { r.producer.Store(r.at) }

// ready is how many slots the other side has added; take takes the next one, and release says that those taken are free again.
func (r *ring[T]) ready() int { return int(r.producer.Load() - r.at) }

func (r *ring[T]) take() T {
	v := r.slots[r.at&uint32(len(r.slots)-1)]
	r.at++
	return v
}

func (r *ring[T]) release() { r.consumer.Store(r.at) }

// drained: the other side has taken all that was published.
func (r *ring[T]) drained() bool { return r.consumer.Load() == r.producer.Load() }

// asleep: the other side waits for a system call.
func (r *ring[T]) asleep() bool { return r.flags.Load()&unix.XDP_RING_NEED_WAKEUP != 0 }

func (r *ring[T]) unmap() error {
	if r.memory == nil {
		return nil
	}
	return unix.Munmap(r.memory)
}

// descriptor is struct xdp_desc.
type descriptor struct {
	at   uint64 // in the queue's memory
	size uint32
	_    uint32 // options
}

// setRing tells the kernel how large a ring is.
func setRing(fd, option, size int) error { return unix.SetsockoptInt(fd, unix.SOL_XDP, option, size) }

// ringOffsets is where in its mapping a ring has what.
func ringOffsets(fd int) (o unix.XDPMmapOffsets, err error) {
	size := uint32(unsafe.Sizeof(o))
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_XDP, unix.XDP_MMAP_OFFSETS,
		uintptr(unsafe.Pointer(&o)), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		return o, errno
	}
	if size != uint32(unsafe.Sizeof(o)) {
		return o, errors.New("the kernel is older than Linux 5.4")
	}
	return o, nil
}

// register lends memory to the kernel, as chunks.
func register(fd int, memory []byte) error {
	reg := unix.XDPUmemReg{Addr: uint64(uintptr(unsafe.Pointer(&memory[0]))), Len: uint64(len(memory)), Size: chunkSize}
	_, _, errno := unix.Syscall6(unix.SYS_SETSOCKOPT, uintptr(fd), unix.SOL_XDP, unix.XDP_UMEM_REG, uintptr(unsafe.Pointer(&reg)), unsafe.Sizeof(reg), 0)
	if errno != 0 {
		return errno
	}
	return nil
}
