package chat

import "github.com/livens/livens/livechat/frame"

// ack takes what a client says to hold, or answers its heartbeat. The lock is not held.
func (h *Hub) ack(s *Session, a *frame.Ack) *Refusal {
	if a.Ping != "" {
		h.mu.Lock()
		defer h.mu.Unlock()
		s.send(frame.Encode(frame.Ack{T: "ack", Pong: a.Ping, Spread: h.spread()}))
		return nil
	}
	if a.Have == nil {
		return nil
	}
	if s.role == frame.Visitor && a.C == "" {
		a.C = s.c
	}
	switch {
	case a.By != s.role:
		return refuse(frame.Forged, "ack: by is not the client's role")
	case !frame.IsConversation(a.C):
		return refuse(frame.Malformed, "ack: c is no conversation")
	case s.role == frame.Visitor && a.C != s.c:
		return refuse(frame.Forged, "another's conversation")
	}
	if err := a.Have.Check(); err != nil {
		return refuse(frame.Malformed, err.Error())
	}
	held, err := h.options.Store.Have(a.C)
	if err != nil {
		return refuse(frame.Restart, "the store does not answer")
	}
	have := credible(a.Have, held)
	if len(have) == 0 {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if f := h.deliver(a.C, a.By, have, s); f != nil {
		h.relay(*f)
	}
	return nil
}

// credible is what counts of what a client says to hold: what this deployment holds too. Who claims more would have messages safe before they
// are written, and fill the memory with senders that do not exist. What a client truly holds, because it had it elsewhere, is passed to it when it
// comes here, and acknowledged again then.
func credible(said, held frame.Have) frame.Have {
	have := frame.Have{}
	for s, n := range said {
		if n = min(n, held[s]); n > 0 {
			have[s] = n
		}
	}
	return have
}

// deliver notes what a party's clients hold, tells the others what of it is news, and returns that; nil: nothing is.
func (h *Hub) deliver(c, by string, have frame.Have, from *Session) *frame.Ack {
	conv := h.conversation(c)
	if conv.delivered[by] == nil {
		conv.delivered[by] = frame.Have{}
	}
	news := frame.Have{}
	for s, n := range have {
		if n > conv.delivered[by][s] {
			conv.delivered[by][s], news[s] = n, n
		}
	}
	if len(news) == 0 {
		return nil
	}
	f := &frame.Ack{T: "ack", C: c, Have: news, By: by}
	h.tell(c, *f, from)
	for l := range h.unsafe {
		if l.c == c {
			h.advance(l)
		}
	}
	return f
}
