package store

import (
	"database/sql"
	"errors"

	"github.com/livens/livens/livechat/frame"
)

const columns = "seq, c, s, n, role, name, at, text"

// scan reads a row of columns.
func scan(row interface{ Scan(...any) error }) (Record, error) {
	var r Record
	err := row.Scan(&r.Seq, &r.C, &r.S, &r.N, &r.From, &r.Name, &r.At, &r.Text)
	if r.S == "" {
		r.Kind = frame.End
	}
	return r, err
}

// find is the record of an identity, or nil.
func find(tx *sql.Tx, c, s string, n int64) (*Record, error) {
	r, err := scan(tx.QueryRow("SELECT "+columns+" FROM message WHERE c = ? AND s = ? AND n = ?", c, s, n))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return &r, err
}

func insert(tx *sql.Tx, r *Record) error {
	_, err := tx.Exec("INSERT INTO message ("+columns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?)", r.Seq, r.C, r.S, r.N, r.From, r.Name, r.At, r.Text)
	return err
}

// replace puts a record in the place of the one of the same identity, at a new position, so that followers read it.
func replace(tx *sql.Tx, r *Record) error {
	_, err := tx.Exec("UPDATE message SET seq = ?, role = ?, name = ?, at = ?, text = ? WHERE c = ? AND s = ? AND n = ?",
		r.Seq, r.From, r.Name, r.At, r.Text, r.C, r.S, r.N)
	return err
}

// conversation is the row of one.
type conversation struct {
	last, ended int64 // when the last message was, and the last end; 0: never
}

func readConversation(tx *sql.Tx, c string) (*conversation, error) {
	row := &conversation{}
	err := tx.QueryRow("SELECT last, ended FROM conversation WHERE c = ?", c).Scan(&row.last, &row.ended)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return row, err
}

// note carries a record that was written over to the tables that follow from it. old is what it replaced, or nil.
func (row *conversation) note(tx *sql.Tx, m *frame.Msg, old *Record) error {
	switch {
	case m.Kind == frame.End:
		row.ended = m.At
	case old != nil && old.At == row.last: // the last one has become earlier
		if err := tx.QueryRow("SELECT max(at) FROM message WHERE c = ? AND n > 0", m.C).Scan(&row.last); err != nil {
			return err
		}
	default:
		row.last = max(row.last, m.At)
	}
	_, err := tx.Exec("INSERT OR REPLACE INTO conversation VALUES (?, ?, ?)", m.C, row.last, row.ended)
	if err == nil && old == nil && m.Kind == "" {
		err = hold(tx, m)
	}
	return err
}

// hold moves on what is held of a sender, over all that had come before its turn.
func hold(tx *sql.Tx, m *frame.Msg) error {
	held, err := heldOf(tx, m.C, m.S)
	if err != nil || m.N != held+1 {
		return err
	}
	rows, err := tx.Query("SELECT n FROM message WHERE c = ? AND s = ? AND n > ? ORDER BY n", m.C, m.S, held)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var n int64
		if err := rows.Scan(&n); err != nil {
			return err
		}
		if n != held+1 {
			break
		}
		held = n
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	_, err = tx.Exec("INSERT OR REPLACE INTO held VALUES (?, ?, ?)", m.C, m.S, held)
	return err
}

func heldOf(tx *sql.Tx, c, s string) (int64, error) {
	var n int64
	err := tx.QueryRow("SELECT n FROM held WHERE c = ? AND s = ?", c, s).Scan(&n)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return n, err
}
