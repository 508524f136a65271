package cluster

import (
	"fmt"
	"strings"
	"time"

	"github.com/livens/livens/checker"
	"github.com/livens/livens/failover"
)

// agreement is what was agreed of one target, and what time adds to it.
type agreement struct {
	failover.Agreed
	facts     facts
	remark    string    // Reason without what this observer's own probe found well
	quorum    bool      // those who vote are one
	turned    time.Time // since when they are, or are not
	pending   bool      // time alone will change something
	rising    time.Time // since when the votes call up what was agreed to be down, or contested; zero: they do not
	contested bool      // it was down, or the votes were tied, since it was last agreed to be up
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
	if standing := standing(reached, lone || c.quorum(now)); standing != c.stood {
		c.stood, c.unread = standing, true
		for key := range c.targets {
			c.recount[key] = true
		}
	}
	if abs(c.time.shift-c.ahead) > skewStep {
		c.ahead, c.unread = c.time.shift, true
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
		a.count(c.ballots(key, t, reached), c.electorate(t, lone, now), c.options, c.own[key], now)
		if f := a.read(); f != a.facts {
			a.facts, c.unread = f, true
			c.news[key] = a.Agreed
		}
		if !a.pending {
			delete(c.recount, key)
		}
	}
}

// skewStep is how far the cluster's time may move before the controller is told.
const skewStep = 20 * time.Millisecond

// standing names who is reached, and whether that is a quorum.
func standing(reached []*neighbour, quorum bool) string {
	key := ""
	for _, n := range reached {
		key += n.name + " "
	}
	if quorum {
		key += "and a quorum"
	}
	return key
}

// electorate is who may vote on a target. Observers that were never heard are taken for outsiders.
func (c *Core) electorate(t Target, lone bool, now time.Time) electorate {
	e := electorate{size: c.size(), lone: lone, met: c.quorum(now)}
	e.outsiders = e.size
	if t.Site == "" {
		return e
	}
	e.outsiders -= bit(c.report.Site == t.Site)
	for _, n := range c.nodes {
		e.outsiders -= bit(n.report != nil && n.report.Site == t.Site)
	}
	return e
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
func (a *agreement) count(ballots []ballot, e electorate, o CoreOptions, own checker.Verdict, now time.Time) {
	r := count(ballots, e)
	// Where most are reached and yet do not vote, as on an address that only one can probe, each turn to down waits anew.
	turns := !r.quorum && e.met && r.state == checker.Down && a.State == checker.Up
	if r.quorum != a.quorum || a.turned.IsZero() || turns {
		a.quorum, a.turned = r.quorum, now
	}
	waiting := !r.quorum && now.Sub(a.turned) < o.MinorityHold
	a.Lacking = !r.quorum || now.Sub(a.turned) < quorumSettle
	if !r.tied || waiting {
		a.Tied = time.Time{}
	} else if a.Tied.IsZero() {
		a.Tied = now
	}
	a.contested = r.tied || r.state == checker.Down || a.contested && a.State != checker.Up
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
	a.Latency, a.Streak = own.Latency, 1
	switch {
	case len(ballots) == 0:
		a.Streak = 0
	case r.bad:
		a.Streak = -1
	}
	if a.At.IsZero() && len(ballots) > 0 || own.At.After(a.At) {
		a.At = now
	}
	a.explain(ballots, e.size, r, waiting, own)
}

// explain gives the reason in words, and the part of it that is worth telling when it changes.
func (a *agreement) explain(ballots []ballot, size int, r result, waiting bool, own checker.Verdict) {
	a.Reason = r.reason
	switch {
	case len(ballots) == 0:
		a.Reason = own.Reason
	case waiting:
		a.Reason = short(ballots, size, r.reason)
	case a.State != r.state:
		a.Reason = "up again, not for long enough yet"
	}
	a.remark = a.Reason
	if a.State != checker.Up {
		return
	}
	said := own.Reason
	if own.State != checker.Up {
		said = othersWord
		a.remark = strings.TrimSuffix(othersWord+"; "+a.remark, "; ")
	}
	a.Reason = strings.TrimSuffix(said+"; "+a.Reason, "; ")
}

// othersWord is the reason for what is up though this observer does not say so.
const othersWord = "up by the others' word"

// quorumSettle is how long enough observers must have voted before what follows is firm: what this nameserver held before may
// have been overtaken elsewhere, and the news of that is on its way with the votes.
const quorumSettle = 300 * time.Millisecond

// upHold is how long the votes must call up what was agreed to be down. Down fast, up slow: when an observer leaves for a
// moment, what the others see must not send visitors there and back.
const upHold = 2 * time.Second

// slowly is the state that counts now: what was down, or contested, stays so for upHold. One success still makes it answer where nothing
// else is live, for the streak tells.
func (a *agreement) slowly(state checker.State, now time.Time) checker.State {
	if !a.contested || a.State == checker.Up || state != checker.Up {
		a.rising = time.Time{}
		return state
	}
	if a.rising.IsZero() {
		a.rising = now
	}
	if now.Sub(a.rising) < upHold {
		return a.State
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
