package store

import (
	"maps"
	"slices"
	"testing"

	"github.com/livens/livens/livechat/frame"
	"pgregory.net/rapid"
)

// anyRecord draws from few identities, so that records meet: the same message with another time or text, and ends.
func anyRecord(r *rapid.T) frame.Msg {
	c := id(rapid.IntRange(1, 2).Draw(r, "conversation"))
	at := rapid.Int64Range(1, 6).Draw(r, "at")
	if rapid.IntRange(0, 5).Draw(r, "end") == 0 {
		return frame.Msg{C: c, Kind: frame.End, At: at}
	}
	s := rapid.SampledFrom([]string{ada, ann}).Draw(r, "sender")
	m := message(c, s, rapid.Int64Range(1, 5).Draw(r, "n"), at, rapid.SampledFrom([]string{"x", "y"}).Draw(r, "text"))
	m.Name = rapid.SampledFrom([]string{"", "z"}).Draw(r, "name")
	return m
}

// TestStoresConverge: two stores that took the same records, in whatever order, however often and in whatever batches, are equal; and
// what either reads of the other's log afterwards changes nothing more.
func TestStoresConverge(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		records := rapid.SliceOfN(rapid.Custom(anyRecord), 1, 25).Draw(r, "records")
		a, b := open(t, fast(t)), open(t, fast(t))
		defer a.Close()
		defer b.Close()
		for _, s := range []*Store{a, b} {
			again := rapid.SliceOfN(rapid.SampledFrom(records), 0, 10).Draw(r, "repeated")
			order := rapid.Permutation(append(slices.Clone(records), again...)).Draw(r, "order")
			for len(order) > 0 {
				n := rapid.IntRange(1, len(order)).Draw(r, "batch")
				put(t, s, order[:n]...)
				order = order[n:]
			}
		}
		same(t, r, a, b)
		before := b.Mark()
		pull(t, b, a, 0)
		if b.Mark() != before {
			r.Fatalf("reading an equal store's log changed %+v into %+v", before, b.Mark())
		}
	})
}

// TestPartitionsHeal: both stores take messages of their own, read each other's logs in pieces, from where they stopped or from
// further back; when both have read all, they are equal.
func TestPartitionsHeal(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		stores := []*Store{open(t, fast(t)), open(t, fast(t))}
		defer stores[0].Close()
		defer stores[1].Close()
		read := []int64{0, 0} // how far each has read the other
		for range rapid.IntRange(1, 25).Draw(r, "steps") {
			i := rapid.IntRange(0, 1).Draw(r, "at")
			if rapid.Bool().Draw(r, "pull") {
				records, err := stores[1-i].Since(max(0, read[i]-rapid.Int64Range(0, 3).Draw(r, "back")), rapid.IntRange(1, 5).Draw(r, "limit"))
				if err != nil {
					r.Fatal(err)
				}
				for _, x := range records {
					put(t, stores[i], x.Msg)
					read[i] = max(read[i], x.Seq)
				}
				continue
			}
			m := anyRecord(r)
			if rapid.Bool().Draw(r, "new") {
				m.At = 0 // its time is given here
			}
			put(t, stores[i], m)
		}
		for stores[0].Mark().Digest != stores[1].Mark().Digest || read[0] < stores[1].Mark().Seq || read[1] < stores[0].Mark().Seq {
			before := [2]Mark{stores[0].Mark(), stores[1].Mark()}
			read[0], read[1] = pull(t, stores[0], stores[1], read[0]), pull(t, stores[1], stores[0], read[1])
			if before == [2]Mark{stores[0].Mark(), stores[1].Mark()} && before[0].Digest != before[1].Digest {
				r.Fatalf("all was read, and they differ: %+v", before)
			}
		}
		same(t, r, stores[0], stores[1])
	})
}

// pull has a store read another's log behind a position, and returns how far it is then.
func pull(t *testing.T, to, from *Store, seq int64) int64 {
	for {
		records, err := from.Since(seq, 7)
		if err != nil {
			t.Fatal(err)
		}
		if len(records) == 0 {
			return seq
		}
		for _, x := range records {
			put(t, to, x.Msg)
			seq = x.Seq
		}
	}
}

// same compares all that two stores show.
func same(t *testing.T, r *rapid.T, a, b *Store) {
	if x, y := a.Mark(), b.Mark(); x.Digest != y.Digest || x.Count != y.Count {
		r.Fatalf("%+v %+v", x, y)
	}
	for c := 1; c <= 2; c++ {
		if x, y := transcript(t, a, id(c)), transcript(t, b, id(c)); x != y {
			r.Fatalf("%s\n%s", x, y)
		}
		x, _ := a.Have(id(c))
		y, _ := b.Have(id(c))
		if !maps.Equal(x, y) {
			r.Fatalf("%v %v", x, y)
		}
	}
	x, _ := a.Open()
	y, _ := b.Open()
	slices.Sort(x)
	slices.Sort(y)
	if !slices.Equal(x, y) {
		r.Fatalf("open are %v and %v", x, y)
	}
}
