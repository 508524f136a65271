package store

import (
	"slices"

	"github.com/livens/livens/livechat/frame"
)

// Have is what is held of a conversation; empty when it is not known.
func (s *Store) Have(c string) (frame.Have, error) {
	have := frame.Have{}
	rows, err := s.read.Query("SELECT s, n FROM held WHERE c = ?", c)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var sender string
		var n int64
		if err := rows.Scan(&sender, &n); err != nil {
			return nil, err
		}
		have[sender] = n
	}
	return have, rows.Err()
}

// Position is the last one in the log at which a sender's messages up to number n are; 0 when there are none.
func (s *Store) Position(c, sender string, n int64) (int64, error) {
	var seq int64
	err := s.read.QueryRow("SELECT coalesce(max(seq), 0) FROM message WHERE c = ? AND s = ? AND n BETWEEN 1 AND ?", c, sender, n).Scan(&seq)
	return seq, err
}

// Missing are a conversation's messages that somebody who has that lacks, in the order of a transcript; when the conversation is closed,
// its end is the last.
func (s *Store) Missing(c string, have frame.Have) ([]Record, error) {
	all, err := s.query("SELECT "+columns+" FROM message WHERE c = ? ORDER BY at, s, n", c)
	if err != nil {
		return nil, err
	}
	var end *Record
	last := int64(0)
	missing := slices.DeleteFunc(all, func(r Record) bool {
		if r.Kind == frame.End {
			end = &r
			return true
		}
		last = max(last, r.At)
		return r.N <= have[r.S]
	})
	bySender(missing)
	if end != nil && end.At > last {
		missing = append(missing, *end)
	}
	return missing, nil
}

// bySender puts each sender's messages in the order of their numbers, in the places that they have together: the order of a transcript
// is by time, except that a sender's own are always by number.
func bySender(records []Record) {
	places := map[string][]int{}
	for i, r := range records {
		places[r.S] = append(places[r.S], i)
	}
	for _, at := range places {
		own := make([]Record, len(at))
		for i, place := range at {
			own[i] = records[place]
		}
		slices.SortFunc(own, func(a, b Record) int { return int(a.N - b.N) })
		for i, place := range at {
			records[place] = own[i]
		}
	}
}

// Since are the records behind a position, at most limit.
func (s *Store) Since(seq int64, limit int) ([]Record, error) {
	return s.query("SELECT "+columns+" FROM message WHERE seq > ? ORDER BY seq LIMIT ?", seq, limit)
}

// maxOpen bounds what an operator is shown at once.
const maxOpen = 1000

// Open are the conversations that have a message later than their end, the latest first, at most 1000.
func (s *Store) Open() ([]string, error) {
	rows, err := s.read.Query("SELECT c FROM conversation WHERE last > ended ORDER BY last DESC LIMIT ?", maxOpen)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var open []string
	for rows.Next() {
		var c string
		if err := rows.Scan(&c); err != nil {
			return nil, err
		}
		open = append(open, c)
	}
	return open, rows.Err()
}

func (s *Store) query(text string, args ...any) ([]Record, error) {
	rows, err := s.read.Query(text, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var records []Record
	for rows.Next() {
		r, err := scan(rows)
		if err != nil {
			return nil, err
		}
		records = append(records, r)
	}
	return records, rows.Err()
}
