package link

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"
	"github.com/livens/livens/livechat/frame"
	"github.com/livens/livens/livechat/store"
)

// knock says hello to a link as the other deployment does.
func knock(t *testing.T, url, token string) (context.Context, *websocket.Conn) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	conn, _, err := websocket.Dial(ctx, url, &websocket.DialOptions{Subprotocols: []string{frame.LinkProtocol}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.CloseNow() })
	if err := write(ctx, conn, frame.Hello{T: "hello", V: 1, Role: frame.Deployment, Token: token, Name: "redundant"}); err != nil {
		t.Fatal(err)
	}
	return ctx, conn
}

// TestWhoStoresNothingDoesNotFollow: a deployment that gives signs of life, and acknowledges nothing of what it was sent, as with a disk that hangs.
func TestWhoStoresNothingDoesNotFollow(t *testing.T) {
	t.Parallel()
	h := newHalf(t, "", quiet)
	stored := make(chan error, 1)
	h.store.Write(&store.Batch{Msgs: []frame.Msg{say(1, "x")}, Done: func(_ []store.Record, _ []bool, err error) { stored <- err }})
	if err := <-stored; err != nil {
		t.Fatal(err)
	}
	ctx, conn := knock(t, serve(t, h), secret)
	put := false
	for {
		f, err := read(ctx, conn, patience)
		if err != nil {
			break // it is not followed any more
		}
		if _, ok := f.(*frame.Put); ok {
			put = true
		}
		if write(ctx, conn, frame.Ack{T: "ack", Seq: 0}) != nil {
			break
		}
	}
	if !put || ctx.Err() != nil {
		t.Errorf("put: %v, then %v", put, ctx.Err())
	}
}

// lines counts what is logged.
type lines struct {
	mu sync.Mutex
	n  int
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.n += strings.Count(string(b), "the link was refused")
	return len(b), nil
}

// TestStrangersAtTheLinkCannotFillTheLog: of many refusals a minute only some are logged.
func TestStrangersAtTheLinkCannotFillTheLog(t *testing.T) {
	t.Parallel()
	out := &lines{}
	url := serve(t, newHalf(t, "", slog.New(slog.NewTextHandler(out, nil))))
	for range 150 { // in two minutes, at most
		ctx, conn := knock(t, url, "guess")
		if _, err := read(ctx, conn, patience); websocket.CloseStatus(err) != frame.Forged {
			t.Fatal(err)
		}
	}
	out.mu.Lock()
	defer out.mu.Unlock()
	if out.n < 10 || out.n > 120 {
		t.Errorf("%d of 150 refusals were logged", out.n)
	}
}
