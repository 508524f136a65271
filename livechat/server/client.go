package server

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/coder/websocket"
	"github.com/livens/livens/internal/guests"
	"github.com/livens/livens/livechat/chat"
	"github.com/livens/livens/livechat/frame"
)

// helloLimit is how long a connection may be silent before its hello.
const helloLimit = 5 * time.Second

// client serves one client, from its upgrade to its end.
func (s *Server) client(w http.ResponseWriter, r *http.Request) {
	if !s.origins.allow(r) {
		s.notices.Warn(r, "a page was refused: add its origin to origins in livechat.toml, at both deployments", "origin", r.Header.Get("Origin"))
		http.Error(w, "pages of this origin may not connect; see origins in livechat.toml", http.StatusForbidden)
		return
	}
	conn, err := accept(w, r, frame.ChatProtocol)
	if err != nil {
		return // it was answered
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	defer cancel()
	out := newOutlet(conn, cancel)
	written := make(chan struct{})
	go func() {
		defer close(written)
		out.run(ctx)
	}()
	if no := s.talk(ctx, r, conn, out); no != nil {
		if no.Move == nil {
			s.notices.Warn(r, "a client was refused", "code", no.Code, "reason", no.Reason)
		}
		out.Close(no.Code, no.Reason)
		<-written // with the close frame
	}
	cancel()
	<-written
}

// talk reads until the client is gone (nil) or is to be refused.
func (s *Server) talk(ctx context.Context, r *http.Request, conn *websocket.Conn, out *outlet) *chat.Refusal {
	silent := time.AfterFunc(helloLimit, func() { out.Close(frame.Malformed, "no hello within 5 s") })
	f, no := receive(ctx, conn, frame.MaxBulkFrame)
	silent.Stop()
	if no != nil {
		return no.refusal()
	}
	hello, ok := f.(*frame.Hello)
	if !ok {
		return &chat.Refusal{Code: frame.Malformed, Reason: "the first frame is not hello"}
	}
	session, refusal := s.hub.Attach(hello, out, guests.Network(r.RemoteAddr))
	if refusal != nil {
		if refusal.Move != nil {
			out.Send(frame.Encode(refusal.Move))
		}
		return refusal
	}
	defer s.hub.Detach(session)
	guests.Keep(r.Context())
	limit := frame.MaxFrame
	if hello.Role == frame.Operator {
		limit = frame.MaxBulkFrame
	}
	for {
		// What it said is waited for here alone: while the store has too much to do, nobody is silent.
		stop := hark(silenceOf(hello.Role), func() { out.Send(areYouThere) }, func() { _ = conn.CloseNow() })
		f, no := receive(ctx, conn, limit)
		stop()
		if no != nil {
			return no.refusal()
		}
		if refusal := s.hub.Receive(session, f); refusal != nil {
			return refusal
		}
	}
}

// failure is why no frame could be read: the connection is gone, or what came is no frame.
type failure struct{ malformed string }

func (f *failure) refusal() *chat.Refusal {
	if f.malformed == "" {
		return nil
	}
	return &chat.Refusal{Code: frame.Malformed, Reason: f.malformed}
}

// receive reads a frame of at most limit bytes.
func receive(ctx context.Context, conn *websocket.Conn, limit int) (any, *failure) {
	kind, r, err := conn.Reader(ctx)
	if err != nil {
		return nil, &failure{}
	}
	if kind != websocket.MessageText {
		return nil, &failure{"not a text frame"}
	}
	data, err := io.ReadAll(io.LimitReader(r, int64(limit)+1))
	if err != nil {
		return nil, &failure{}
	}
	if len(data) > limit {
		return nil, &failure{"a frame that is too long"}
	}
	f, err := frame.Parse(data)
	if err != nil {
		return nil, &failure{err.Error()}
	}
	return f, nil
}

// accept upgrades a connection for a subprotocol. On an error it has answered.
func accept(w http.ResponseWriter, r *http.Request, protocol string) (*websocket.Conn, error) {
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		Subprotocols: []string{protocol}, InsecureSkipVerify: true, // origins are judged before
	})
	if err != nil {
		return nil, err
	}
	if conn.Subprotocol() != protocol {
		_ = conn.Close(frame.Malformed, "the subprotocol is "+protocol)
		return nil, errors.New("another subprotocol")
	}
	conn.SetReadLimit(-1) // receive has a limit of its own, with the protocol's close code
	return conn, nil
}
