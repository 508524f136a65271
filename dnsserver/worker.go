package dnsserver

import (
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"
)

// latencySample is how many queries share one reading of the clock.
const latencySample = 16

// worker answers queries one after the other with memory of its own.
type worker struct {
	live    *atomic.Pointer[snapshot]
	stats   *stats
	panics  *panicLog
	scratch *scratch
	turn    uint
}

// handle answers one query into dst; nil is silence.
func (w *worker) handle(dst, query []byte, from *peer) []byte {
	w.turn++
	if w.turn%latencySample != 0 {
		return w.answer(dst, query, from)
	}
	start := time.Now()
	response := w.answer(dst, query, from)
	w.stats.observe(time.Since(start))
	return response
}

// answer contains a panic: whatever bug a query may find, the others are answered.
func (w *worker) answer(dst, query []byte, from *peer) (response []byte) {
	defer func() {
		if p := recover(); p != nil {
			w.stats.drops[dropPanic].Add(1)
			w.panics.note(p)
			w.scratch = newScratch()
			response = serverFailure(dst, query)
		}
	}()
	response = w.live.Load().answer(dst, query, from, w.scratch)
	if response == nil {
		w.stats.drops[dropMalformed].Add(1)
		return nil
	}
	w.stats.count(&w.scratch.outcome)
	return response
}

// serverFailure answers with a header alone.
func serverFailure(dst, query []byte) []byte {
	if len(query) < headerSize {
		return nil
	}
	b := append(dst[:0], query[:4]...)
	b[2], b[3] = 0x80|query[2]&0x79, dns.RcodeServerFailure
	return append(b, 0, 0, 0, 0, 0, 0, 0, 0)
}

// panicLog tells of the first panic, with its stack; later ones only count.
type panicLog struct {
	once sync.Once
	log  *slog.Logger
}

func (l *panicLog) note(p any) {
	l.once.Do(func() {
		l.log.Error("answering a query panicked; later panics are only counted, in livens_dns_drops_total",
			"panic", fmt.Sprint(p), "stack", string(debug.Stack()))
	})
}

// observe adds a latency to the histogram.
func (s *stats) observe(d time.Duration) {
	i := 0
	for i < len(latencyBounds) && d > latencyBounds[i] {
		i++
	}
	s.latency[i].Add(1)
	s.nanos.Add(uint64(d))
}
