package checker

import (
	"net/netip"
	"time"
)

// Self-doubt: an observer that is itself cut off sees every target fall silent at once. It must not vote them down.
//
// Silence is a failure in which nothing at all came back: no answer, no refusal, no reset; an ICMP unreachable counts
// as silence too, since it may come from this observer's own router. Whatever comes from a target's side shows that
// the way there works, so a refused connection or HTTP 503 is no ground for doubt.
//
// The question is asked at the only moment at which it matters: when silence is about to turn a target down. The
// observer doubts itself if
//
//   - targets of two or more deployments, this one's among them, fell silent within one detection window (a
//     deployment's addresses, IPv4 and IPv6, fall silent together when its data center is lost), and
//   - nothing has been heard from any target since this one fell silent, nor from another nameserver.
//
// A target that has been silent for longer neither supports doubt nor speaks against it: the last healthy deployment
// falling silent is no self-doubt when the others are long dead. So that there is evidence by then, a target that
// falls silent has some of the others probed at once (witnesses).

// evidence is what one target has to say about this observer's own connection.
type evidence struct {
	place
	heard  time.Time     // the last sign of life
	silent time.Time     // start of the first unanswered probe since; zero: not silent, or nothing known
	window time.Duration // within which a target that dies is found out
}

// alone says that silence of the target self tells more about this observer than about the target.
func alone(self evidence, others func(yield func(evidence) bool)) bool {
	if self.silent.IsZero() {
		return false
	}
	company := false
	for e := range others {
		if e.heard.After(self.silent) {
			return false
		}
		apart := e.silent.Sub(self.silent).Abs()
		if !e.silent.IsZero() && e.apart(self.place) && apart <= max(e.window, self.window) {
			company = true
		}
	}
	return company
}

// place is where a target is. Targets in one place fall silent together.
type place struct {
	address    netip.Addr
	deployment string // "": every address is a place of its own
}

func (t Target) place() place { return place{t.Address, t.Deployment} }

func (p place) apart(from place) bool {
	return p.address != from.address && (p.deployment == "" || p.deployment != from.deployment)
}

// evidence is what the machine's target says about this observer's connection. A target that this host cannot probe
// says nothing.
func (m *machine) evidence(now time.Time, t Target) evidence {
	e := evidence{place: t.place(), heard: m.heard, silent: m.quiet, window: m.window()}
	if late := m.late(now); e.silent.IsZero() && late.After(m.heard) {
		e.silent = late
	}
	if m.unclear {
		e.silent = time.Time{}
	}
	return e
}

// window is the longest that the pace takes to find out about a target that falls silent, jitter and all.
func (m *machine) window() time.Duration {
	return m.interval + max(m.fast, m.timeout/2) + time.Duration(m.fall)*m.fast + m.timeout
}
