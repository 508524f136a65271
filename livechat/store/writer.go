package store

import (
	"database/sql"
	"errors"
	"fmt"

	"github.com/livens/livens/livechat/frame"
)

// schema: message is the log and the set at once. An end is the row of a conversation with no sender and number 0. held and
// conversation follow from message, and are kept beside it because they are asked for often.
const schema = `
CREATE TABLE IF NOT EXISTS message (
	seq INTEGER PRIMARY KEY, c TEXT NOT NULL, s TEXT NOT NULL, n INTEGER NOT NULL,
	role TEXT NOT NULL, name TEXT NOT NULL, at INTEGER NOT NULL, text TEXT NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS message_identity ON message (c, s, n);
CREATE INDEX IF NOT EXISTS message_time ON message (at);
CREATE TABLE IF NOT EXISTS held (c TEXT NOT NULL, s TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (c, s)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS conversation (c TEXT PRIMARY KEY, last INTEGER NOT NULL, ended INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS conversation_open ON conversation (last) WHERE last > ended;
CREATE TABLE IF NOT EXISTS state (
	one INTEGER PRIMARY KEY CHECK (one = 1), log TEXT NOT NULL, digest BLOB NOT NULL, count INTEGER NOT NULL,
	cursor_log TEXT NOT NULL, cursor_seq INTEGER NOT NULL, commits INTEGER NOT NULL);
PRAGMA user_version = 1;`

// writer applies batches. Only the store's goroutine uses it after it was opened.
type writer struct {
	db   *sql.DB
	mark Mark // without Digest
	sum  sum
}

func openWriter(path string) (*writer, error) {
	db, err := sql.Open("sqlite", source(path))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	w := &writer{db: db}
	if err := w.load(); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return w, nil
}

func (w *writer) load() error {
	var version int
	if err := w.db.QueryRow("PRAGMA user_version").Scan(&version); err != nil {
		return err
	}
	if version > 1 {
		return fmt.Errorf("written by a later livechat (schema %d); use that one", version)
	}
	if _, err := w.db.Exec(schema); err != nil {
		return err
	}
	if _, err := w.db.Exec("INSERT OR IGNORE INTO state VALUES (1, ?, ?, 0, '', 0, 0)", newLog(), sum{}.bytes()); err != nil {
		return err
	}
	var digest []byte
	m := &w.mark
	row := w.db.QueryRow("SELECT log, digest, count, cursor_log, cursor_seq, (SELECT coalesce(max(seq), 0) FROM message) FROM state")
	if err := row.Scan(&m.Log, &digest, &m.Count, &m.Cursor.Log, &m.Cursor.Seq, &m.Seq); err != nil {
		return err
	}
	w.sum.set(digest)
	return nil
}

// apply commits batches together. On an error nothing of them is there, and the writer stands where it stood. now is in
// milliseconds since 1970.
func (w *writer) apply(batches []*Batch, now int64) error {
	before := *w
	err := w.transact(batches, now)
	if err != nil {
		w.mark, w.sum = before.mark, before.sum
	}
	return err
}

func (w *writer) transact(batches []*Batch, now int64) error {
	tx, err := w.db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback() // after a commit it does nothing
	for _, b := range batches {
		if err := w.batch(tx, b, now); err != nil {
			return err
		}
	}
	m := &w.mark
	// commits makes every commit write something, so that one without batches tells whether the disk takes it.
	if _, err := tx.Exec("UPDATE state SET digest = ?, count = ?, cursor_log = ?, cursor_seq = ?, commits = commits + 1",
		w.sum.bytes(), m.Count, m.Cursor.Log, m.Cursor.Seq); err != nil {
		return err
	}
	return tx.Commit()
}

func (w *writer) batch(tx *sql.Tx, b *Batch, now int64) error {
	if b.After != nil && *b.After != w.mark.Cursor {
		b.err = ErrNotNext
		return nil
	}
	b.held, b.fresh = make([]Record, len(b.Msgs)), make([]bool, len(b.Msgs))
	for i, m := range b.Msgs {
		r, fresh, err := w.merge(tx, m, now)
		if err != nil {
			return err
		}
		b.held[i], b.fresh[i] = r, fresh
	}
	if b.Cursor != nil {
		w.mark.Cursor = *b.Cursor
	}
	if !b.Recount {
		return nil
	}
	var err error
	w.sum, w.mark.Count, err = count(tx)
	return err
}

// count adds up all records.
func count(db interface {
	Query(string, ...any) (*sql.Rows, error)
}) (total sum, n int64, err error) {
	rows, err := db.Query("SELECT " + columns + " FROM message")
	if err != nil {
		return sum{}, 0, err
	}
	defer rows.Close()
	for ; rows.Next(); n++ {
		r, err := scan(rows)
		if err != nil {
			return sum{}, 0, err
		}
		total.add(hash(&r.Msg))
	}
	return total, n, rows.Err()
}

// merge takes one message, and returns what is held of it then.
func (w *writer) merge(tx *sql.Tx, m frame.Msg, now int64) (Record, bool, error) {
	c, err := readConversation(tx, m.C)
	if err != nil {
		return Record{}, false, err
	}
	old, err := find(tx, m.C, m.S, m.N)
	if err != nil {
		return Record{}, false, err
	}
	if m.At == 0 {
		if old != nil && m.Kind == "" {
			return *old, false, nil // sent again: the first time counts
		}
		m.At = max(now, max(c.last, c.ended)+1)
	}
	m.T = ""
	if old != nil && !supersedes(&m, &old.Msg) {
		return *old, false, nil
	}
	w.mark.Seq++
	r := Record{m, w.mark.Seq}
	if old == nil {
		w.mark.Count++
		err = insert(tx, &r)
	} else {
		w.sum.sub(hash(&old.Msg))
		err = replace(tx, &r)
	}
	w.sum.add(hash(&r.Msg))
	if err == nil {
		err = c.note(tx, &r.Msg, old)
	}
	return r, true, err
}
