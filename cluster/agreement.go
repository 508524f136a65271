package cluster

import (
	"fmt"
	"time"

	"github.com/livens/livens/checker"
	"github.com/livens/livens/failover"
)

// agreement is what was agreed of one target, and what time adds to it.
type agreement struct {
	failover.Agreed
	facts   facts
	remark  string    // Reason without what this observer's own probe found well
	quorum  bool      // those who vote are one
	turned  time.Time // since when they are, or are not
	pending bool      // time alone will change something
	rising  time.Time // since when the votes call up what is agreed to be down; zero: they do not
}

// facts are what of an agreed verdict a decision could read.
type facts struct {
	state                    checker.State
	known, bad, doubt, drain bool
	lacking                  bool
	tied                     time.Time
	reason                   string
}

// agree counts the votes anew on the targets whose votes changed, on those that wait for time to pass, and on all when
// others are reached than before.
func (c *Core) agree(now time.Time) {
	reached, lone := c.reached(), c.survivor(now)
	if standing := standing(reached, lone); standing != c.stood {
		c.stood, c.unread = standing, true
		for key := range c.targets {
			c.recount[key] = true
		}
	}
	for key := range c.recount {
		t, ours := c.targets[key]
		if !ours {
			delete(c.recount, key)
			continue
		}
		a := c.agreed[key]
		if a == nil {
			a = &agreement{}
			c.agreed[key] = a
		}
		a.count(c.ballots(key, t, reached), len(c.options.Peers)+1, lone, c.options, c.own[key], now)
		if f := a.read(); f != a.facts {
			a.facts, c.unread = f, true
			c.news[key] = a.Agreed
		}
		if !a.pending {
			delete(c.recount, key)
		}
	}
}

// standing names who is reached.
func standing(reached []*neighbour, lone bool) string {
	key := ""
	for _, n := range reached {
		key += n.name + " "
	}
	if lone {
		key += "alone"
	}
	return key
}

// ballots are the votes on one target: this observer's own and those of the reached ones.
func (c *Core) ballots(key string, t Target, reached []*neighbour) []ballot {
	out := make([]ballot, 0, len(reached)+1)
	add := func(r *Report, own bool) {
		if v, ok := r.Votes[key]; ok && v.State != checker.Unknown {
			out = append(out, ballot{r.Name, own, t.Site != "" && r.Site == t.Site, v})
		}
	}
	add(c.report, true)
	for _, n := range reached {
		add(n.report, false)
	}
	return out
}

// count brings the agreement up to date. Without a quorum nothing is known for as long as minority_hold; the decision
// then keeps what was agreed before. After it the votes there are must do.
func (a *agreement) count(ballots []ballot, size int, lone bool, o CoreOptions, own checker.Verdict, now time.Time) {
	r := count(ballots, size, lone)
	if r.quorum != a.quorum || a.turned.IsZero() {
		a.quorum, a.turned = r.quorum, now
	}
	waiting := !r.quorum && now.Sub(a.turned) < o.MinorityHold
	a.Lacking = !r.quorum || now.Sub(a.turned) < quorumSettle
	if !r.tied || waiting {
		a.Tied = time.Time{}
	} else if a.Tied.IsZero() {
		a.Tied = now
	}
	state := r.state
	if waiting {
		state = checker.Unknown
	}
	state = a.slowly(state, now)
	if state != a.State || a.Since.IsZero() {
		a.Since = now
	}
	a.State, a.Doubt, a.Drain = state, r.doubt && !waiting, r.drain && !waiting
	a.pending = waiting || r.quorum && a.Lacking || !a.rising.IsZero()
	a.Latency, a.Reason, a.Streak = own.Latency, r.reason, 1
	switch {
	case len(ballots) == 0:
		a.Streak, a.Reason = 0, own.Reason
	case waiting:
		a.Reason = short(ballots, size, r.reason)
	case state != r.state:
		a.Reason = "up again, not for long enough yet"
	}
	if r.bad {
		a.Streak = -1
	}
	if a.At.IsZero() && len(ballots) > 0 || own.At.After(a.At) {
		a.At = now
	}
	a.remark = a.Reason
	switch {
	case a.State != checker.Up || a.Reason != "":
	case own.State == checker.Up:
		a.Reason = own.Reason
	default:
		a.Reason, a.remark = othersWord, othersWord
	}
}

// othersWord is the reason for what is up though this observer does not say so.
const othersWord = "up by the others' word"

// quorumSettle is how long enough observers must have voted before what follows is firm: what this nameserver held before may
// have been overtaken elsewhere, and the news of that is on its way with the votes.
const quorumSettle = 300 * time.Millisecond

// upHold is how long the votes must call up what was agreed to be down. Down fast, up slow: when an observer leaves for a
// moment, what the others see must not send visitors there and back.
const upHold = 2 * time.Second

// slowly is the state that counts now: what was down stays so for upHold. One success still makes it answer where nothing
// else is live, for the streak tells.
func (a *agreement) slowly(state checker.State, now time.Time) checker.State {
	if a.State != checker.Down || state != checker.Up {
		a.rising = time.Time{}
		return state
	}
	if a.rising.IsZero() {
		a.rising = now
	}
	if now.Sub(a.rising) < upHold {
		return checker.Down
	}
	a.rising = time.Time{}
	return state
}

// short says that too few observers vote.
func short(ballots []ballot, size int, reason string) string {
	text := fmt.Sprintf("%d of %d observers vote, too few to agree", len(ballots), size)
	if reason != "" {
		text += " (" + reason + ")"
	}
	return text
}

// read is what a decision could read of the agreement.
func (a *agreement) read() facts {
	return facts{
		state: a.State, known: !a.At.IsZero(), bad: a.Streak < 0, doubt: a.Doubt, drain: a.Drain, lacking: a.Lacking, tied: a.Tied,
		reason: a.remark,
	}
}
