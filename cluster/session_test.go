package cluster

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// talker is one end of a conversation in the tests.
type talker struct {
	session
	name      string
	boot, seq uint64
	skew      time.Duration // of its clock
}

func (x *talker) say(now time.Time) *Message {
	x.seq++
	local := now.Add(x.skew)
	m := &Message{Format: format, From: x.name, Boot: x.boot, Seq: x.seq, Echo: x.echoes(local), Clock: local.UnixMicro()}
	x.noteSent(x.seq, local)
	return m
}

func (x *talker) hear(m *Message, now time.Time) freshness {
	return x.accept(m, x.boot, now.Add(x.skew))
}

func TestSessionBelievesWhoeverHearsIt(t *testing.T) {
	now := time.Unix(1000, 0)
	a, b := &talker{name: "a", boot: 1}, &talker{name: "b", boot: 2, skew: time.Hour}
	steps := []struct {
		from, to *talker
		want     freshness
	}{
		{a, b, unproven}, // b has said nothing that a could repeat
		{b, a, fresh},    // it repeats a's first message
		{a, b, fresh},
		{b, a, fresh},
	}
	for i, s := range steps {
		m := s.from.say(now)
		now = now.Add(10 * time.Millisecond)
		if got := s.to.hear(m, now); got != s.want {
			t.Fatalf("step %d: %v", i, got)
		}
	}
	best, ok := a.best()
	if !ok || best.rtt != 20*time.Millisecond || best.skew != time.Hour {
		t.Errorf("measured %+v", best)
	}
}

func TestSessionRefusesRecordings(t *testing.T) {
	now := time.Unix(1000, 0)
	a, b := &talker{name: "a", boot: 1}, &talker{name: "b", boot: 2}
	b.hear(a.say(now), now)
	var recorded []*Message
	for range 100 {
		m := b.say(now)
		recorded = append(recorded, m)
		if a.hear(m, now) != fresh || b.hear(a.say(now), now) != fresh {
			t.Fatal("the conversation does not come about")
		}
		now = now.Add(heartbeat)
	}
	for _, m := range recorded {
		if got := a.hear(m, now); got != replayed {
			t.Fatalf("message %d again: %v", m.Seq, got)
		}
	}
	// a is restarted: what was recorded speaks to a process that is no more.
	restarted := &talker{name: "a", boot: 3}
	restarted.say(now)
	for _, m := range recorded {
		if got := restarted.hear(m, now); got == fresh {
			t.Fatalf("message %d believed by the next process", m.Seq)
		}
	}
	// b is restarted, and then what the one before said is over, whatever it repeats.
	late := b.say(now)
	next := &talker{name: "b", boot: 4}
	next.hear(a.say(now), now)
	if got := a.hear(next.say(now), now); got != fresh {
		t.Fatalf("the next process of b: %v", got)
	}
	if got := a.hear(late, now); got != replayed {
		t.Fatalf("the last words of b's process before: %v", got)
	}
	// An echo that is too old proves nothing.
	old := next.say(now)
	if got := a.hear(old, now.Add(echoLife+time.Second)); got != unproven {
		t.Fatalf("an old echo: %v", got)
	}
}

// A stranger who repeats an old process's words must not make the peer forget the present one.
func TestSessionIsNotDisturbedByStrays(t *testing.T) {
	now := time.Unix(1000, 0)
	a, b := &talker{name: "a", boot: 1}, &talker{name: "b", boot: 2}
	stray := &Message{Format: format, From: "b", Boot: 77, Seq: 5}
	b.hear(a.say(now), now)
	for range 20 {
		if a.hear(b.say(now), now) != fresh {
			t.Fatal("b is not believed")
		}
		if got := a.hear(stray, now); got != unproven {
			t.Fatalf("the stray: %v", got)
		}
		if b.hear(a.say(now), now) != fresh {
			t.Fatal("a is not believed")
		}
		now = now.Add(heartbeat)
	}
}

// The window says "new" exactly once for each number, unless it is too far back.
func TestWindowAgainstASet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var w window
		seen := map[uint64]bool{}
		top := uint64(0)
		near := rapid.SliceOfN(rapid.Uint64Range(1, 200), 1, 300).Draw(t, "near")
		far := rapid.SliceOfN(rapid.OneOf( // numbers that come to where near ones were in the ring
			rapid.Uint64Range(1, 200), rapid.Uint64Range(windowSize-50, windowSize+250), rapid.Uint64Range(9*windowSize, 9*windowSize+200),
		), 1, 300).Draw(t, "far")
		for _, n := range append(near, far...) {
			want := !seen[n] && n+windowSize > top
			if got := w.add(n); got != want {
				t.Fatalf("%d (top %d): %t", n, top, got)
			}
			seen[n], top = true, max(top, n)
		}
	})
}

// A number that comes to where an older one was in the ring is new.
func TestWindowRingTurns(t *testing.T) {
	var w window
	const round = windowBlocks * 64
	for _, n := range []uint64{65, 66, round, round + 70, round + 66, 2*round + 70, 2*round + 65} {
		if !w.add(n) || w.add(n) {
			t.Fatalf("%d does not count exactly once", n)
		}
	}
}
