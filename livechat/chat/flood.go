package chat

import (
	"time"

	"github.com/livens/livens/livechat/frame"
)

// bucket is a token bucket. Only the client's reader uses it.
type bucket struct {
	tokens, most, rate float64
	at                 time.Time
}

// take says whether there is a token, and takes it.
func (b *bucket) take(now time.Time) bool {
	if !b.at.IsZero() {
		// What it was given at the start above the most is kept, not added to.
		b.tokens = max(b.tokens, min(b.most, b.tokens+b.rate*now.Sub(b.at).Seconds()))
	}
	b.at = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

// outbox is how many messages a client keeps that are not safe: after an outage it sends them all at once.
const outbox = 100

// limit sets what a session may send. Acknowledgements and signs of typing are many where messages are few.
func (s *Session) limit(burst int, rate float64) {
	now := time.Now()
	s.words = bucket{tokens: float64(burst + outbox), most: float64(burst), rate: rate, at: now}
	most, pace := float64(10*burst+2*outbox), 10*rate
	if s.role == frame.Operator { // it acknowledges in many conversations
		most, pace = 20*most, 20*pace
	}
	s.frames = bucket{tokens: most, most: most, rate: pace, at: now}
}
