package store

import (
	"context"
	"database/sql"
	"encoding/hex"
)

// Settled is what a store holds of before a time.
type Settled struct {
	Digest string
	Count  int64 // records
	Read   int64 // how far the other deployment's log had been read then
}

// Settled adds up the records from before a time, in milliseconds since 1970. ok says that none of them is behind a position in the log, nor an end, of
// which a later one takes an earlier one's place: who has read up to there holds the same of that time, whatever is written meanwhile.
func (s *Store) Settled(before, position int64) (_ Settled, ok bool, err error) {
	tx, err := s.read.BeginTx(context.Background(), &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return Settled{}, false, err
	}
	defer tx.Rollback() // it has read, no more
	var out Settled
	var digest []byte
	var missing bool
	row := tx.QueryRow("SELECT digest, count, cursor_seq, EXISTS (SELECT 1 FROM message WHERE seq > ? AND (at < ? OR s = '')) FROM state", position, before)
	if err := row.Scan(&digest, &out.Count, &out.Read, &missing); err != nil || missing {
		return Settled{}, false, err
	}
	var total sum
	total.set(digest)
	rows, err := tx.Query("SELECT "+columns+" FROM message WHERE at >= ?", before)
	if err != nil {
		return Settled{}, false, err
	}
	defer rows.Close()
	for ; rows.Next(); out.Count-- {
		r, err := scan(rows)
		if err != nil {
			return Settled{}, false, err
		}
		total.sub(hash(&r.Msg))
	}
	out.Digest = hex.EncodeToString(total.bytes())
	return out, true, rows.Err()
}
