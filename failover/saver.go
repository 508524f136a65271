package failover

import (
	"sync"
	"time"
)

const (
	// saveRetry is how long after a write that did not succeed the next is tried, while nothing new is to be kept.
	saveRetry = 5 * time.Second
	// saveRest is how many times as long as a write of decisions took none follows it: hundreds of pools that switch one after
	// the other must not be written hundreds of times. The first is written at once.
	saveRest = 4
)

// saver writes the state folder in a goroutine of its own, so that a disk that hangs stops no decision. Of decisions
// it keeps the latest; overrides are written one by one, and their outcome is told.
type saver struct {
	folder        string
	memories      chan Memory     // holds at most the latest
	overrides     chan []Override // holds at most the one of the pending order
	overridesDone chan error
	learnt        chan []Override // holds at most the latest registers, of which other nameservers told
	stop          chan struct{}   // closed when nothing more comes

	mu     sync.Mutex
	alerts map[[2]string]Alert // by code and what it affects
}

func newSaver(folder string) *saver {
	return &saver{
		folder: folder, memories: make(chan Memory, 1), overrides: make(chan []Override, 1), overridesDone: make(chan error, 1),
		learnt: make(chan []Override, 1),
		stop:   make(chan struct{}), alerts: map[[2]string]Alert{},
	}
}

// keep replaces what waits to be written. Only the controller's goroutine calls it.
func (s *saver) keep(m Memory) {
	select {
	case <-s.memories:
	default:
	}
	s.memories <- m
}

// keepOverrides has an order written; what was learnt before is part of o.
func (s *saver) keepOverrides(o []Override) {
	select {
	case <-s.learnt:
	default:
	}
	s.overrides <- o
}

// keepLearnt replaces the registers that wait to be written.
func (s *saver) keepLearnt(o []Override) {
	select {
	case <-s.learnt:
	default:
	}
	s.learnt <- o
}

// run writes until stop; what is not written by then is tried once more.
func (s *saver) run() {
	var unsaved *Memory
	var learnt []Override // nil: nothing
	var retry <-chan time.Time
	var rested <-chan time.Time
	memories := s.memories // nil: not yet
	for stopped := false; !stopped; {
		select {
		case m := <-memories:
			unsaved = &m
		case <-rested:
			memories = s.memories
			continue
		case learnt = <-s.learnt:
		case <-retry:
		case o := <-s.overrides:
			err := s.writeOverrides(o)
			if err == nil {
				learnt = nil // o has it
			}
			s.overridesDone <- err
			continue
		case <-s.stop:
			stopped = true
			unsaved, learnt = s.rest(unsaved, learnt)
		}
		retry = nil
		if learnt != nil && s.writeLearnt(learnt) {
			learnt = nil
		}
		if unsaved != nil {
			began := time.Now()
			if s.write(unsaved) {
				unsaved = nil
			}
			memories, rested = nil, time.After(saveRest*time.Since(began))
		}
		if unsaved != nil || learnt != nil {
			retry = time.After(saveRetry)
		}
	}
}

// rest is what is to be written at last.
func (s *saver) rest(unsaved *Memory, learnt []Override) (*Memory, []Override) {
	select {
	case m := <-s.memories:
		unsaved = &m
	default:
	}
	select {
	case learnt = <-s.learnt:
	default:
	}
	return unsaved, learnt
}

// writeLearnt keeps what other nameservers know of orders. It is applied all the same if it cannot be kept: all must
// agree.
func (s *saver) writeLearnt(o []Override) bool {
	err := writeState(s.folder, overridesFile, o)
	s.report("state-unwritable", "orders that other nameservers told of", err)
	return err == nil
}

func (s *saver) write(m *Memory) bool {
	err := writeState(s.folder, memoryFile, m)
	s.report("state-unwritable", "what outlives a restart", err)
	return err == nil
}

func (s *saver) writeOverrides(o []Override) error {
	if err := writeState(s.folder, overridesFile, o); err != nil {
		return refuse("the order cannot be kept, so it is not applied: %w", err)
	}
	return nil
}

// report raises or (err nil) clears an alert.
func (s *saver) report(code, affects string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := [2]string{code, affects}
	before, raised := s.alerts[key]
	if err == nil {
		delete(s.alerts, key)
		return
	}
	a := Alert{Code: code, Severity: Warning, Affects: affects, Text: err.Error(), Since: time.Now(),
		Hint: "answers go on; look at free space, rights and health of " + s.folder}
	if raised {
		a.Since = before.Since
	}
	s.alerts[key] = a
}

func (s *saver) raised() []Alert {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Alert
	for _, a := range s.alerts {
		out = append(out, a)
	}
	return out
}
