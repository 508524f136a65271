package cluster

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/livens/livens/checker"
)

// parse reads ballots: "up down" are outsiders' votes, "(up)" is an insider's, "up?" doubts, "up!" saw a failure last,
// "drain" is an up that says drain, "-" is one that does not vote.
func parse(text string) (ballots []ballot, size int) {
	for i, word := range strings.Fields(text) {
		size++
		if word == "-" {
			continue
		}
		b := ballot{observer: fmt.Sprintf("ns%d", i+1), own: i == 0, insider: strings.HasPrefix(word, "(")}
		switch word = strings.Trim(word, "()"); strings.TrimRight(word, "?!") {
		case "up":
			b.State = checker.Up
		case "drain":
			b.State, b.Drain = checker.Up, true
		case "down":
			b.State, b.Bad, b.Reason = checker.Down, true, "connect: refused"
		}
		b.Doubt, b.Bad = strings.HasSuffix(word, "?"), b.Bad || strings.HasSuffix(word, "!")
		ballots = append(ballots, b)
	}
	return ballots, size
}

func TestCount(t *testing.T) {
	for _, tc := range []struct{ votes, want string }{
		{"up up up", "up"},
		{"up up down", "up: ns3 says down"},
		{"down down up", "down: connect: refused, say ns1, ns2 of 3 observers"},
		{"down down down", "down: connect: refused"},
		{"down down -", "down: connect: refused, say ns1, ns2 of 3 observers"},
		{"up down -", "tied: the votes are tied: ns1 up, ns2 down"},
		{"down - -", "down without a quorum: connect: refused, say ns1 of 3 observers"},
		{"- - -", "unknown without a quorum"},
		{"up down", "tied: the votes are tied: ns1 up, ns2 down"},
		{"down -", "down without a quorum: connect: refused, say ns1 of 2 observers"},
		{"down - alone", "down: connect: refused, say ns1 of 2 observers"},
		{"up up down down", "tied: the votes are tied: ns1, ns2 up, ns3, ns4 down"},
		{"up down - -", "tied without a quorum: the votes are tied: ns1 up, ns2 down"},
		{"up up down down down", "down: connect: refused, say ns3, ns4, ns5 of 5 observers"},
		{"up up down - -", "up: ns3 says down"},
		// Where the target's own site has observers.
		{"(up) down down", "down: connect: refused, say ns2, ns3 of 3 observers"},
		{"(up) down", "down: connect: refused, say ns2 of 2 observers"},
		{"(up) up down", "up: ns3 says down"}, // the outside is tied: the insider decides
		{"(up) (up) down", "down: connect: refused, say ns3 of 3 observers"},
		{"(up) (down) -", "tied: the votes are tied: ns1 up, ns2 down"},
		{"(up) - -", "up without a quorum"},
		{"(up) down -", "tied: the votes are tied: ns1 up, ns2 down"}, // most of the outside is silent
		{"(down) up up", "up: ns1 says down"},
		{"up down (up) (down) (down)", "down: connect: refused, say ns2, ns4, ns5 of 5 observers"}, // most of all, wherever they are
		// What goes beyond up and down.
		{"up? up? up", "up doubt"},
		{"up? up up", "up"},
		{"up! up! up", "up bad doubt"},
		{"drain drain up", "up drain"},
		{"drain up up", "up"},
	} {
		votes, lone := strings.CutSuffix(tc.votes, " alone")
		ballots, size := parse(votes)
		outsiders := size - strings.Count(votes, "(")
		r := count(ballots, electorate{size: size, outsiders: outsiders, lone: lone})
		if got := r.words(); got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.votes, got, tc.want)
		}
	}
}

// words is a result for the table above.
func (r result) words() string {
	s := r.state.String()
	if r.tied {
		s = "tied"
	}
	for _, x := range []struct {
		is   bool
		word string
	}{{!r.quorum, " without a quorum"}, {r.bad && r.state == checker.Up, " bad"}, {r.doubt, " doubt"}, {r.drain, " drain"}} {
		if x.is && !(x.word == " doubt" && strings.Contains(r.reason, "says down")) {
			s += x.word
		}
	}
	if r.reason != "" {
		s += ": " + r.reason
	}
	return s
}

// The order in which votes come in changes nothing, and nobody is overruled by fewer than half of those who count.
func TestCountIsFair(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.SampledFrom([]string{"up", "down", "-", "(up)", "(down)", "up?", "up!", "drain"}), 1, 7).Draw(t, "votes")
		ballots, size := parse(strings.Join(words, " "))
		whole := electorate{size: size, outsiders: size - strings.Count(strings.Join(words, " "), "(")}
		want := count(ballots, whole)
		rand.Shuffle(len(ballots), func(i, j int) { ballots[i], ballots[j] = ballots[j], ballots[i] })
		if got := count(ballots, whole); got != want {
			t.Fatalf("shuffled: %+v, before: %+v", got, want)
		}
		said := map[checker.State]int{}
		for _, b := range ballots {
			said[b.State]++
		}
		if want.quorum != (2*len(ballots) > size) {
			t.Fatalf("%d of %d votes: quorum is %t", len(ballots), size, want.quorum)
		}
		if want.state != checker.Unknown && said[want.state] == 0 {
			t.Fatalf("%v, which nobody says", want.state)
		}
		if len(said) == 1 && len(ballots) > 0 && said[want.state] == 0 {
			t.Fatalf("all agree, and the count says %v", want.state)
		}
		if 2*said[checker.Down] > size && want.state != checker.Down {
			t.Fatalf("most say down, and the count says %v", want.state)
		}
	})
}
