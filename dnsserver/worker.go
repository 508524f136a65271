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

const (
	// ahead is how many queries are read at most before the first of them is answered.
	ahead = 16
	// latencySample is of how many queries one is timed: a prime, so that where queries always come as many together each place among them
	// has its turn.
	latencySample = 61
	// At most one query of those that are answered together is timed.
	_ = uint(latencySample - ahead)
	// cacheLine is how many octets a processor gets from memory at once, of nearly all kinds.
	cacheLine = 64
)

// worker answers queries with memory of its own. Those that came together it reads one after the other, and then answers one after the
// other.
type worker struct {
	live    *atomic.Pointer[snapshot]
	stats   *stats
	panics  *panicLog
	scratch *scratch

	current  *snapshot // that answers the queries read
	requests []request
	got      int  // how many of them have been read
	touched  byte // see fetch
	turn     uint
	timed    int // the query whose latency is taken; -1: none's
	since    time.Time
}

// handle answers one query into dst; nil is silence.
func (w *worker) handle(dst, query []byte, from peer) []byte {
	w.read(0, query, from)
	return w.answer(0, dst)
}

// read takes in the i-th of the queries that are answered together, from 0 to ahead-1; 0 begins anew. The query must stay as it is until it
// is answered.
func (w *worker) read(i int, query []byte, from peer) {
	if i == 0 {
		w.current, w.timed = w.live.Load(), -1
	}
	w.got = i + 1
	if w.turn++; w.turn%latencySample == 0 {
		w.timed, w.since = i, time.Now()
	}
	r := &w.requests[i]
	defer w.survive(&r.broken)
	w.current.read(r, query, from)
}

// answer answers the i-th query into dst; nil is silence. Each is answered once, in the order in which they were read.
func (w *worker) answer(i int, dst []byte) []byte {
	if i == 0 && w.got > 1 {
		w.fetch()
	}
	r := &w.requests[i]
	response := w.respond(dst, r)
	if r.broken {
		w.stats.drops[dropPanic].Add(1)
		w.scratch = newScratch()
		response = serverFailure(dst, r.query)
	}
	if i == w.timed {
		w.stats.observe(time.Since(w.since))
	}
	// An idle worker would keep in memory what is published no longer, and zones can be large.
	r.query, r.zone, w.scratch.outcome.zone = nil, nil, nil
	if i == w.got-1 {
		w.current = nil
	}
	return response
}

func (w *worker) fetch() {
	defer func() { _ = recover() }() // whoever's fault it is will be noted when that is answered
	w.touched = fetch(w.requests[:w.got])
}

// respond does nothing for a request that is broken already.
func (w *worker) respond(dst []byte, r *request) []byte {
	defer w.survive(&r.broken)
	if r.broken {
		return nil
	}
	response := w.current.answer(dst, r, w.scratch)
	if response == nil {
		w.stats.drops[dropMalformed].Add(1)
		return nil
	}
	w.stats.count(&w.scratch.outcome)
	return response
}

// survive contains a panic, and says so in failed: whatever bug a query may find, the others are answered.
func (w *worker) survive(failed *bool) {
	if p := recover(); p != nil {
		w.panics.note(p)
		*failed = true
	}
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
