package failover

import (
	"testing"
	"time"

	"github.com/livens/livens/checker"
)

// guesser is a nameserver that starts without history, hears nobody, and answers all the same.
func guesser(t *testing.T, from *member) *member {
	t.Helper()
	m := newMember(t, "ns2", from.set.Pools[0])
	m.now = from.now.Add(time.Minute)
	m.Use(m.set, m.now)
	m.hear(News{Standing: Standing{Joined: true}})
	if d := m.answers("primary"); !d.Guess {
		t.Fatalf("no guess: %+v", d)
	}
	return m
}

// A guess gives way to what another has decided also where both answer alike: nobody is told of a guess, and its epoch
// would differ for good.
func TestAGuessGivesWayToTheSameChoice(t *testing.T) {
	a := start3s(t, "ns1", newWorld(t).pool)
	b := guesser(t, a)
	guessed := b.answers("primary").Epoch
	b.hear(News{Standing: Standing{Joined: true}, Held: a.Status().Held()})
	d := b.answers("primary")
	if d.Guess || d.Epoch != guessed {
		t.Errorf("guess %t, epoch %d, want the epoch %d that it has answered with", d.Guess, d.Epoch, guessed)
	}
	a.hear(News{Standing: joined, Held: b.Status().Held()})
	if got := a.answers("primary").Epoch; got != guessed {
		t.Errorf("the other one has epoch %d, want %d", got, guessed)
	}
}

// The epoch of a guess that was answered with does not go back after a restart, though a guess counts for nothing.
func TestAGuessThatWasAnsweredKeepsItsEpoch(t *testing.T) {
	a := start3s(t, "ns1", newWorld(t).pool)
	a.agree(map[string]checker.State{"primary": checker.Down})
	a.answers("redundant")
	b := guesser(t, a)
	again := newMember(t, "ns2", a.set.Pools[0], func(o *EngineOptions) { o.Memory = b.Memory() })
	again.now = b.now
	again.Use(again.set, again.now)
	again.hear(News{Standing: Standing{Joined: true}, Held: a.Status().Held()})
	if got, guessed := again.answers("redundant").Epoch, b.answers("primary").Epoch; got <= guessed {
		t.Errorf("epoch %d after %d", got, guessed)
	}
}
