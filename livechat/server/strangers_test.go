package server

import (
	"context"
	"io"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/livens/livens/internal/guests"
	"github.com/livens/livens/livechat/chat"
	"github.com/livens/livens/livechat/chattest"
	"github.com/livens/livens/livechat/frame"
	"github.com/livens/livens/livechat/store"
)

// few is how many strangers the tests' server has room for.
const few = 8

// serving runs a server, and returns its address.
func serving(t *testing.T) string {
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	db, err := store.Open(t.TempDir(), log)
	if err != nil {
		t.Fatal(err)
	}
	hub := chat.New(chat.Options{Name: "primary", Store: db, Ask: func() {}, Burst: 20, Rate: 5, AttachRate: 1000, Log: log}, nil)
	s, err := New(Options{Hub: hub, Store: db, Synced: func() error { return nil }, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	s.strangers = guests.New(few)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		db.Close()
	})
	return l.Addr().String()
}

// TestSilentConnectionsKeepNobodyOut: whoever comes to a full house and says hello is welcomed, though from the same address as the
// flood, as behind a proxy; and no flood cuts off who was.
func TestSilentConnectionsKeepNobodyOut(t *testing.T) {
	addr := serving(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	dial := func() *chattest.Client {
		c, err := chattest.Dial(ctx, "ws://"+addr+"/chat")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Cut)
		return c
	}
	flood := func() (first net.Conn) {
		for i := range 2 * few {
			conn, err := net.Dial("tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { conn.Close() })
			if i == 0 {
				first = conn
			}
		}
		return first
	}
	flood()
	for range few {
		dial() // an upgraded connection that does not say hello is a stranger's
	}
	visitor := dial()
	if err := visitor.Send(frame.Hello{T: "hello", V: 1, Role: frame.Visitor, Key: chattest.Key(), Sender: chattest.Sender("visitor")}); err != nil {
		t.Fatal(err)
	}
	if _, err := chattest.Until[*frame.Synced](visitor, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := flood().Read(make([]byte, 1)); err == nil { // it had to give way to the rest
		t.Error("a silent connection is answered")
	}
	if err := visitor.Send(frame.Ack{T: "ack", Ping: "1"}); err != nil {
		t.Fatal(err)
	}
	if _, err := chattest.Until(visitor, func(a *frame.Ack) bool { return a.Pong == "1" }); err != nil {
		t.Error(err)
	}
}
