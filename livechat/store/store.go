// Package store keeps conversations on disk, in SQLite.
//
// A store is a log: what it takes gets the next position. What it holds is a set of records that merges: whatever order
// two stores take the same records in, and however often, they end up equal, and so do their digests. One goroutine writes,
// many batches to a commit, and says so when they are on disk.
package store

import (
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/livens/livens/livechat/frame"
	_ "modernc.org/sqlite"
)

// FileName is the database's in its folder.
const FileName = "livechat.db"

// Store is an open database. Its methods may be called from many goroutines at once.
type Store struct {
	dir     string
	log     *slog.Logger
	lock    *os.File
	read    *sql.DB
	write   *writer
	files   files
	queue   chan *Batch
	closing chan struct{}
	done    chan struct{} // closed when the writer has ended
	once    sync.Once

	mark    atomic.Pointer[Mark]
	health  health
	changed atomic.Pointer[chan struct{}]
}

// Mark is how far the store has come, and the sum of what it holds.
type Mark struct {
	Log    string // the database's name: another one after a restore
	Seq    int64  // the last position
	Digest string // does not depend on the order of records
	Count  int64  // records
	Cursor Cursor // how far the other deployment's log has been read
}

// Cursor is a position in another store's log.
type Cursor struct {
	Log string
	Seq int64
}

// Record is a message, or the end of a conversation, at its position.
type Record struct {
	frame.Msg
	Seq int64
}

// Batch is written whole or not at all.
type Batch struct {
	// Msgs were checked by frame.CheckSent or CheckStored. One without a time is stored now: later than its conversation's last.
	Msgs []frame.Msg
	// After, unless nil, is where the cursor must stand: else this batch, and no other of its commit, is refused with ErrNotNext. A
	// follower's batches wait behind each other, and one must not be taken for what an earlier one that failed would have been.
	After *Cursor
	// Cursor, unless nil, is kept in the same commit.
	Cursor *Cursor
	// Recount adds up all records anew, after the batch: should what is kept of the sum be wrong, it is right then.
	Recount bool
	// Done is called by the writer once the batch is on disk, or with an error when it is not: with the records as they are held now, in
	// the order of Msgs, and which of them are new or changed. It must not block. The calls come in the order of positions.
	Done func(held []Record, fresh []bool, err error)

	held  []Record
	fresh []bool
	err   error // why this one was left out of its commit
}

// ErrClosed is what a batch ends with that came too late.
var ErrClosed = errors.New("the store is closed")

// ErrNotNext is what a batch ends with that does not follow on the cursor.
var ErrNotNext = errors.New("what comes before it in the other deployment's log has not been stored")

// Open opens the database in the folder dir, which it makes when it is missing. It fails when another process serves the same folder.
func Open(dir string, log *slog.Logger) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	lock, err := Lock(dir)
	if err != nil {
		return nil, err
	}
	s := &Store{dir: dir, log: log, lock: lock, queue: make(chan *Batch, 1024), closing: make(chan struct{}), done: make(chan struct{})}
	if err := s.open(filepath.Join(dir, FileName)); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	go s.run()
	return s, nil
}

func (s *Store) open(path string) error {
	w, err := openWriter(path)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	s.write = w
	if s.files, err = openedAt(path); err != nil {
		return errors.Join(err, w.db.Close())
	}
	s.read, err = sql.Open("sqlite", source(path, "query_only(1)"))
	if err != nil {
		return errors.Join(err, w.db.Close())
	}
	s.read.SetMaxOpenConns(4)
	changed := make(chan struct{})
	s.changed.Store(&changed)
	s.publish()
	s.beat(time.Now())
	return nil
}

// source is a database for the driver. FULL syncs the log at every commit: what was acknowledged survives a power cut.
func source(path string, pragmas ...string) string {
	dsn := "file:" + path + "?_txlock=immediate&_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)"
	for _, p := range pragmas {
		dsn += "&_pragma=" + p
	}
	return dsn
}

// Lock takes the folder for this process, until the file is closed.
func Lock(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("%s is in use: another livechat serves it", dir), f.Close())
	}
	return f, nil
}

// Close writes what was taken, and closes the database.
func (s *Store) Close() error {
	s.once.Do(func() { close(s.closing) })
	<-s.done
	return errors.Join(s.read.Close(), s.write.db.Close(), s.lock.Close())
}

// Write hands a batch to the writer. It waits while too many are before it.
func (s *Store) Write(b *Batch) {
	select {
	case <-s.closing: // first, or a batch could slip in behind the last commit
		b.Done(nil, nil, ErrClosed)
		return
	default:
	}
	select {
	case s.queue <- b:
	case <-s.done:
		b.Done(nil, nil, ErrClosed)
	}
}

// Mark is where the store stands. What it counts is on disk.
func (s *Store) Mark() Mark { return *s.mark.Load() }

// Changed is closed after the next commit.
func (s *Store) Changed() <-chan struct{} { return *s.changed.Load() }

// maxGroup bounds how many batches share a commit.
const maxGroup = 512

func (s *Store) run() {
	defer close(s.done)
	tick := time.NewTicker(pulse)
	defer tick.Stop()
	for {
		select {
		case b := <-s.queue:
			s.commit(s.group(b))
		case now := <-tick.C:
			s.beat(now)
		case <-s.closing:
			for {
				select {
				case b := <-s.queue:
					s.commit(s.group(b))
				default:
					return
				}
			}
		}
	}
}

// group is a batch and those that wait behind it.
func (s *Store) group(b *Batch) []*Batch {
	batches := []*Batch{b}
	for len(batches) < maxGroup {
		select {
		case b := <-s.queue:
			batches = append(batches, b)
		default:
			return batches
		}
	}
	return batches
}

func (s *Store) commit(batches []*Batch) {
	err := s.apply(batches, time.Now())
	if err == nil {
		s.publish()
		changed := make(chan struct{})
		close(*s.changed.Swap(&changed))
	}
	for _, b := range batches {
		switch {
		case err != nil:
			b.Done(nil, nil, err)
		case b.err != nil:
			b.Done(nil, nil, b.err)
		default:
			b.Done(b.held, b.fresh, nil)
		}
	}
}

// apply commits batches where the next process will find them, and notes whether that succeeds.
func (s *Store) apply(batches []*Batch, now time.Time) error {
	err := s.files.intact()
	if err == nil {
		err = s.write.apply(batches, now.UnixMilli())
	}
	s.note(err)
	return err
}

func (s *Store) publish() {
	m := s.write.mark
	m.Digest = hex.EncodeToString(s.write.sum.bytes())
	s.mark.Store(&m)
}

// newLog is a name for a database.
func newLog() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // it never fails
	return hex.EncodeToString(b)
}
