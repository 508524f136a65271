package deployment

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/livens/livens/livechat/chattest"
	"github.com/livens/livens/livechat/config"
	"github.com/livens/livens/livechat/frame"
)

const token = "an operator's token"

// settings are a deployment's configuration on loopback.
func settings(t testing.TB, name string) *config.Config {
	return &config.Config{
		Name: name, Listen: "127.0.0.1:0", Data: t.TempDir(), Pool: "chat",
		Operators: []config.Operator{{Name: "ann", Hash: sha256.Sum256([]byte(token))}},
		Limits:    config.Limits{Burst: 20, Rate: 5, AttachRate: 1000},
	}
}

// running is a deployment that serves.
type running struct {
	*Deployment
	t    testing.TB
	stop func() // ends it, and waits
	logs *logs
}

type logs struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logs) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func start(t testing.TB, c *config.Config) *running {
	t.Helper()
	return startVersion(t, c, "1.0")
}

func startVersion(t testing.TB, c *config.Config, version string) *running {
	t.Helper()
	out := &logs{}
	d, err := Open(c, version, slog.New(slog.NewTextHandler(out, nil)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	r := &running{Deployment: d, t: t, logs: out}
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		r.stop()
		if t.Failed() {
			t.Logf("log of %s:\n%s", c.Name, out)
		}
	})
	return r
}

// get asks over HTTP.
func (r *running) get(path string) (int, string) {
	r.t.Helper()
	resp, err := http.Get("http://" + r.Addr() + path)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body)
}

// client is a test's connection: what goes wrong ends the test.
type client struct {
	*chattest.Client
	t testing.TB
}

// patience is how long a test waits for what must come, on however busy a machine.
const patience = time.Minute

func (r *running) dial() *client {
	r.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r.t.Cleanup(cancel)
	late := time.AfterFunc(patience, cancel)
	c, err := chattest.Dial(ctx, "ws://"+r.Addr()+"/chat")
	late.Stop()
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(c.Cut)
	return &client{c, r.t}
}

// attach says hello, and returns the welcome and the messages up to synced.
func (r *running) attach(hello frame.Hello) (*client, *frame.Welcome, []frame.Msg) {
	r.t.Helper()
	c := r.dial()
	hello.T, hello.V = "hello", 1
	c.send(hello)
	welcome := expect[*frame.Welcome](c, nil)
	var missed []frame.Msg
	for {
		switch f := c.next().(type) {
		case *frame.Msg:
			missed = append(missed, *f)
		case *frame.Synced:
			return c, welcome, missed
		}
	}
}

func visitor(key, sender string) frame.Hello {
	return frame.Hello{Role: frame.Visitor, Key: key, Sender: sender, Name: "Ada"}
}

func operator(sender string) frame.Hello {
	return frame.Hello{Role: frame.Operator, Token: token, Sender: sender, Name: "Ann"}
}

// wait cuts the client off when what it waits for from now on has not come within patience, unless done is called before.
func (c *client) wait() (done func() bool) { return time.AfterFunc(patience, c.Cut).Stop }

func (c *client) send(f any) {
	c.t.Helper()
	defer c.wait()()
	if err := c.Send(f); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) next() any {
	c.t.Helper()
	defer c.wait()()
	f, err := c.Next()
	if err != nil {
		c.t.Fatal(err)
	}
	return f
}

func expect[F any](c *client, ok func(F) bool) F {
	c.t.Helper()
	defer c.wait()()
	f, err := chattest.Until(c.Client, ok)
	if err != nil {
		c.t.Fatal(err)
	}
	return f
}

// closed reads to the end, and returns the close code.
func (c *client) closed() int {
	defer c.wait()()
	for {
		if _, err := c.Next(); err != nil {
			return chattest.CloseCode(err)
		}
	}
}

func (c *client) acked(conversation, sender string, n int64, by string) {
	c.t.Helper()
	expect(c, func(a *frame.Ack) bool { return a.C == conversation && a.By == by && a.Have[sender] >= n })
}

func conversationOf(t *testing.T, key string) string {
	t.Helper()
	c, err := frame.Conversation(key)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// say is a message as a client sends it.
func say(c, s string, n int64, text string) frame.Msg {
	return frame.Msg{T: "msg", C: c, S: s, N: n, Text: text}
}
