package checker

import (
	"context"
	"log/slog"
	"time"
)

const (
	maxWitnesses = 8                      // targets probed early when another one falls silent
	witnessPause = 100 * time.Millisecond // at least between two calls for witnesses
	// lastWords is how long after a target's first unanswered probe another nameserver may be heard though this one is cut
	// off: the probe may have been under way when that happened.
	lastWords = 250 * time.Millisecond
)

// beginDoubt asks whether this observer rather than the target that is about to be turned down is cut off, and if so
// holds all verdicts that depend on the network.
func (c *Checker) beginDoubt(now time.Time, self *entry) bool {
	silence := self.evidence(now, self.Target)
	if !remote(self.Check.Kind) || c.opts.Heard().After(silence.silent.Add(lastWords)) || !alone(silence, func(yield func(evidence) bool) {
		for _, e := range c.entries {
			if e != self && remote(e.Check.Kind) && !yield(e.evidence(now, e.Target)) {
				return
			}
		}
	}) {
		return false
	}
	c.doubt = "self-doubt: nothing is heard from any target, so this nameserver itself may be cut off"
	c.doubtAt = now
	c.say(slog.LevelWarn, "this observer doubts itself", "reason", c.doubt)
	for _, e := range c.entries {
		if remote(e.Check.Kind) {
			e.hold(now, c.doubt)
			c.reconsider(e)
		}
	}
	return true
}

// endDoubt lets the verdicts count again: something was heard. Whatever is still silent is asked at once: if it is dead,
// its users have waited long enough.
func (c *Checker) endDoubt(now time.Time) {
	lasted := now.Sub(c.doubtAt).Round(time.Millisecond)
	c.doubt, c.doubtAt = "", time.Time{}
	c.say(slog.LevelInfo, "this observer trusts itself again", "after", lasted)
	for _, e := range c.entries {
		if remote(e.Check.Kind) {
			e.release(now)
			e.hurry()
			c.reconsider(e)
		}
	}
}

func (c *Checker) reconsider(e *entry) {
	e.lane.fix(e)
	c.note(e)
}

// callWitnesses brings the next probe of some other targets forward when one has fallen silent, so that it is known
// whether they are too before a verdict turns.
func (c *Checker) callWitnesses(now time.Time, self *entry) {
	silent := self.evidence(now, self.Target).silent
	if silent.IsZero() || now.Sub(c.witness) < witnessPause || !remote(self.Check.Kind) {
		return
	}
	c.witness = now
	called := 0
	for _, e := range c.entries { // in random order
		if called == maxWitnesses {
			break
		}
		if e.Address == self.Address || !remote(e.Check.Kind) || e.unclear || !e.quiet.IsZero() || e.lastStart.After(silent) {
			continue
		}
		e.hurry()
		e.lane.fix(e)
		called++
	}
	if called > 0 {
		c.nudge()
	}
}

// line is one line of the log.
type line struct {
	level slog.Level
	text  string
	args  []any
}

// say queues a line for the log, which may block and so is written without the lock.
func (c *Checker) say(level slog.Level, text string, args ...any) {
	c.lines = append(c.lines, line{level, text, args})
}

// unlock frees the lock and writes what is to be logged.
func (c *Checker) unlock() {
	lines := c.lines
	c.lines = nil
	c.mu.Unlock()
	for _, l := range lines {
		c.opts.Log.Log(context.Background(), l.level, l.text, l.args...)
	}
}

// transition logs and counts a turned verdict, once. Self-doubt, which shows all targets as unknown, is logged by
// itself.
func (c *Checker) transition(e *entry, v Verdict) {
	state := e.judged
	if e.unclear {
		state = Unknown
	}
	if state == e.logged || e.held != "" {
		return
	}
	if e.logged != Unknown && state != Unknown {
		e.turns++
	}
	e.logged = state
	level := slog.LevelInfo
	if state == Down {
		level = slog.LevelWarn
	}
	c.say(level, "target "+state.String(), "target", e.Target.String(), "key", e.Key, "reason", v.Reason)
}
