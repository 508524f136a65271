package chat

import (
	"slices"
	"time"

	"github.com/livens/livens/livechat/frame"
	"github.com/livens/livens/livechat/moderator"
	"github.com/livens/livens/livechat/store"
)

// Linked says that the other deployment follows this one's log, on a connection with that number, and has it on disk up to seq. Of two
// connections the higher number counts, whatever is still heard of the other.
func (h *Hub) Linked(number, seq int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if number <= h.peer.number {
		return
	}
	if !h.peer.linked {
		h.peer.linked, h.peer.since = true, time.Now()
	}
	h.peer.number, h.peer.read = number, seq // seq is lower than before, when the other one's database is new
	h.settle()
	h.relay(h.here())
}

// Unlinked says that the other deployment does not follow on that connection any more.
func (h *Hub) Unlinked(number int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if number == h.peer.number && h.peer.linked {
		h.peer.linked, h.peer.since = false, time.Now()
		h.settle()
	}
}

// PeerRead says how far the other deployment, on that connection, has this store's log on disk.
func (h *Hub) PeerRead(number, seq int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if number != h.peer.number {
		return // its disk may be another by now
	}
	h.peer.read = max(h.peer.read, seq)
	h.settle()
}

// PeerGone says that nothing comes from the other deployment any more.
func (h *Hub) PeerGone() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.peer.operators = nil
	h.announce()
}

// FromPeer takes a passing frame of the other deployment.
func (h *Hub) FromPeer(f any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch f := f.(type) {
	case *frame.Msg:
		switch {
		case f.Kind == frame.Presence:
			h.peer.operators = f.Here
			h.announce()
		case f.Kind == frame.Typing && frame.IsConversation(f.C):
			h.tell(f.C, *f, nil)
		}
	case *frame.Ack:
		if frame.IsConversation(f.C) && f.Have.Check() == nil && (f.By == frame.Visitor || f.By == frame.Operator) {
			h.deliver(f.C, f.By, f.Have, nil) // it judged whether that is credible, by what it holds
		}
	}
}

// Take stores what is in the other deployment's log behind one position and up to another, and then calls done. It fails when what is before
// that was not stored.
func (h *Hub) Take(msgs []frame.Msg, after, upTo store.Cursor, done func(error)) {
	h.options.Store.Write(&store.Batch{Msgs: msgs, After: &after, Cursor: &upTo, Done: func(held []store.Record, fresh []bool, err error) {
		if err == nil {
			h.mu.Lock()
			h.show(held, fresh)
			h.mu.Unlock()
		}
		done(err)
	}})
}

// Recount adds up anew what is held, forgets how far the other deployment's log has been read, and then calls done.
func (h *Hub) Recount(done func(error)) {
	h.options.Store.Write(&store.Batch{Cursor: &store.Cursor{}, Recount: true, Done: func(_ []store.Record, _ []bool, err error) { done(err) }})
}

// announce tells everybody here how many operators there are, when that has changed. The other deployment is told only of
// operators that come or go here: if each answered what it is told of the other's, they would never stop.
func (h *Hub) announce() {
	n := len(distinct(h.senders(), h.peer.operators))
	if n == h.presence {
		return
	}
	h.presence = n
	data := frame.Encode(presence(n))
	for s := range h.sessions {
		s.send(data)
	}
}

// here is what the other deployment is told of the operators at this one.
func (h *Hub) here() frame.Msg {
	senders := distinct(h.senders())
	f := presence(len(senders))
	f.Here = senders
	return f
}

// senders are those of the operators at this deployment, in any order.
func (h *Hub) senders() (senders []string) {
	for s := range h.operators {
		senders = append(senders, s.sender)
	}
	return senders
}

// distinct are all of the lists, each once: whoever moves is at both deployments for a while.
func distinct(lists ...[]string) []string {
	all := slices.Concat(lists...)
	slices.Sort(all)
	return slices.Compact(all)
}

func presence(n int) frame.Msg { return frame.Msg{T: "msg", Kind: frame.Presence, Operators: &n} }

// SetView takes what the Moderators say, and moves clients that belong elsewhere.
func (h *Hub) SetView(v moderator.View) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.view = v
	h.settle()
	if !v.Heard { // everybody is served, also who was asked to go
		for s := range h.sessions {
			s.leave = time.Time{}
		}
		return
	}
	if v.Active == h.options.Name {
		for s := range h.sessions {
			s.leave, s.epoch = time.Time{}, max(s.epoch, v.Epoch)
		}
		return
	}
	spread := h.spread()
	move := frame.Encode(frame.Move{T: "move", To: v.Active, Reason: v.Active + " is active now", Epoch: v.Epoch, Spread: spread})
	for s := range h.sessions {
		knew := s.epoch >= v.Epoch || s.epoch == 0 && slices.Contains(s.tried, v.Active)
		s.epoch = max(s.epoch, v.Epoch)
		if knew { // it came although that one is active
			continue
		}
		s.leave = time.Now().Add(time.Duration(spread)*time.Millisecond + leaveGrace)
		s.send(move)
	}
}

// askAgain is after what time a client that stays here, because it could not reach the active deployment, is asked to try that again.
const askAgain = time.Minute

// invite asks a client that may stay, from time to time, to go where it could not; nothing happens to it when it still cannot.
func (h *Hub) invite(s *Session, now time.Time) {
	v := h.view
	if !v.Heard || v.Active == h.options.Name || v.States[v.Active] == moderator.Down || !s.leave.IsZero() || now.Before(s.again) {
		return
	}
	s.again = now.Add(askAgain)
	s.send(frame.Encode(frame.Move{T: "move", To: v.Active, Reason: v.Active + " may be reached again", Epoch: v.Epoch, Spread: h.spread()}))
}

// leaveGrace is how long beyond the spread a client may take to go: a visitor waits 8 s for its outbox, and 4 s for a connection that leads
// nowhere. After that it knows what it tried, and says so when it comes back: then it may stay.
const leaveGrace = 15 * time.Second
