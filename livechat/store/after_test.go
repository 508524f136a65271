package store

import (
	"errors"
	"testing"

	"github.com/livens/livens/livechat/frame"
)

// TestNothingIsSkippedBehindAFailedBatch: of batches that follow on each other those behind one that failed are refused, and nobody else's.
func TestNothingIsSkippedBehindAFailedBatch(t *testing.T) {
	s := open(t, t.TempDir())
	defer s.Close()
	at := func(seq int64) *Cursor { return &Cursor{"their log", seq} }
	follow := func(after, upTo *Cursor, m frame.Msg) chan error {
		done := make(chan error, 1)
		s.Write(&Batch{Msgs: []frame.Msg{m}, After: after, Cursor: upTo, Done: func(_ []Record, _ []bool, err error) { done <- err }})
		return done
	}
	if err := <-follow(&Cursor{}, at(1), message(id(1), ada, 1, 1, "a")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.write.db.Exec("CREATE TRIGGER broken BEFORE INSERT ON message WHEN new.text = 'b' BEGIN SELECT raise(ABORT, 'disk I/O error'); END"); err != nil {
		t.Fatal(err)
	}
	if err := <-follow(at(1), at(2), message(id(1), ada, 2, 2, "b")); err == nil || errors.Is(err, ErrNotNext) {
		t.Fatalf("stored what cannot be stored: %v", err)
	}
	if err := <-follow(at(2), at(3), message(id(1), ada, 3, 3, "c")); !errors.Is(err, ErrNotNext) {
		t.Fatalf("what is behind a failed batch ends with %v", err)
	}
	if m := s.Mark(); m.Cursor != *at(1) || m.Count != 1 {
		t.Fatalf("%+v", m)
	}
	if _, err := s.write.db.Exec("DROP TRIGGER broken"); err != nil {
		t.Fatal(err)
	}
	// In one commit: one that does not follow, a client's, and the two that do.
	var group []*Batch
	for _, step := range []struct {
		after, upTo *Cursor
		n           int64
	}{{at(2), at(3), 3}, {nil, nil, 9}, {at(1), at(2), 2}, {at(2), at(3), 3}} {
		group = append(group, &Batch{Msgs: []frame.Msg{message(id(1), ada, step.n, step.n, "x")}, After: step.after, Cursor: step.upTo})
	}
	if err := s.write.apply(group, 1); err != nil {
		t.Fatal(err)
	}
	for i, b := range group {
		if want := i == 0; errors.Is(b.err, ErrNotNext) != want {
			t.Errorf("batch %d ends with %v", i, b.err)
		}
	}
	if w := s.write.mark; w.Cursor != *at(3) || w.Count != 4 {
		t.Errorf("%+v", w)
	}
}
