package xdp

import (
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
