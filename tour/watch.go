package main

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"github.com/livens/livens/internal/stage"
)

// askEvery is how often each of those who watch asks.
const askEvery = 5 * time.Millisecond

// eye asks one nameserver all the time, and keeps when its answer became another.
type eye struct {
	asker *stage.Asker
	mu    sync.Mutex
	seen  []sighting
}

// sighting is an answer that differs from the one before.
type sighting struct {
	at   time.Time
	addr netip.Addr // the zero Addr: no answer
}

// run asks until ctx is done.
func (e *eye) run(ctx context.Context) {
	defer e.asker.Close()
	everyTick(ctx, func() {
		addr := ask(e.asker)
		e.mu.Lock()
		defer e.mu.Unlock()
		if len(e.seen) == 0 || e.seen[len(e.seen)-1].addr != addr {
			e.seen = append(e.seen, sighting{time.Now(), addr})
		}
	})
}

// now is what the nameserver answers.
func (e *eye) now() netip.Addr {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.seen) == 0 {
		return netip.Addr{}
	}
	return e.seen[len(e.seen)-1].addr
}

// after is the first answer that became another after t; the zero sighting while there is none.
func (e *eye) after(t time.Time) sighting {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, s := range e.seen {
		if s.at.After(t) && s.addr.IsValid() {
			return s
		}
	}
	return sighting{}
}

// visitor asks the nameservers in turn, as a resolver does: where one does not answer the next is asked.
type visitor struct {
	askers []*stage.Asker
	mu     sync.Mutex
	visits
}

// visits are what a visitor met.
type visits struct {
	asked  int
	again  int // of them asked of a second nameserver
	silent int // of them without an address in the end
}

// run asks until ctx is done.
func (v *visitor) run(ctx context.Context) {
	for _, a := range v.askers {
		defer a.Close()
	}
	next := 0
	everyTick(ctx, func() {
		tries, found := 0, false
		for ; tries < len(v.askers) && !found; tries++ {
			found = ask(v.askers[next%len(v.askers)]).IsValid()
			next++
		}
		v.mu.Lock()
		defer v.mu.Unlock()
		v.asked++
		if tries > 1 {
			v.again++
		}
		if !found {
			v.silent++
		}
	})
}

// met is what it met so far.
func (v *visitor) met() visits {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.visits
}

func ask(a *stage.Asker) netip.Addr {
	addrs, _, err := a.A(name)
	if err != nil {
		return netip.Addr{}
	}
	return addrs[0]
}

func everyTick(ctx context.Context, do func()) {
	tick := time.NewTicker(askEvery)
	defer tick.Stop()
	for ctx.Err() == nil {
		do()
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}
