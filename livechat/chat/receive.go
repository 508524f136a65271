package chat

import (
	"time"

	"github.com/livens/livens/livechat/frame"
	"github.com/livens/livens/livechat/store"
)

// maxGap is how many numbers of a sender may be missing before one that is taken.
const maxGap = 1000

// Receive takes a frame of a client; nil is one whose t is unknown. A refusal closes the client. It waits while the store has too much to do.
func (h *Hub) Receive(s *Session, f any) *Refusal {
	if !s.frames.take(time.Now(), 1) {
		return refuse(frame.Malformed, "a flood of frames")
	}
	switch f := f.(type) {
	case *frame.Msg:
		return h.message(s, f)
	case *frame.Ack:
		return h.ack(s, f)
	case *frame.Put:
		return h.put(s, f)
	case *frame.Hello:
		return refuse(frame.Malformed, "a second hello")
	case *frame.Welcome, *frame.Synced, *frame.Move:
		return refuse(frame.Malformed, "a frame that only a deployment sends")
	}
	return nil
}

// message takes what a client says. The lock is not held, as for all that Receive calls.
func (h *Hub) message(s *Session, m *frame.Msg) *Refusal {
	if s.role == frame.Visitor && m.C == "" {
		m.C = s.c
	}
	if m.S == "" {
		m.S = s.sender
	}
	switch {
	case s.role == frame.Visitor && m.C != s.c:
		return refuse(frame.Forged, "another's conversation")
	case m.S != s.sender:
		return refuse(frame.Forged, "another's sender")
	}
	if err := m.CheckSent(); err != nil {
		return refuse(frame.Malformed, err.Error())
	}
	if m.Kind != "" {
		return h.passing(s, m)
	}
	if no := h.afford(s, m); no != nil {
		return no
	}
	if far, err := h.tooFar(s, m); err != nil {
		return refuse(frame.Restart, "the store does not answer")
	} else if far {
		return refuse(frame.Malformed, "msg: n is too far ahead")
	}
	// Only what the client may decide is taken from it.
	kept := frame.Msg{C: m.C, S: s.sender, N: m.N, From: s.role, Name: s.name, Text: m.Text}
	h.options.Store.Write(&store.Batch{Msgs: []frame.Msg{kept}, Done: func(held []store.Record, fresh []bool, err error) {
		h.stored(s, held, fresh, err, func() { h.received(s, held[0]) })
	}})
	return nil
}

// tooFar says whether a message's number leaves a gap that nobody can have filled. Only the first of a session can.
func (h *Hub) tooFar(s *Session, m *frame.Msg) (bool, error) {
	var sent int64
	h.mu.Lock()
	if l := s.lines[m.C]; l != nil {
		sent = l.sent
	}
	h.mu.Unlock()
	if m.N <= sent+maxGap {
		return false, nil
	}
	have, err := h.options.Store.Have(m.C)
	return m.N > have[s.sender]+maxGap, err
}

// passing takes what is told to those who are there.
func (h *Hub) passing(s *Session, m *frame.Msg) *Refusal {
	switch m.Kind {
	case frame.Typing:
		h.mu.Lock()
		defer h.mu.Unlock()
		if !h.audible(s) {
			return nil
		}
		f := frame.Msg{T: "msg", C: m.C, S: s.sender, From: s.role, Kind: frame.Typing}
		h.tell(m.C, f, s)
		h.relay(f)
	case frame.End:
		if s.role != frame.Operator {
			return refuse(frame.Forged, "only an operator ends a conversation")
		}
		end := frame.Msg{C: m.C, Kind: frame.End}
		h.options.Store.Write(&store.Batch{Msgs: []frame.Msg{end}, Done: func(held []store.Record, fresh []bool, err error) {
			h.stored(s, held, fresh, err, func() {})
		}})
	}
	return nil
}

// put takes an operator's copy.
func (h *Hub) put(s *Session, p *frame.Put) *Refusal {
	switch {
	case s.role != frame.Operator:
		return refuse(frame.Forged, "a visitor has no copies to give")
	case len(p.Msgs) > frame.MaxPut:
		return refuse(frame.Malformed, "put: too many messages")
	}
	limit := time.Now().Add(maxAhead).UnixMilli()
	kept := make([]frame.Msg, len(p.Msgs))
	for i, m := range p.Msgs {
		m.C = p.C
		if err := m.CheckStored(); err != nil {
			return refuse(frame.Malformed, err.Error())
		}
		if m.At > limit {
			return refuse(frame.Malformed, "put: a message from the future")
		}
		kept[i] = frame.Msg{C: m.C, S: m.S, N: m.N, From: m.From, Name: m.Name, At: m.At, Text: m.Text, Kind: m.Kind}
	}
	h.options.Store.Write(&store.Batch{Msgs: kept, Done: func(held []store.Record, fresh []bool, err error) {
		h.stored(s, held, fresh, err, func() { s.send(frame.Encode(frame.Synced{T: "synced", ID: p.ID})) })
	}})
	return nil
}

// maxAhead is how far another deployment's clock may be ahead of this one's.
const maxAhead = 24 * time.Hour

// stored is called when a batch of a client is on disk, or could not be written; then does the rest, with the lock held.
func (h *Hub) stored(s *Session, held []store.Record, fresh []bool, err error, then func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err != nil { // nothing is acknowledged, so that the client brings it to the other deployment
		s.out.Close(frame.Restart, "messages cannot be stored here")
		return
	}
	h.show(held, fresh)
	then()
}

// show tells everybody concerned of messages that are new here. Also their sender, which learns the time from it.
func (h *Hub) show(held []store.Record, fresh []bool) {
	for i, r := range held {
		if fresh[i] {
			h.tell(r.C, shown(r), nil)
		}
	}
}

// shown is a record as clients are told.
func shown(r store.Record) frame.Msg {
	m := r.Msg
	m.T = "msg"
	return m
}
