package cluster

import (
	"cmp"
	"slices"
	"time"
)

// session is what is known of the conversation with one configured peer. It tells fresh messages from old ones, and
// measures the way and the clocks. It is pure: the time is passed in.
type session struct {
	name    string    // of the nameserver there; "" until it has spoken
	boot    uint64    // of its process whose messages are believed; 0: none yet
	window  window    // the numbers of its messages that were believed
	heard   time.Time // the last sign of life: when a message came, or when a whole report was sent at the earliest
	retired []uint64  // boots of its earlier processes
	latest  arrival   // of the boot above
	stray   arrival   // the latest message of another boot, that was not believed: it is echoed, so that the next one can be
	sent    []sending
	ways    []way // the latest measurements
}

// arrival is a message that came in.
type arrival struct {
	boot, seq uint64
	at        time.Time
}

// sending is a message that went out.
type sending struct {
	seq uint64
	at  time.Time
}

// way is one measurement of the way to the peer and of its clock.
type way struct {
	rtt  time.Duration
	skew time.Duration // the peer's clock minus ours
}

const (
	// echoLife is how old a message may be that a fresh one echoes: whoever has not heard us for longer is cut off from us, though
	// we hear it.
	echoLife = lapse + 2*heartbeat
	// reportLife is the same for a message with a whole report, which may take long to write, to send and to read. It brings the
	// report, and is a sign of life of the time at which its sender heard what it echoes.
	reportLife = 20 * time.Second
	// sentKept bounds the messages remembered for their echo: more than are sent while a report is on its way. Those of a
	// burst push each other out, and the next heartbeat is echoed anyway.
	sentKept = 1024
	// waysKept is how many measurements the best is taken from.
	waysKept = 8
	// maxSkew bounds what a clock may be off, so that clocks can be added up. One that begins in 1970 is well within.
	maxSkew = 100 * 365 * 24 * time.Hour
	// maxRetired bounds the boots remembered as over.
	maxRetired = 16
)

// freshness is what a session makes of a message.
type freshness uint8

const (
	fresh    freshness = iota
	unproven           // from a process that has not shown yet that it hears us: answer, and believe the next
	replayed           // a repetition, or of a process that is no more
)

// accept judges a message, and notes what it proves. me is this process's boot.
func (s *session) accept(m *Message, me uint64, now time.Time) freshness {
	if slices.Contains(s.retired, m.Boot) {
		return replayed
	}
	sent, held, echoes := s.echoed(m, me, now)
	if m.Boot == s.boot {
		if !s.window.add(m.Seq) {
			return replayed
		}
		if m.Seq >= s.latest.seq {
			s.latest = arrival{m.Boot, m.Seq, now}
		}
		if !echoes {
			return unproven // it was restarted with our old echo, or we were: one exchange later it is proven
		}
	} else {
		if m.Seq > s.stray.seq || m.Boot != s.stray.boot {
			s.stray = arrival{m.Boot, m.Seq, now}
		}
		if !echoes {
			return unproven
		}
		s.turn(m, now)
	}
	s.name = m.From
	if len(m.Full) > 0 {
		s.heard = latest(s.heard, sent.Add(held))
		return fresh
	}
	s.heard = now
	s.measure(now.Sub(sent)-held, m.Clock, now)
	return fresh
}

// turn begins to believe another process of the peer.
func (s *session) turn(m *Message, now time.Time) {
	if s.boot != 0 {
		s.retired = append(s.retired, s.boot)
		s.retired = s.retired[max(0, len(s.retired)-maxRetired):]
	}
	s.boot, s.window, s.ways = m.Boot, window{}, nil
	s.window.add(m.Seq)
	s.latest, s.stray = arrival{m.Boot, m.Seq, now}, arrival{}
}

// echoed is when the message that m echoes was sent, and how long the peer held it; ok is false when m echoes none of
// this process's latest messages.
func (s *session) echoed(m *Message, me uint64, now time.Time) (sent time.Time, held time.Duration, ok bool) {
	life := echoLife
	if len(m.Full) > 0 {
		life = reportLife
	}
	for _, e := range m.Echo {
		i, known := slices.BinarySearchFunc(s.sent, e.Seq, func(x sending, seq uint64) int { return cmp.Compare(x.seq, seq) })
		if e.Boot == me && known && now.Sub(s.sent[i].at) <= life {
			return s.sent[i].at, max(0, time.Duration(e.Held)*time.Microsecond), true
		}
	}
	return time.Time{}, 0, false
}

// echoes are what the next message to the peer repeats.
func (s *session) echoes(now time.Time) []Echo {
	var out []Echo
	for _, a := range []arrival{s.latest, s.stray} {
		if a.boot != 0 {
			out = append(out, Echo{a.boot, a.seq, micros(now.Sub(a.at))})
		}
	}
	return out
}

// noteSent remembers a message that goes out.
func (s *session) noteSent(seq uint64, now time.Time) {
	s.sent = append(s.sent, sending{seq, now})
	s.sent = s.sent[max(0, len(s.sent)-sentKept):]
}

// measure takes what an echo tells: RTT, and the peer's clock in the middle of it.
func (s *session) measure(rtt time.Duration, clock int64, now time.Time) {
	rtt = max(rtt, 0)
	skew := time.UnixMicro(clock).Sub(now.Round(0).Add(-rtt / 2))
	skew = bounded(skew)
	// Each is off by half of its way at most: where two cannot both be right, a clock was set between them.
	s.ways = slices.DeleteFunc(s.ways, func(w way) bool { return abs(w.skew-skew) > (w.rtt+rtt)/2+skewStep })
	s.ways = append(s.ways, way{rtt, skew})
	s.ways = s.ways[max(0, len(s.ways)-waysKept):]
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// bounded is a skew within maxSkew.
func bounded(skew time.Duration) time.Duration { return min(max(skew, -maxSkew), maxSkew) }

// best is the measurement with the shortest way: the one with the least error.
func (s *session) best() (way, bool) {
	if len(s.ways) == 0 {
		return way{}, false
	}
	return slices.MinFunc(s.ways, func(a, b way) int { return int(a.rtt - b.rtt) }), true
}

// window remembers which of the latest numbers were seen, so that messages may overtake each other and none counts twice
// (as RFC 6479 does). A process numbers all its messages alike, so that a report that goes by TCP to one peer may be
// overtaken by thousands.
type window struct {
	top  uint64
	seen [windowBlocks]uint64 // a ring of bits: number n has bit n%64 of block n/64
}

const (
	windowBlocks = 128
	windowSize   = (windowBlocks - 1) * 64 // numbers: the block of the top is only partly filled
)

// add notes a number, and says whether it is new.
func (w *window) add(n uint64) bool {
	block, bit := n/64, uint64(1)<<(n%64)
	switch top := w.top / 64; {
	case n > w.top:
		for passed := top + 1; passed <= min(block, top+windowBlocks); passed++ {
			w.seen[passed%windowBlocks] = 0
		}
		w.top = n
	case w.top-n >= windowSize || w.seen[block%windowBlocks]&bit != 0:
		return false
	}
	w.seen[block%windowBlocks] |= bit
	return true
}
