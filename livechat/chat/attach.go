package chat

import (
	"net/netip"
	"slices"
	"time"

	"github.com/livens/livens/livechat/frame"
)

// Session is a client that was welcomed.
type Session struct {
	out     Outlet
	role    string
	c       string // a visitor's conversation
	sender  string
	name    string
	who     string           // for the log: an operator's name in the configuration
	lines   map[string]*line // what it sent, by conversation
	joining bool             // what it missed is still being sent
	waiting [][]byte         // and this comes after it
	epoch   int64            // of the decision under which it is here; 0: no Moderator had been heard
	tried   []string         // deployments that it found failing
	leave   time.Time        // when it must have gone; zero: it may stay
	again   time.Time        // when it is asked again to go where it could not, should that be active then
	from    *address         // a visitor's; nil: that says nothing
	came    int64            // a visitor's place among all that came
	words   *bucket          // for messages: an operator's own, a visitor's conversation's
	frames  bucket           // for everything; only the client's reader uses it
}

// Refusal is why a client is closed.
type Refusal struct {
	Code   int
	Reason string
	Move   *frame.Move // sent first, unless nil
}

func (r *Refusal) Error() string { return r.Reason }

func refuse(code int, reason string) *Refusal { return &Refusal{Code: code, Reason: reason} }

// Attach welcomes a client, or says why not. It sends the welcome and all that the client lacks, and returns when that is queued; what
// happens meanwhile comes after it. Clients of one from are neighbours, whose number is bounded.
func (h *Hub) Attach(hello *frame.Hello, out Outlet, from netip.Addr) (*Session, *Refusal) {
	s, no := h.identify(hello)
	if no != nil {
		return nil, no
	}
	s.out = out
	if no := h.join(s, hello, from); no != nil {
		return nil, no
	}
	if err := h.catchUp(s, hello); err != nil {
		h.Detach(s)
		h.options.Log.Error("a client cannot be told what it missed", "error", err)
		return nil, refuse(frame.Restart, "the store does not answer")
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, data := range s.waiting {
		out.Send(data)
	}
	s.joining, s.waiting = false, nil
	return s, nil
}

// identify finds out who says hello. The lock is not held.
func (h *Hub) identify(hello *frame.Hello) (*Session, *Refusal) {
	s := &Session{role: hello.Role, sender: hello.Sender, name: hello.Name, lines: map[string]*line{}}
	switch {
	case hello.V != frame.Version:
		return nil, refuse(frame.Malformed, "hello: this deployment speaks version 1")
	case len(hello.Name) > frame.MaxName:
		return nil, refuse(frame.Malformed, "hello: the name is too long")
	}
	if err := hello.CheckHave(); err != nil {
		return nil, refuse(frame.Malformed, err.Error())
	}
	switch hello.Role {
	case frame.Visitor:
		c, err := frame.Conversation(hello.Key)
		if err != nil {
			return nil, refuse(frame.Forged, err.Error())
		}
		s.c = c
	case frame.Operator:
		who, ok := h.options.Operator(hello.Token)
		if !ok {
			return nil, refuse(frame.Forged, "the token is not an operator's")
		}
		s.who = who
		if s.name == "" {
			s.name = who
		}
	default:
		return nil, refuse(frame.Malformed, "hello: role is visitor or operator")
	}
	if frame.Author(hello.Sender) != hello.Role {
		return nil, refuse(frame.Forged, "the sender is not of that role")
	}
	words := h.words()
	s.words, s.frames = &words, h.frames(s.role)
	return s, nil
}

// join makes the session one of those that are told what happens, unless it belongs elsewhere. The lock is not held.
func (h *Hub) join(s *Session, hello *frame.Hello, from netip.Addr) *Refusal {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ending {
		return refuse(frame.Restart, "the deployment restarts")
	}
	if h.view.Heard && hello.Epoch > h.view.Epoch {
		h.options.Ask()
	}
	if move := h.elsewhere(hello); move != nil {
		return &Refusal{Code: frame.Elsewhere, Reason: "another deployment is active", Move: move}
	}
	if s.role == frame.Visitor {
		if no := h.arrive(s, from); no != nil {
			return no
		}
	}
	s.tried = hello.Tried
	s.again = time.Now().Add(askAgain)
	if h.view.Heard {
		s.epoch = max(h.view.Epoch, hello.Epoch)
	}
	s.joining = true
	h.sessions[s] = true
	if s.role == frame.Operator {
		h.operators[s] = true
		h.relay(h.here())
		h.announce()
	}
	return nil
}

// elsewhere is where a client should rather go; nil when it is to be served here.
func (h *Hub) elsewhere(hello *frame.Hello) *frame.Move {
	v := h.view
	if !v.Heard || v.Active == h.options.Name || hello.Epoch > v.Epoch || slices.Contains(hello.Tried, v.Active) {
		return nil
	}
	return &frame.Move{T: "move", To: v.Active, Reason: v.Active + " is active", Epoch: v.Epoch, Spread: 0}
}

// catchUp sends the welcome, what the client lacks, and synced. The lock is not held.
func (h *Hub) catchUp(s *Session, hello *frame.Hello) error {
	names, err := h.concerned(s, hello)
	if err != nil {
		return err
	}
	have := map[string]frame.Have{}
	for _, c := range names {
		if have[c], err = h.options.Store.Have(c); err != nil {
			return err
		}
	}
	if s.role == frame.Visitor && len(have[s.c]) > 0 {
		h.mu.Lock()
		h.conversation(s.c).begun = true
		h.mu.Unlock()
	}
	if !s.out.Wait(frame.Encode(h.welcome(s, have))) {
		return nil // it is gone: its connection will say so
	}
	for _, c := range names {
		missing, err := h.options.Store.Missing(c, hello.Have[c])
		if err != nil {
			return err
		}
		s.frames.tokens += float64(len(missing)) // each of which it acknowledges
		for _, r := range missing {
			if !s.out.Wait(frame.Encode(shown(r))) {
				return nil
			}
		}
	}
	s.out.Wait(frame.Encode(frame.Synced{T: "synced"}))
	return h.resume(s, have)
}

// concerned are the conversations that a client is to be told of.
func (h *Hub) concerned(s *Session, hello *frame.Hello) ([]string, error) {
	if s.role == frame.Visitor {
		return []string{s.c}, nil
	}
	names, err := h.options.Store.Open()
	if err != nil {
		return nil, err
	}
	for c := range hello.Have {
		names = append(names, c)
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

func (h *Hub) welcome(s *Session, have map[string]frame.Have) frame.Welcome {
	h.mu.Lock()
	defer h.mu.Unlock()
	return frame.Welcome{
		T: "welcome", V: frame.Version, Deployment: h.options.Name, C: s.c, Have: have, Operators: h.presence,
		Now: time.Now().UnixMilli(), Spread: h.spread(), Epoch: h.view.Epoch,
	}
}

// Detach forgets a client. It may be called more than once.
func (h *Hub) Detach(s *Session) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.sessions[s] {
		return
	}
	delete(h.sessions, s)
	for _, l := range s.lines {
		delete(h.unsafe, l)
	}
	if s.role == frame.Operator {
		delete(h.operators, s)
		h.relay(h.here())
		h.announce()
		return
	}
	h.depart(s)
}

// send queues a frame, behind what the client missed.
func (s *Session) send(data []byte) {
	if s.joining {
		s.waiting = append(s.waiting, data)
		return
	}
	s.out.Send(data)
}
