package link

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/livens/livens/livechat/chat"
	"github.com/livens/livens/livechat/frame"
	"github.com/livens/livens/livechat/store"
)

const (
	secret   = "the link's secret"
	patience = time.Minute
)

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// half is one deployment's end of a link; the test speaks for the other, which is "redundant".
type half struct {
	*Link
	dir   string
	store *store.Store
	hub   *chat.Hub
}

func newHalf(t *testing.T, url string, log *slog.Logger) *half {
	t.Helper()
	h := &half{dir: t.TempDir()}
	var err error
	if h.store, err = store.Open(h.dir, quiet); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.store.Close() })
	h.hub = chat.New(chat.Options{
		Name: "primary", Peer: "redundant", Store: h.store, Ask: func() {}, Burst: 1000, Rate: 1000, AttachRate: 1000, Log: quiet,
	}, nil)
	h.Link = New(Options{Name: "primary", Peer: "redundant", URL: url, Secret: secret, Client: &http.Client{}, Hub: h.hub, Store: h.store, Log: log})
	return h
}

// run follows until the test ends.
func (h *half) run(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan bool)
	go func() {
		defer close(ended)
		h.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
}

// serve serves a link's handler, and returns its WebSocket URL.
func serve(t *testing.T, handler http.Handler) string {
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return "ws" + s.URL[len("http"):] + "/link"
}

// say is a message in a log.
func say(n int64, text string) frame.Msg {
	const c, ada = "0123456789abcdef0123456789abcdef", "v-adaadaada"
	return frame.Msg{C: c, S: ada, N: n, From: frame.Visitor, At: n, Text: text}
}
