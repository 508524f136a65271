package web

import (
	"sync/atomic"
	"time"
)

// meterSpan is over how many whole seconds a meter averages.
const meterSpan = 10

// meter counts what comes a second. Its methods may be called from many goroutines at once, and do not wait.
type meter struct {
	seconds [meterSpan + 2]atomic.Uint64 // by second modulo their number: the second's low 32 bits, then the count
}

func (m *meter) add(now time.Time) {
	second := uint64(uint32(now.Unix()))
	slot := &m.seconds[second%uint64(len(m.seconds))]
	for {
		old := slot.Load()
		next := second<<32 | 1
		if old>>32 == second {
			next = old + 1
		}
		if slot.CompareAndSwap(old, next) {
			return
		}
	}
}

// rate is how many came a second, over the last whole seconds.
func (m *meter) rate(now time.Time) float64 {
	sum := uint64(0)
	for i := range m.seconds {
		v := m.seconds[i].Load()
		if age := uint32(now.Unix()) - uint32(v>>32); age >= 1 && age <= meterSpan {
			sum += v & (1<<32 - 1)
		}
	}
	return float64(sum) / meterSpan
}
