package store

import (
	"context"
	"testing"

	"github.com/livens/livens/livechat/frame"
	"pgregory.net/rapid"
)

// TestSettledIsEqual: at whatever moment two stores are compared that take messages of their own and read each other's logs, what they
// hold of a time that is settled is the same; and a lost record of that time shows.
func TestSettledIsEqual(t *testing.T) {
	compared := 0
	rapid.Check(t, func(r *rapid.T) {
		a, b := open(t, fast(t)), open(t, fast(t))
		defer a.Close()
		defer b.Close()
		until := rapid.Int64Range(0, 6).Draw(r, "until")
		var sum Mark
		taken := false
		for range rapid.IntRange(1, 30).Draw(r, "steps") {
			switch rapid.SampledFrom([]string{"a", "b", "a reads", "b reads", "a sums"}).Draw(r, "step") {
			case "a":
				put(t, a, anyRecord(r))
			case "b":
				put(t, b, anyRecord(r))
			case "a reads":
				readOn(t, a, b, rapid.IntRange(1, 5).Draw(r, "limit"))
			case "b reads":
				readOn(t, b, a, rapid.IntRange(1, 5).Draw(r, "limit"))
			case "a sums":
				sum, _ = settled(t, a, until, 0)
				taken = true
			}
			if !taken || b.Mark().Cursor.Seq < sum.Seq {
				continue
			}
			mine, quiet := settled(t, b, until, sum.Cursor.Seq)
			if !quiet {
				continue
			}
			if mine.Count > 0 {
				compared++
			}
			if mine.Digest != sum.Digest || mine.Count != sum.Count {
				r.Fatalf("%+v there, %+v here", sum, mine)
			}
		}
	})
	if compared == 0 {
		t.Error("nothing was compared: nothing is proved")
	}
	t.Logf("%d comparisons", compared)
}

func TestSettledShowsWhatIsLost(t *testing.T) {
	s := open(t, t.TempDir())
	defer s.Close()
	put(t, s, message(id(1), ada, 1, 5, "old"), message(id(1), ada, 2, 6, "old"), message(id(1), ada, 3, 20, "new"))
	before, quiet := settled(t, s, 10, 2)
	if !quiet || before.Count != 2 || before.Seq != 3 || before.Log != s.Mark().Log {
		t.Errorf("%+v %v", before, quiet)
	}
	if _, quiet := settled(t, s, 10, 1); quiet {
		t.Error("what came late is of that time")
	}
	put(t, s, message(id(1), ada, 4, 21, "newer"))
	if after, _ := settled(t, s, 10, 2); after.Digest != before.Digest || after.Count != 2 {
		t.Errorf("before %+v, after %+v", before, after)
	}
	put(t, s, message(id(1), ada, 5, 7, "late"))
	if after, _ := settled(t, s, 10, 2); after.Digest == before.Digest {
		t.Error("another set has the same sum")
	}
}

func settled(t testing.TB, s *Store, until, after int64) (Mark, bool) {
	t.Helper()
	m, quiet, err := s.Settled(context.Background(), until, after)
	if err != nil {
		t.Fatal(err)
	}
	return m, quiet
}

// readOn has a store read another's log from where it stopped.
func readOn(t *testing.T, to, from *Store, limit int) {
	records, err := from.Since(to.Mark().Cursor.Seq, limit)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range records {
		done := make(chan error)
		to.Write(&Batch{Msgs: []frame.Msg{x.Msg}, Cursor: &Cursor{Log: from.Mark().Log, Seq: x.Seq}, Done: func(_ []Record, _ []bool, err error) { done <- err }})
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
}
