package chat

import (
	"time"

	"github.com/livens/livens/livechat/frame"
)

// bucket is a token bucket. Pure: the time is handed in.
type bucket struct {
	tokens, most, rate float64
	at                 time.Time
}

// full is a bucket that holds at most that many tokens, and gets so many a second.
func full(most, rate float64) bucket { return bucket{tokens: most, most: most, rate: rate} }

func (b *bucket) refill(now time.Time) {
	if !b.at.IsZero() {
		// What it was given above the most is kept, not added to.
		b.tokens = max(b.tokens, min(b.most, b.tokens+b.rate*now.Sub(b.at).Seconds()))
	}
	b.at = now
}

// take says whether there are that many tokens, and takes them.
func (b *bucket) take(now time.Time, cost float64) bool {
	b.refill(now)
	if b.tokens < cost {
		return false
	}
	b.tokens -= cost
	return true
}

// outbox is how many messages a client keeps that are not safe: after an outage it sends them all at once.
const outbox = 100

// repeated is what a message costs that is held already: one that returns often sends its outbox again each time.
const repeated = 0.2

// Signs of typing that are told of one conversation: at once, and a second.
const (
	typingBurst = 10
	typingRate  = 2
)

// words is what may be said with one budget: a conversation's, whichever sockets it comes on, or an operator's session's.
func (h *Hub) words() bucket { return full(float64(h.options.Burst+outbox), h.options.Rate) }

// frames is how many frames of any kind a session may send. Acknowledgements are many where messages are few; an operator acknowledges in many
// conversations.
func (h *Hub) frames(role string) bucket {
	most, rate := float64(10*h.options.Burst+2*outbox), 10*h.options.Rate
	if role == frame.Operator {
		most, rate = 20*most, 20*rate
	}
	return full(most, rate)
}

// afford takes a message from its sender's budget, and a conversation's first from that of the address.
func (h *Hub) afford(s *Session, m *frame.Msg) *Refusal {
	h.mu.Lock()
	defer h.mu.Unlock()
	now, cost := time.Now(), 1.0
	if l := s.lines[m.C]; l != nil && m.N <= l.sent {
		cost = repeated
	}
	if !s.words.take(now, cost) {
		return refuse(frame.Malformed, "a flood of messages")
	}
	if s.role == frame.Operator {
		return nil
	}
	conv := h.conversation(s.c)
	if !conv.begun && !h.mayBegin(s, now) {
		return refuse(frame.Busy, "too many new conversations from one address")
	}
	conv.begun = true
	return nil
}

// audible says whether a sign of typing is told: those of a flood are not.
func (h *Hub) audible(s *Session) bool {
	if s.role == frame.Operator {
		return true
	}
	conv := h.conversation(s.c)
	conv.typed = true
	return conv.typing.take(time.Now(), 1)
}
