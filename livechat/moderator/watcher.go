package moderator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Options are what a Watcher is made of.
type Options struct {
	Pool       string
	Moderators []string          // origins, such as "https://ns1.example.com"
	Known      []string          // the names of all deployments
	Transport  http.RoundTripper // how they are reached
	Tell       func(View)        // called with every change, by one goroutine at a time
	Log        *slog.Logger
}

// Watcher asks all Moderators every second.
type Watcher struct {
	options Options
	client  http.Client
	nudges  []chan struct{}

	mu   sync.Mutex
	j    judge
	last View
}

const (
	pause   = time.Second     // between two questions
	limit   = 2 * time.Second // for a reply
	maxBody = 64 << 10        // bytes
)

// New makes a Watcher that knows nothing yet.
func New(o Options) *Watcher {
	w := &Watcher{options: o, j: judge{pool: o.Pool, known: o.Known}}
	w.client = http.Client{Transport: o.Transport, Timeout: limit, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
	for range o.Moderators {
		w.nudges = append(w.nudges, make(chan struct{}, 1))
	}
	return w
}

// Run asks until ctx is done.
func (w *Watcher) Run(ctx context.Context) {
	var askers sync.WaitGroup
	for i, m := range w.options.Moderators {
		askers.Go(func() { w.watch(ctx, strings.TrimSuffix(m, "/"), w.nudges[i]) })
	}
	askers.Wait()
}

// Ask asks all of them at once. It does not wait.
func (w *Watcher) Ask() {
	for _, nudge := range w.nudges {
		select {
		case nudge <- struct{}{}:
		default: // it is about to be asked
		}
	}
}

// watch asks one Moderator again and again.
func (w *Watcher) watch(ctx context.Context, origin string, nudge <-chan struct{}) {
	a := &asker{w: w, url: origin + "/v1/pools/" + w.options.Pool}
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		err := a.ask(ctx)
		if ctx.Err() != nil {
			return
		}
		a.complain(origin, err)
		w.tell()
		select {
		case <-tick.C:
		case <-nudge:
		case <-ctx.Done():
			return
		}
	}
}

// tell hands on the view when it has changed.
func (w *Watcher) tell() {
	w.mu.Lock()
	defer w.mu.Unlock()
	v := w.j.view(time.Now())
	if v.Heard == w.last.Heard && v.Active == w.last.Active && v.Epoch == w.last.Epoch && maps.Equal(v.States, w.last.States) {
		return
	}
	switch {
	case !v.Heard:
		w.options.Log.Warn("no Moderator answers: everybody is served")
	case !w.last.Heard || v.Active != w.last.Active:
		w.options.Log.Info("the Moderators say who is active", "active", v.Active, "epoch", v.Epoch)
	}
	w.last = v
	w.options.Tell(v)
}

// asker asks one Moderator.
type asker struct {
	w        *Watcher
	url      string
	etag     string
	kept     reply  // what etag stands for
	troubled string // the last complaint
}

func (a *asker) ask(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.url, nil)
	if err != nil {
		return err
	}
	if a.etag != "" {
		req.Header.Set("If-None-Match", a.etag)
	}
	resp, err := a.w.client.Do(req)
	if err != nil {
		return errors.New("it does not answer")
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusNotModified && a.etag != "":
	case resp.StatusCode != http.StatusOK:
		return fmt.Errorf("it answers %d", resp.StatusCode)
	default:
		if err := a.read(resp); err != nil {
			a.etag = ""
			return err
		}
	}
	a.w.mu.Lock()
	defer a.w.mu.Unlock()
	return a.w.j.hear(a.kept, time.Now())
}

func (a *asker) read(resp *http.Response) error {
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	if err != nil {
		return errors.New("its reply breaks off")
	}
	r, err := a.w.j.parse(body)
	if err != nil {
		return err
	}
	a.kept, a.etag = r, resp.Header.Get("ETag")
	return nil
}

// complain logs what is wrong with a Moderator when that changes.
func (a *asker) complain(origin string, err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	if text == a.troubled {
		return
	}
	if a.troubled = text; text == "" {
		a.w.options.Log.Info("a Moderator is heard", "moderator", origin)
		return
	}
	a.w.options.Log.Warn("a Moderator is not believed", "moderator", origin, "reason", text)
}
