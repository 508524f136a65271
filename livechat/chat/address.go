package chat

import (
	"net/netip"
	"time"

	"github.com/livens/livens/livechat/frame"
)

// New conversations from one address: at once, and a second. Operators are shown the latest thousand: whoever draws one key after the other must
// not push those out in which somebody waits; and an office whose people all have one address must find its way in.
const (
	beginBurst = 100
	beginRate  = 0.1
)

// maxTabs is how many sockets a conversation may have at once.
const maxTabs = 32

// address is what comes from one: visitors that are here, and what it may still begin.
type address struct {
	sessions int
	begin    bucket
}

// arrive counts a visitor with its address and its conversation, or says why there are too many. Of too many sockets of one conversation the
// oldest gives way: it may be that of a network which the visitor has left.
func (h *Hub) arrive(s *Session, from netip.Addr) *Refusal {
	if h.options.PerAddress > 0 && from.IsValid() {
		a := h.addresses[from]
		if a == nil {
			a = &address{begin: full(beginBurst, beginRate)}
			h.addresses[from] = a
		}
		if a.sessions >= h.options.PerAddress {
			return refuse(frame.Busy, "too many visitors from one address")
		}
		a.sessions++
		s.from = a
	}
	conv := h.conversation(s.c)
	for len(conv.visitors) >= maxTabs {
		oldest := s
		for other := range conv.visitors {
			if oldest == s || other.came < oldest.came {
				oldest = other
			}
		}
		delete(conv.visitors, oldest)
		oldest.out.Close(frame.Busy, "too many connections of one conversation")
	}
	h.arrivals++
	s.came, s.words = h.arrivals, &conv.words
	conv.visitors[s] = true
	return nil
}

// depart is the opposite.
func (h *Hub) depart(s *Session) {
	if s.from != nil {
		s.from.sessions--
	}
	conv := h.conversations[s.c]
	if conv == nil {
		return // it had to give way, and the rest of it was forgotten since
	}
	delete(conv.visitors, s)
	conv.touched = time.Now()
	if len(conv.visitors) == 0 && !conv.begun && !conv.typed {
		delete(h.conversations, s.c) // there is nothing to be remembered
	}
}

// mayBegin says whether one more conversation may begin at a visitor's address.
func (h *Hub) mayBegin(s *Session, now time.Time) bool {
	return s.from == nil || s.from.begin.take(now, 1)
}

// forget drops addresses of which nothing need be remembered.
func (h *Hub) forget(now time.Time) {
	for from, a := range h.addresses {
		if a.begin.refill(now); a.sessions == 0 && a.begin.tokens == a.begin.most {
			delete(h.addresses, from)
		}
	}
}
