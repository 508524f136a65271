package xdp

import (
	"bytes"
	"net/netip"
	"sync/atomic"
	"testing"
)

// TestPatience: the kernel is asked again soon to send what it had no room for, and ever less often while it sends nothing.
func TestPatience(t *testing.T) {
	q := &queue{send: ring[descriptor]{producer: new(atomic.Uint32), consumer: new(atomic.Uint32)}}
	want := func(when string, all ...int) {
		t.Helper()
		for _, ms := range all {
			if got := q.patience(); got != ms {
				t.Errorf("%s: %d ms, want %d", when, got, ms)
			}
		}
	}
	want("nothing to send", lookEvery, lookEvery)
	q.send.producer.Store(64)
	want("none of 64 sent", 1, 2, 4, 8, 16, 32, 64, 128, 256, lookEvery, lookEvery)
	q.send.consumer.Store(32)
	want("half sent", 1, 2)
	q.send.consumer.Store(64)
	want("all sent", lookEvery)
	q.send.producer.Store(128)
	q.send.consumer.Store(96)
	want("half of the next", 1, 2)
}

// TestNoRoomToSend: of datagrams that came together as many are answered as there is room for, each where it came from. The others are
// counted, and all chunks go back to the kernel, but not at once: the answers are made from what they hold.
func TestNoRoomToSend(t *testing.T) {
	const received, malformed, free = 6, 1, 3
	q := &queue{mtu: 1500, memory: make([]byte, (received+free)*chunkSize)}
	q.received.slots, q.send.slots = make([]descriptor, 8), make([]descriptor, 8)
	q.fill.slots, q.fill.producer = make([]uint64, 8), new(atomic.Uint32)
	for i := range received {
		frame := frames()["IPv4"]
		frame[etherSize+15] = byte(i) // of the sender's address
		if seal(frame); i == malformed {
			frame[etherSize+10]++
		}
		at := i * chunkSize
		q.received.slots[i] = descriptor{at: uint64(at), size: uint32(copy(q.memory[at:], frame))}
	}
	for i := range uint64(free) {
		q.free = append(q.free, (received+i)*chunkSize)
	}
	var broken, unsent atomic.Uint64
	var senders []netip.Addr
	q.handle(make([]datagram, received), &Handler{
		Read: func(i int, query []byte, from netip.Addr) {
			if senders = append(senders, from); i != len(senders)-1 || string(query) != "what is it?" {
				t.Errorf("%d: %q", i, query)
			}
		},
		Answer:    func(i int, dst []byte) []byte { return append(dst[:0], senders[i].AsSlice()...) },
		Malformed: &broken, Unsent: &unsent,
	})
	if broken.Load() != 1 || unsent.Load() != received-malformed-free || q.send.at != free {
		t.Errorf("%d malformed, %d without room, %d sent", broken.Load(), unsent.Load(), q.send.at)
	}
	for i, sender := range []byte{0, 2, 3} {
		out := q.send.slots[i]
		var reply datagram
		if !reply.parse(q.memory[out.at : out.at+uint64(out.size)]) {
			t.Fatalf("reply %d is malformed", i)
		}
		if want := []byte{192, 0, 2, sender}; !bytes.Equal(reply.payload, want) || !bytes.Equal(reply.to().AsSlice(), want) {
			t.Errorf("%v is sent to %v, want %v", reply.payload, reply.to(), want)
		}
	}
	if q.fill.at != received || q.fill.producer.Load() != 0 {
		t.Errorf("%d chunks go back, %d are with the kernel already", q.fill.at, q.fill.producer.Load())
	}
}
