package failover

import (
	"sync"
	"time"
)

// saveRetry is how long after a write that did not succeed the next is tried, while nothing new is to be kept.
const saveRetry = 5 * time.Second

// saver writes the state folder in a goroutine of its own, so that a disk that hangs stops no decision. Of decisions
// it keeps the latest; overrides are written one by one, and their outcome is told.
type saver struct {
	folder        string
	memories      chan memory     // holds at most the latest
	overrides     chan []Override // holds at most the one of the pending order
	overridesDone chan error
	stop          chan struct{} // closed when nothing more comes

	mu     sync.Mutex
	alerts map[[2]string]Alert // by code and what it affects
}

func newSaver(folder string) *saver {
	return &saver{
		folder: folder, memories: make(chan memory, 1), overrides: make(chan []Override, 1), overridesDone: make(chan error, 1),
		stop: make(chan struct{}), alerts: map[[2]string]Alert{},
	}
}

// keep replaces what waits to be written. Only the controller's goroutine calls it.
func (s *saver) keep(m memory) {
	select {
	case <-s.memories:
	default:
	}
	s.memories <- m
}

func (s *saver) keepOverrides(o []Override) { s.overrides <- o }

// run writes until stop; what is not written by then is tried once more.
func (s *saver) run() {
	var unsaved *memory
	var retry <-chan time.Time
	for {
		select {
		case m := <-s.memories:
			unsaved = &m
		case <-retry:
		case o := <-s.overrides:
			s.overridesDone <- s.writeOverrides(o)
			continue
		case <-s.stop:
			select {
			case m := <-s.memories:
				unsaved = &m
			default:
			}
			if unsaved != nil {
				s.write(unsaved)
			}
			return
		}
		retry = nil
		if s.write(unsaved) {
			unsaved = nil
		} else {
			retry = time.After(saveRetry)
		}
	}
}

func (s *saver) write(m *memory) bool {
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
