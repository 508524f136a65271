package server

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"github.com/livens/livens/livechat/chat"
	"github.com/livens/livens/livechat/chattest"
	"github.com/livens/livens/livechat/frame"
	"github.com/livens/livens/livechat/store"
)

// pipes is a listener whose connections are in memory, so that they live on a test's fake clock.
type pipes struct {
	conns chan net.Conn
	done  chan bool
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}
func (p *pipes) Close() error {
	select {
	case <-p.done:
		return net.ErrClosed
	default:
		close(p.done)
		return nil
	}
}
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// dial connects a WebSocket.
func (p *pipes) dial(ctx context.Context) (*websocket.Conn, error) {
	dial := func(context.Context, string, string) (net.Conn, error) {
		here, there := net.Pipe()
		p.conns <- there
		return here, nil
	}
	conn, _, err := websocket.Dial(ctx, "ws://chat.test/chat", &websocket.DialOptions{
		Subprotocols: []string{frame.ChatProtocol}, HTTPClient: &http.Client{Transport: &http.Transport{DialContext: dial}},
	})
	return conn, err
}

// TestWhoIsSilentIsGone: a client that does not even answer when it is asked, as one whose data center or computer is gone: visitors are
// not told for long of an operator who is not there. One that says no more than the answer stays.
func TestWhoIsSilentIsGone(t *testing.T) {
	for role, limit := range map[string]time.Duration{frame.Operator: operatorSilence, frame.Visitor: visitorSilence} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			hub, l, ended := inMemory(t, ctx)
			hello := frame.Hello{T: "hello", V: 1, Role: role, Sender: chattest.Sender(role), Token: "any"}
			if role == frame.Visitor {
				hello.Key = chattest.Key()
			}
			var asked atomic.Int32
			var mute atomic.Bool
			conn, err := l.dial(ctx)
			if err != nil {
				t.Fatal(err)
			}
			go func() { // reads all that comes, and answers while it may
				for {
					_, data, err := conn.Read(ctx)
					if err != nil {
						return
					}
					f, _ := frame.Parse(data)
					if a, ok := f.(*frame.Ack); ok && a.Ping != "" {
						if asked.Add(1); !mute.Load() {
							_ = conn.Write(ctx, websocket.MessageText, frame.Encode(frame.Ack{T: "ack", Pong: a.Ping}))
						}
					}
				}
			}()
			if err := conn.Write(ctx, websocket.MessageText, frame.Encode(hello)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(10*limit + time.Second)
			if asked.Load() != 20 || hub.Clients() != 1 {
				t.Errorf("%s: asked %d times, %d clients; want 20, 1", role, asked.Load(), hub.Clients())
			}
			mute.Store(true)
			time.Sleep(limit - 2*time.Second) // it was heard a second ago
			if hub.Clients() != 1 {
				t.Errorf("%s: let go too early", role)
			}
			time.Sleep(2 * time.Second)
			if hub.Clients() != 0 {
				t.Errorf("%s: counts as present after %v of silence", role, limit)
			}
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
	}
}

// inMemory runs a server for a test on a fake clock until ctx is done.
func inMemory(t *testing.T, ctx context.Context) (*chat.Hub, *pipes, chan error) {
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	db, err := store.Open(t.TempDir(), log)
	if err != nil {
		t.Fatal(err)
	}
	hub := chat.New(chat.Options{
		Name: "primary", Store: db, Operator: func(string) (string, bool) { return "ann", true }, Ask: func() {},
		Burst: 20, Rate: 5, AttachRate: 1000, Log: log,
	}, nil)
	s, err := New(Options{Hub: hub, Store: db, Synced: func() error { return nil }, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	l, ended := &pipes{make(chan net.Conn), make(chan bool)}, make(chan error, 1)
	go func() {
		err := s.Serve(ctx, l)
		ended <- errors.Join(err, db.Close())
	}()
	return hub, l, ended
}
