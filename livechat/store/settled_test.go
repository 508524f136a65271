package store

import (
	"testing"

	"github.com/livens/livens/livechat/frame"
	"pgregory.net/rapid"
)

// TestSettledIsEqual: two stores take messages of their own and read each other's logs. Whenever one has added up what is old, and the other knows of nothing
// as old that the first had not read, they hold the same of it.
func TestSettledIsEqual(t *testing.T) {
	compared := 0
	rapid.Check(t, func(r *rapid.T) {
		a, b := open(t, fast(t)), open(t, fast(t))
		defer a.Close()
		defer b.Close()
		before := rapid.Int64Range(0, 7).Draw(r, "before")
		var sum Settled
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
				sum, taken = settled(t, a, before, b.Mark().Cursor.Seq)
			}
			if !taken {
				continue
			}
			mine, ok := settled(t, b, before, sum.Read)
			if !ok {
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
	t.Parallel()
	s := open(t, t.TempDir())
	defer s.Close()
	put(t, s, message(id(1), ada, 1, 5, "old"), message(id(1), ada, 2, 6, "old"), message(id(1), ada, 3, 20, "new"))
	first, ok := settled(t, s, 10, 2)
	if !ok || first.Count != 2 {
		t.Errorf("%+v %v", first, ok)
	}
	if _, ok := settled(t, s, 10, 1); ok {
		t.Error("who has read one of two has them all")
	}
	put(t, s, message(id(1), ada, 4, 21, "newer"))
	if again, _ := settled(t, s, 10, 2); again != first {
		t.Errorf("before %+v, after %+v", first, again)
	}
	put(t, s, message(id(1), ada, 5, 7, "late"))
	if late, ok := settled(t, s, 10, 5); !ok || late.Digest == first.Digest || late.Count != 3 {
		t.Errorf("another set: %+v, before %+v", late, first)
	}
}

func settled(t testing.TB, s *Store, before, position int64) (Settled, bool) {
	t.Helper()
	sum, ok, err := s.Settled(before, position)
	if err != nil {
		t.Fatal(err)
	}
	return sum, ok
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
