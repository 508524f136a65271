package store

import (
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
)

// Settled is the sum of the records no later than until, in milliseconds since 1970, and where the store stood when it was made. So two
// stores can be compared while messages come in. They hold the same records of that time when the one has read the other's log up
// to the position of its sum, and the other had read the one's up to the position after, and quiet is true: nothing behind
// after is of that time, nor an end, which may have taken the place of one that is.
func (s *Store) Settled(ctx context.Context, until, after int64) (m Mark, quiet bool, err error) {
	conn, err := s.read.Conn(ctx)
	if err != nil {
		return Mark{}, false, err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "BEGIN"); err != nil { // all of it is of one moment
		return Mark{}, false, err
	}
	defer conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK") //nolint:errcheck // nothing was written
	var digest []byte
	row := conn.QueryRowContext(ctx, `SELECT log, digest, count, cursor_log, cursor_seq, (SELECT coalesce(max(seq), 0) FROM message),
		NOT EXISTS (SELECT 1 FROM message WHERE seq > ? AND (at <= ? OR s = '')) FROM state`, after, until)
	if err := row.Scan(&m.Log, &digest, &m.Count, &m.Cursor.Log, &m.Cursor.Seq, &m.Seq, &quiet); err != nil {
		return Mark{}, false, err
	}
	total := sum{}
	total.set(digest)
	later, n, err := added(ctx, conn, "WHERE at > ?", until)
	if err != nil {
		return Mark{}, false, err
	}
	for i := range total {
		total[i] -= later[i]
	}
	m.Count -= n
	m.Digest = hex.EncodeToString(total.bytes())
	return m, quiet, nil
}

// added adds up some records.
func added(ctx context.Context, db interface {
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
}, which string, args ...any) (total sum, n int64, err error) {
	rows, err := db.QueryContext(ctx, fmt.Sprintf("SELECT %s FROM message %s", columns, which), args...)
	if err != nil {
		return sum{}, 0, err
	}
	defer rows.Close()
	for ; rows.Next(); n++ {
		var r Record
		if r, err = scan(rows); err != nil {
			return sum{}, 0, err
		}
		total.add(hash(&r.Msg))
	}
	return total, n, rows.Err()
}
