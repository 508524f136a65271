package store

import (
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"
)

const (
	// pulse is how often the writer tries whether the disk takes a commit, when there is nothing else to write.
	pulse = time.Second
	// stale is how old the last success may be. It leaves a commit three seconds: a busy disk or machine is none that is dead.
	stale = 4 * time.Second
	// reserve is how much room must be left on the disk: with less, messages are still taken, but healthz calls for the other deployment.
	reserve = 8 << 20
)

// health is what the writer knows of its disk. Who asks gets an answer at once, however long a commit takes.
type health struct {
	mu      sync.Mutex
	proved  time.Time // when a commit succeeded last
	trouble error     // why the last one failed; nil: it did not
	room    error     // too little of it is left
}

// committed takes how a commit ended, and says what it was like before.
func (h *health) committed(err error, now time.Time) (before error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err == nil {
		h.proved = now
	}
	before, h.trouble = h.trouble, err
	return before
}

func (h *health) measured(room error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.room = room
}

// judge is nil when messages can be stored; else it says why not.
func (h *health) judge(now time.Time) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch late := now.Sub(h.proved); {
	case late > stale:
		return fmt.Errorf("the disk does not answer: nothing could be stored for %d s", int(late.Seconds()))
	case h.trouble != nil:
		return h.trouble
	}
	return h.room
}

// Check is nil when messages can be stored; else it says why not. It answers at once: the writer commits at least once a second,
// and what came of that counts. A slow commit is no illness; one that fails is, one that does not end, and one into a deleted file.
func (s *Store) Check() error { return s.health.judge(time.Now()) }

// beat commits nothing, unless a commit has just succeeded, and looks at the room on the disk.
func (s *Store) beat(now time.Time) {
	if s.health.due(now) {
		_ = s.apply(nil, now) // it was noted
	}
	s.health.measured(room(s.dir))
}

// due says whether nothing has been proved for a while.
func (h *health) due(now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.trouble != nil || now.Sub(h.proved) >= pulse/2
}

// room is an error when too little is left.
func room(dir string) error {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return errors.New("the data folder cannot be looked at")
	}
	if free := int64(fs.Bavail) * fs.Bsize; free < reserve {
		return fmt.Errorf("only %d KiB are free on the disk", free>>10)
	}
	return nil
}

// note remembers whether commits succeed, and logs when that changes.
func (s *Store) note(err error) {
	before := s.health.committed(err, time.Now())
	switch {
	case err == nil && before != nil:
		s.log.Info("messages can be stored again")
	case err != nil && before == nil:
		s.log.Error("messages cannot be stored", "error", err, "folder", s.dir)
	}
}
