package moderator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// world is Moderators without a network: what each host answers, and how often it was asked.
type world struct {
	mu    sync.Mutex
	says  map[string]string // body, or "" for no answer
	asked map[string]int
	saved map[string]int // answers of 304
	views []View
	log   strings.Builder
}

func (w *world) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked[r.URL.Host]++
	body := w.says[r.URL.Host]
	if body == "" {
		return nil, errors.New("no answer")
	}
	resp := &http.Response{StatusCode: 200, Header: http.Header{"Etag": {fmt.Sprintf("%q", body)}}, Body: io.NopCloser(strings.NewReader(body)), Request: r}
	if r.Header.Get("If-None-Match") == resp.Header.Get("Etag") {
		w.saved[r.URL.Host]++
		resp.StatusCode, resp.Body = 304, io.NopCloser(strings.NewReader(""))
	}
	return resp, nil
}

func (w *world) say(host, body string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.says[host] = body
}

func (w *world) last() View {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.views) == 0 {
		return View{}
	}
	return w.views[len(w.views)-1]
}

func (w *world) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.Write(b)
}

func (w *world) logged(text string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Count(w.log.String(), text)
}

// watch runs a test with two Moderators on a fake clock.
func watch(t *testing.T, test func(w *world, watcher *Watcher)) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{says: map[string]string{}, asked: map[string]int{}, saved: map[string]int{}}
		watcher := New(Options{
			Pool: "chat", Moderators: []string{"http://ns1", "http://ns2/"}, Known: []string{"primary", "redundant"}, Transport: w,
			Log: slog.New(slog.NewTextHandler(w, nil)),
			Tell: func(v View) {
				w.mu.Lock()
				defer w.mu.Unlock()
				w.views = append(w.views, v)
			},
		})
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan bool)
		go func() {
			time.Sleep(time.Millisecond) // on the fake clock: by then the test has said what they answer
			watcher.Run(ctx)
			close(ended)
		}()
		test(w, watcher)
		cancel()
		<-ended
	})
}

func pass(d time.Duration) {
	time.Sleep(d) // on the fake clock
	synctest.Wait()
}

func says(active string, epoch int) string {
	return fmt.Sprintf(`{"pool":"chat","active":%q,"epoch":%d,"states":{"primary":"up","redundant":"down"}}`, active, epoch)
}

func TestAllAreAskedEverySecond(t *testing.T) {
	watch(t, func(w *world, watcher *Watcher) {
		w.say("ns1", says("primary", 5))
		w.say("ns2", says("primary", 5))
		pass(10*time.Second + 100*time.Millisecond)
		if w.asked["ns1"] != 11 || w.asked["ns2"] != 11 || w.saved["ns1"] < 10 {
			t.Errorf("asked %v, of which unchanged %v", w.asked, w.saved)
		}
		if v := w.last(); len(w.views) != 1 || !v.Heard || v.Active != "primary" || v.Epoch != 5 || v.States["redundant"] != Down {
			t.Errorf("%+v", w.views)
		}
		watcher.Ask()
		pass(0)
		if w.asked["ns1"] != 12 || w.asked["ns2"] != 12 {
			t.Errorf("asked %v after Ask", w.asked)
		}
	})
}

func TestTheHighestEpochCounts(t *testing.T) {
	watch(t, func(w *world, _ *Watcher) {
		w.say("ns1", says("redundant", 6))
		w.say("ns2", says("primary", 5)) // cut off from the others
		pass(5 * time.Second)
		if v := w.last(); v.Active != "redundant" || v.Epoch != 6 {
			t.Errorf("%+v", v)
		}
		if n := w.logged("older than that of another"); n != 1 {
			t.Errorf("an old epoch was logged %d times", n)
		}
		// The one that knew it is gone. For a minute its word stands.
		w.say("ns1", "")
		pass(55 * time.Second)
		if v := w.last(); v.Active != "redundant" {
			t.Errorf("%+v", v)
		}
		pass(10 * time.Second)
		if v := w.last(); v.Active != "primary" || v.Epoch != 5 {
			t.Errorf("%+v", v)
		}
	})
}

func TestSilenceIsNoView(t *testing.T) {
	watch(t, func(w *world, _ *Watcher) {
		w.say("ns1", says("primary", 5))
		pass(3 * time.Second)
		w.say("ns1", "")
		pass(9 * time.Second)
		if v := w.last(); !v.Heard {
			t.Error("forgotten too early")
		}
		pass(3 * time.Second)
		if v := w.last(); v.Heard || v.Active != "" || v.States != nil {
			t.Errorf("%+v", v)
		}
		w.say("ns2", says("redundant", 6))
		pass(time.Second)
		if v := w.last(); !v.Heard || v.Active != "redundant" {
			t.Errorf("%+v", v)
		}
	})
}

func TestNonsenseIsIgnoredAndLoggedOnce(t *testing.T) {
	for name, body := range map[string]string{
		"an unknown deployment": says("evil", 99), "no JSON": "<html>", "another pool": `{"pool":"mail","active":"primary","epoch":9}`,
		"no epoch": says("primary", 0), "a list": "[]", "a long one": `{"pool":"` + strings.Repeat("x", maxBody) + `"}`,
	} {
		watch(t, func(w *world, _ *Watcher) {
			w.say("ns1", says("primary", 5))
			pass(time.Second)
			w.say("ns2", body)
			pass(20 * time.Second)
			if v := w.last(); !v.Heard || v.Active != "primary" || v.Epoch != 5 {
				t.Errorf("%s: %+v", name, v)
			}
			if n := w.logged(`reason="it`); n > 2 { // no answer, at first; then this
				t.Errorf("%s: logged %d times", name, n)
			}
		})
	}
}
