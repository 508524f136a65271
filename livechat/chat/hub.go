// Package chat is the middle of a deployment: who is connected, who is told what, and what may be called safe. It reads no
// socket: the server hands it frames and outlets, the link what comes from the other deployment, the watcher of the
// Moderators a View.
package chat

import (
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"github.com/livens/livens/livechat/frame"
	"github.com/livens/livens/livechat/moderator"
	"github.com/livens/livens/livechat/store"
)

// Options are what a Hub is made of.
type Options struct {
	Name       string                                    // of this deployment
	Peer       string                                    // of the other; "" when there is none
	Store      *store.Store                              //
	Operator   func(token string) (name string, ok bool) // who has that token
	Ask        func()                                    // asks the Moderators at once; must not block
	Burst      int                                       // messages that a client may send at once
	Rate       float64                                   // messages a second in the long run
	AttachRate int                                       // clients a second that may come back
	PerAddress int                                       // visitors that may be here from one address; 0: any number, and addresses say nothing
	Log        *slog.Logger
}

// Outlet is a client's connection as the hub sees it.
type Outlet interface {
	// Send queues a frame. It never blocks: a client that reads too slowly is closed with frame.Busy.
	Send(data []byte)
	// Wait queues a frame once there is room for it; false when the client is gone.
	Wait(data []byte) bool
	// Close closes the connection after what is queued. It does not block.
	Close(code int, reason string)
}

// Hub knows who is connected. Its methods may be called from many goroutines at once.
type Hub struct {
	options Options

	mu            sync.Mutex
	sessions      map[*Session]bool
	operators     map[*Session]bool // those of operators
	conversations map[string]*conversation
	addresses     map[netip.Addr]*address // those from which somebody is here, or began much
	arrivals      int64                   // how many visitors have come
	unsafe        map[*line]bool          // that wait for an acknowledgement of safety
	view          moderator.View
	peer          peer
	relay         func(f any)
	presence      int  // the number of operators that clients were told
	ending        bool // nobody is welcomed any more
}

// peer is what is known of the other deployment.
type peer struct {
	read      int64     // how far it has read this store's log
	linked    bool      // whether it follows
	number    int64     // of the connection on which it did last
	since     time.Time // when linked changed
	operators []string  // the senders of those that are connected to it
}

// conversation is what must be known of one while somebody takes part in it.
type conversation struct {
	visitors  map[*Session]bool
	delivered map[string]frame.Have // by role: what clients of that role hold
	touched   time.Time
	begun     bool   // it has messages
	typed     bool   // somebody has typed in it
	words     bucket // for all its visitors' messages
	typing    bucket // and for their signs of typing
}

// New makes a hub without clients. relay, which may be nil, sends a passing frame to the other deployment, or drops it.
func New(o Options, relay func(f any)) *Hub {
	if relay == nil {
		relay = func(any) {}
	}
	return &Hub{
		options: o, sessions: map[*Session]bool{}, operators: map[*Session]bool{}, conversations: map[string]*conversation{},
		addresses: map[netip.Addr]*address{}, unsafe: map[*line]bool{}, peer: peer{since: time.Now()}, relay: relay,
	}
}

// Clients is how many sessions there are.
func (h *Hub) Clients() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.sessions)
}

// conversation is that one, made when it is not known. The lock must be held, as for all methods with a small initial that
// do not say otherwise.
func (h *Hub) conversation(c string) *conversation {
	conv := h.conversations[c]
	if conv == nil {
		conv = &conversation{
			visitors: map[*Session]bool{}, delivered: map[string]frame.Have{}, words: h.words(), typing: full(typingBurst, typingRate),
		}
		h.conversations[c] = conv
	}
	conv.touched = time.Now()
	return conv
}

// tell sends a frame to a conversation's clients, but one.
func (h *Hub) tell(c string, f any, but *Session) {
	data := frame.Encode(f)
	if conv := h.conversations[c]; conv != nil {
		for s := range conv.visitors {
			if s != but {
				s.send(data)
			}
		}
	}
	for s := range h.operators {
		if s != but {
			s.send(data)
		}
	}
}

// spread is over how many milliseconds all clients together should come back.
func (h *Hub) spread() int64 {
	return int64(min(len(h.sessions)*1000/h.options.AttachRate, maxSpread))
}

const maxSpread = 60_000 // milliseconds

// forgetAfter is how long a conversation without a visitor is remembered, in which deliveries may still be told.
const forgetAfter = 10 * time.Minute

// Tick does what time alone brings; it wants to be called a few times a second.
func (h *Hub) Tick() {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	h.settle()
	for s := range h.sessions {
		if !s.leave.IsZero() && now.After(s.leave) {
			s.out.Close(frame.Elsewhere, "another deployment is active")
		}
		h.invite(s, now)
	}
	h.forget(now)
	for c, conv := range h.conversations {
		if len(conv.visitors) == 0 && now.Sub(conv.touched) > forgetAfter {
			delete(h.conversations, c)
		}
	}
}

// Shutdown tells every client that the deployment ends.
func (h *Hub) Shutdown() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ending = true
	for s := range h.sessions {
		s.out.Close(frame.Restart, "the deployment restarts")
	}
}
