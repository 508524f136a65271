package chat

import (
	"time"

	"github.com/livens/livens/livechat/frame"
	"github.com/livens/livens/livechat/moderator"
	"github.com/livens/livens/livechat/store"
)

// line is what a session sent in one conversation. Its client sends in order, beginning with the first that is not safe:
// so an acknowledgement of the last covers all before.
type line struct {
	s       *Session
	c       string
	sent    int64 // the last number on disk here
	waiting []place
}

// place is a message that is not known to be safe, and where in the log it is.
type place struct{ n, seq int64 }

// received acknowledges a message that is on disk.
func (h *Hub) received(s *Session, r store.Record) {
	if !h.sessions[s] {
		return
	}
	l := h.line(s, r.C)
	l.sent = max(l.sent, r.N)
	s.send(frame.Encode(frame.Ack{T: "ack", C: r.C, Have: frame.Have{s.sender: l.sent}, By: frame.Disk}))
	l.waiting = append(l.waiting, place{r.N, r.Seq})
	h.advance(l)
}

// resume waits for the safety of what is held of the sender, which earlier sessions of it sent. The lock is not held.
func (h *Hub) resume(s *Session, have map[string]frame.Have) error {
	for c, held := range have {
		n := held[s.sender]
		if n == 0 {
			continue
		}
		seq, err := h.options.Store.Position(c, s.sender, n)
		if err != nil {
			return err
		}
		h.mu.Lock()
		l := h.line(s, c)
		l.sent = max(l.sent, n)
		l.waiting = append(l.waiting, place{n, seq})
		h.advance(l)
		h.mu.Unlock()
	}
	return nil
}

func (h *Hub) line(s *Session, c string) *line {
	l := s.lines[c]
	if l == nil {
		l = &line{s: s, c: c}
		s.lines[c] = l
	}
	return l
}

// advance tells a line's client what has become safe.
func (h *Hub) advance(l *line) {
	down := h.peerDown()
	var safe int64
	for len(l.waiting) > 0 && (down || h.safe(l, l.waiting[0])) {
		safe = max(safe, l.waiting[0].n)
		l.waiting = l.waiting[1:]
	}
	if safe > 0 {
		l.s.send(frame.Encode(frame.Ack{T: "ack", C: l.c, Have: frame.Have{l.s.sender: safe}, By: frame.Safe}))
	}
	if len(l.waiting) > 0 {
		h.unsafe[l] = true
	} else {
		delete(h.unsafe, l)
	}
}

// safe says whether a message is also on the other deployment's disk, or at a client of the other party.
func (h *Hub) safe(l *line, p place) bool {
	if p.seq <= h.peer.read {
		return true
	}
	other := frame.Operator
	if l.s.role == frame.Operator {
		other = frame.Visitor
	}
	conv := h.conversations[l.c]
	return conv != nil && conv.delivered[other][l.s.sender] >= p.n
}

// settle looks at all that waits to be safe.
func (h *Hub) settle() {
	for l := range h.unsafe {
		h.advance(l)
	}
}

// linkGrace is how long the link must have been broken before the other deployment counts as down while no Moderator answers.
const linkGrace = 5 * time.Second

// peerDown says whether the other deployment is known to be down. One that follows is not, whatever the Moderators say: they may see it from where
// the way there is broken, and it takes messages.
func (h *Hub) peerDown() bool {
	switch {
	case h.options.Peer == "":
		return true
	case h.peer.linked:
		return false
	case h.view.Heard:
		return h.view.States[h.options.Peer] == moderator.Down
	}
	return time.Since(h.peer.since) >= linkGrace
}
