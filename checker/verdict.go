// Package checker probes deployments and turns probe results into verdicts.
//
// The verdict logic (rise, fall, doubt) is pure and apart from the sockets: see machine. One probe kind is one file.
// The package knows of no other nameserver and of no pool.
package checker

import (
	"fmt"
	"time"
)

// State is what an observer holds of a target.
type State uint8

// The states. The zero value is Unknown: no result yet, no way to tell from here, or self-doubt.
const (
	Unknown State = iota
	Up
	Down
)

// String is the lower-case word used in TOML, logs, metrics and JSON.
func (s State) String() string { return [...]string{"unknown", "up", "down"}[s] }

// MarshalText writes the word, for JSON and the state folder.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the word.
func (s *State) UnmarshalText(text []byte) error {
	for _, known := range []State{Unknown, Up, Down} {
		if string(text) == known.String() {
			*s = known
			return nil
		}
	}
	return fmt.Errorf("unknown state %q: want up, down or unknown", text)
}

// Verdict is one observer's judgement of one target.
type Verdict struct {
	State   State
	Reason  string        // the last result in words: "HTTP 503, wanted 200–299", "connect: refused"
	Since   time.Time     // when State last changed; zero: never had a result
	At      time.Time     // when the last probe finished; zero: never
	Latency time.Duration // of the last successful probe
	Streak  int           // consecutive equal results: +n successes, -n failures, 0 none yet
	Doubt   bool          // an up target whose latest probes fail or are late
	Drain   bool          // a file check says drain: up, and to be left
}

// Outcome is what one probe found.
type Outcome uint8

// The outcomes. Unclear counts neither as success nor as failure: this host cannot tell, as without a route to IPv6.
const (
	Unclear Outcome = iota
	Success
	Failure
)

// Result is one finished probe.
type Result struct {
	Outcome Outcome
	Reason  string
	Latency time.Duration
	Silent  bool // a failure in which nothing at all was heard from the target's side: only such ones feed self-doubt
	Drain   bool
}
