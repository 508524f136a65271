package store

import (
	"errors"
	"maps"
	"testing"

	"github.com/livens/livens/livechat/frame"
)

func TestTimesRiseInAConversation(t *testing.T) {
	s := open(t, t.TempDir())
	defer s.Close()
	far := int64(4_000_000_000_000) // another deployment's clock
	put(t, s, message(id(1), ada, 1, far, "a"))
	held, _ := put(t, s, message(id(1), ann, 1, 0, "b"), message(id(1), ann, 2, 0, "c"))
	if held[0].At != far+1 || held[1].At != far+2 {
		t.Errorf("times %d and %d", held[0].At-far, held[1].At-far)
	}
	other, _ := put(t, s, message(id(2), ann, 1, 0, "d"))
	if other[0].At > far {
		t.Error("one conversation's time rules another's")
	}
}

func TestHaveCountsUpToTheFirstGap(t *testing.T) {
	s := open(t, t.TempDir())
	defer s.Close()
	c := id(1)
	for _, step := range []struct {
		n    int64
		have int64
	}{{1, 1}, {3, 1}, {5, 1}, {2, 3}, {2, 3}, {4, 5}} {
		put(t, s, message(c, ada, step.n, 0, "x"))
		if have, err := s.Have(c); err != nil || have[ada] != step.have {
			t.Fatalf("after %d: %v %v, want %d", step.n, have, err, step.have)
		}
	}
	if have, err := s.Have(id(2)); err != nil || len(have) != 0 {
		t.Errorf("of a conversation that nobody knows: %v %v", have, err)
	}
}

func TestMissingIsInTheOrderOfATranscript(t *testing.T) {
	s := open(t, t.TempDir())
	defer s.Close()
	c := id(1)
	// Ada's second is dated before her first: two deployments' clocks differ.
	put(t, s, message(c, ann, 1, 150, "hi"), message(c, ada, 2, 100, "second"), message(c, ada, 1, 200, "first"))
	if got := transcript(t, s, c); got != "v1:first o1:hi v2:second" {
		t.Error(got)
	}
	records, err := s.Missing(c, frame.Have{ada: 1, ann: 1})
	if err != nil || len(records) != 1 || records[0].Text != "second" {
		t.Errorf("%v %v", records, err)
	}
}

func TestEndedConversationIsNotOpenUntilItGoesOn(t *testing.T) {
	s := open(t, t.TempDir())
	defer s.Close()
	end := frame.Msg{C: id(1), Kind: frame.End}
	put(t, s, message(id(1), ada, 1, 0, "a"), message(id(2), ada, 1, 0, "b"))
	put(t, s, end)
	if open, err := s.Open(); err != nil || len(open) != 1 || open[0] != id(2) {
		t.Errorf("open are %v, %v", open, err)
	}
	if got := transcript(t, s, id(1)); got != "v1:a end" {
		t.Error(got)
	}
	put(t, s, message(id(1), ada, 2, 0, "c"))
	if open, _ := s.Open(); len(open) != 2 || open[0] != id(1) {
		t.Errorf("the latest is not first: %v", open)
	}
	if got := transcript(t, s, id(1)); got != "v1:a v2:c" {
		t.Error(got)
	}
	if _, fresh := put(t, s, end); !fresh[0] {
		t.Error("a conversation cannot be ended twice")
	}
}

func TestWhatWasStoredOutlivesARestart(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	put(t, s, message(id(1), ada, 1, 0, "a"), message(id(1), ada, 2, 0, "b"))
	done := make(chan error, 1)
	s.Write(&Batch{Cursor: &Cursor{"their log", 7}, Done: func(_ []Record, _ []bool, err error) { done <- err }})
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	before := s.Mark()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := try(s, message(id(1), ada, 3, 0, "late")); !errors.Is(err, ErrClosed) {
		t.Errorf("after the end: %v", err)
	}
	s = open(t, dir)
	defer s.Close()
	if s.Mark() != before || before.Cursor != (Cursor{"their log", 7}) || before.Count != 2 || before.Seq != 2 {
		t.Errorf("before %+v, after %+v", before, s.Mark())
	}
	if held, fresh := put(t, s, message(id(1), ada, 2, 0, "b")); fresh[0] || held[0].Seq != 2 {
		t.Errorf("%v %v", held, fresh)
	}
}

func TestOneProcessServesAFolder(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	defer s.Close()
	if second, err := Open(dir, quiet); err == nil {
		second.Close()
		t.Error("two serve one folder")
	}
}

func TestChangedIsClosedByACommit(t *testing.T) {
	s := open(t, t.TempDir())
	defer s.Close()
	changed := s.Changed()
	select {
	case <-changed:
		t.Fatal("nothing was committed")
	default:
	}
	put(t, s, message(id(1), ada, 1, 0, "a"))
	<-changed
	if records, err := s.Since(0, 10); err != nil || len(records) != 1 || s.Mark().Seq != 1 {
		t.Errorf("%v %v", records, err)
	}
}

// TestFailedCommitChangesNothing: neither on disk nor in what the store counts; and the next one succeeds.
func TestFailedCommitChangesNothing(t *testing.T) {
	s := open(t, t.TempDir())
	defer s.Close()
	put(t, s, message(id(1), ada, 1, 0, "a"))
	before := s.Mark()
	if _, err := s.write.db.Exec("CREATE TRIGGER broken BEFORE INSERT ON message WHEN new.text = 'bad' BEGIN SELECT raise(ABORT, 'disk I/O error'); END"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := try(s, message(id(1), ada, 2, 0, "good"), message(id(1), ada, 3, 0, "bad")); err == nil {
		t.Fatal("stored what cannot be stored")
	}
	if s.Mark() != before {
		t.Errorf("%+v, before %+v", s.Mark(), before)
	}
	if got := transcript(t, s, id(1)); got != "v1:a" {
		t.Error(got)
	}
	if held, _ := put(t, s, message(id(1), ada, 2, 0, "good")); held[0].Seq != before.Seq+1 {
		t.Errorf("position %d after %d", held[0].Seq, before.Seq)
	}
	if err := s.Check(); err != nil {
		t.Error(err)
	}
}

func TestHaveIsEqual(t *testing.T) { // what two stores hold of the same messages
	a, b := open(t, t.TempDir()), open(t, t.TempDir())
	defer a.Close()
	defer b.Close()
	one, two := message(id(1), ada, 1, 5, "a"), message(id(1), ada, 2, 6, "b")
	put(t, a, one, two)
	put(t, b, two)
	if a.Mark().Digest == b.Mark().Digest {
		t.Error("different messages have one digest")
	}
	put(t, b, one)
	mine, _ := a.Have(id(1))
	theirs, _ := b.Have(id(1))
	if a.Mark().Digest != b.Mark().Digest || !maps.Equal(mine, theirs) {
		t.Errorf("%v %v", mine, theirs)
	}
}
