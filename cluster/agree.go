package cluster

import (
	"fmt"
	"slices"
	"strings"

	"github.com/livens/livens/checker"
)

// ballot is one observer's vote on a target, as it is counted.
type ballot struct {
	observer string
	own      bool // this nameserver's
	insider  bool // the observer is in the target's own site
	Vote
}

// result is what a count of ballots says. It is a pure function of the ballots, whatever their order.
type result struct {
	state  checker.State // Unknown: nothing was cast, or a tie
	quorum bool          // those who cast are a majority of the observers
	tied   bool          // as many say up as down
	bad    bool          // at least half of those who cast saw a failure last
	doubt  bool          // the state is up, and at least half doubt it
	drain  bool          // most of those who say up say drain too
	reason string
}

// electorate is who may vote on a target.
type electorate struct {
	size      int  // how many observers there are
	outsiders int  // of them, those who are not in the target's own site
	lone      bool // of two observers this is the survivor, who then is a quorum alone
	met       bool // enough are reached to agree, if only they voted
}

// count counts ballots on one target.
//
// An insider's up counts only where the outside does not say: when no outsider votes, or when the outsiders are tied.
// A site whose inbound firewall fails looks well to those inside. Against an insider's up, a down counts only if more than
// half of all the outsiders say so, or more than half of all observers; else it is a tie.
func count(ballots []ballot, e electorate) result {
	cast := len(ballots)
	r := result{quorum: cast > e.size/2 || e.lone && cast > 0}
	up, down := e.tally(ballots)
	switch {
	case up > down:
		r.state = checker.Up
	case down > up:
		r.state = checker.Down
	}
	r.tied = cast > 0 && up == down
	r.weigh(ballots)
	r.explain(ballots, e.size)
	return r
}

// tally is how many count for up and for down.
func (e electorate) tally(ballots []ballot) (up, down int) {
	var votes [2]map[checker.State]int // of outsiders, of insiders
	votes[0], votes[1] = map[checker.State]int{}, map[checker.State]int{}
	for _, b := range ballots {
		votes[bit(b.insider)][b.State]++
	}
	outside, inside := votes[0], votes[1]
	if len(outside) == 0 {
		return inside[checker.Up], inside[checker.Down]
	}
	up, down = outside[checker.Up], outside[checker.Down]+inside[checker.Down]
	switch {
	case up == down:
		up += inside[checker.Up]
	case down > up && inside[checker.Up] > 0 && 2*outside[checker.Down] <= e.outsiders && 2*down <= e.size:
		up = down // most of the outside does not say so, nor do most of all
	}
	return up, down
}

// weigh takes from the ballots what goes beyond up and down.
func (r *result) weigh(ballots []ballot) {
	bad, doubt, drain, up := 0, 0, 0, 0
	for _, b := range ballots {
		bad += bit(b.Bad || b.State == checker.Down)
		doubt += bit(b.Doubt || b.Bad || b.State == checker.Down)
		drain += bit(b.Drain && b.State == checker.Up)
		up += bit(b.State == checker.Up)
	}
	r.bad = bad > 0 && 2*bad >= len(ballots)
	r.doubt = r.state == checker.Up && doubt > 0 && 2*doubt >= len(ballots)
	r.drain = r.state == checker.Up && 2*drain > up
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// explain says why in words: this observer's own reason where it agrees, else that of the first by name; and who says
// so where not all do.
func (r *result) explain(ballots []ballot, size int) {
	sorted := slices.SortedFunc(slices.Values(ballots), func(a, b ballot) int {
		if a.own != b.own {
			return bit(b.own) - bit(a.own)
		}
		return strings.Compare(a.observer, b.observer)
	})
	said := map[checker.State][]string{}
	for _, b := range sorted {
		said[b.State] = append(said[b.State], b.observer)
		if b.State == r.state && r.reason == "" {
			r.reason = b.Reason
		}
	}
	up, down := said[checker.Up], said[checker.Down]
	slices.Sort(up)
	slices.Sort(down)
	switch {
	case r.tied:
		r.reason = fmt.Sprintf("the votes are tied: %s up, %s down", strings.Join(up, ", "), strings.Join(down, ", "))
	case r.state == checker.Down && len(down) < size:
		r.reason = fmt.Sprintf("%s, say %s of %d observers", r.reason, strings.Join(down, ", "), size)
	case r.state == checker.Up && len(down) > 0:
		r.reason = strings.TrimPrefix(fmt.Sprintf("%s, %s says down", r.reason, strings.Join(down, ", ")), ", ")
	}
}
