package pages_test

import (
	"context"
	"crypto/sha256"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/livens/livens/client"
	"github.com/livens/livens/livechat/config"
	"github.com/livens/livens/livechat/deployment"
	"github.com/livens/livens/livechat/pages"
	"github.com/livens/livens/livechat/rig"
)

const token = "the token of an operator"

// shop is a web server with the pages, and beside it a deployment that can be stopped and started.
type shop struct {
	t      *testing.T
	url    string
	config *config.Config
	stop   func() // ends the deployment, and waits
}

// options are those of a page that says after 50 ms, not 3 s, that it is reconnecting.
type options struct {
	client.Config
	Timing map[string]int `json:"timing"`
}

func openShop(t *testing.T) *shop {
	t.Helper()
	front := httptest.NewUnstartedServer(nil)
	s := &shop{t: t, url: "http://" + front.Listener.Addr().String(), config: &config.Config{
		Name: "primary", Listen: rig.Loopback().String() + ":0", Data: t.TempDir(), Pool: "chat",
		Operators: []config.Operator{{Name: "Ann", Hash: sha256.Sum256([]byte(token))}},
		Limits:    config.Limits{Burst: 20, Rate: 5, AttachRate: 1000},
	}}
	s.config.Origins = []string{s.url}
	s.start()
	address := "ws://" + s.config.Listen + "/chat"
	handler, err := pages.Handler(options{
		Config: client.Config{Pool: "chat", URL: address, Deployments: []client.Deployment{{ID: "primary", URLs: []string{address}}}},
		Timing: map[string]int{"notice": 50},
	})
	if err != nil {
		t.Fatal(err)
	}
	front.Config.Handler = handler
	front.Start()
	t.Cleanup(front.Close)
	return s
}

// start runs the deployment: the first time on a port that the kernel chooses, then again on that, which nobody has taken: its address is its own.
func (s *shop) start() {
	s.t.Helper()
	d, err := deployment.Open(s.config, "1.0", slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		s.t.Fatal(err)
	}
	s.config.Listen = d.Addr()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	s.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			s.t.Error(err)
		}
	})
	s.t.Cleanup(func() { s.stop() })
}

// A deployment serves the pages itself once it is told where its clients find it.
func TestADeploymentServesThePages(t *testing.T) {
	c := &config.Config{Name: "primary", Listen: "127.0.0.1:0", Data: t.TempDir(), Pool: "chat", Client: config.Client{Pool: "chat", URL: "wss://chat.example.com/chat"}}
	d, err := deployment.Open(c, "1.0", slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	for path, want := range map[string]string{"/": "<livens-chat", "/operator": "operator-token", "/livens.js": "ChatSession", "/widget.js": "customElements", "/client.json": "wss://chat.example.com/chat"} {
		response, err := http.Get("http://" + d.Addr() + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		if cerr := response.Body.Close(); err != nil || cerr != nil {
			t.Fatal(err, cerr)
		}
		if response.StatusCode != http.StatusOK || !strings.Contains(string(body), want) {
			t.Errorf("%s: %d, without %q", path, response.StatusCode, want)
		}
	}
}
