package drill_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/coder/websocket"
)

// yardstick is a page that opens a WebSocket again and again to a server that says one word at once. How long that takes
// is what any connection takes at this moment on this machine; where it takes long, no promise about time can be measured.
type yardstick struct {
	mu   sync.Mutex
	took []took
}

type took struct {
	at time.Time // when it had the word
	d  time.Duration
}

// yard is the one of this run.
var yard yardstick

// fairLimit is how long a connection may take on a machine that is quiet enough to measure: a switch takes two connections
// or three, and 300 ms are promised.
const fairLimit = 50 * time.Millisecond

// connections are how many a switch may wait for one after the other, when each is slow: one that is refused, one that is
// welcomed, one between the deployments, and as much for the message.
const connections = 6

// tries are how often a drill is held in which nobody may be moved, before a slow machine is no excuse.
const tries = 3

// within fails the drill when something took longer than was promised: on a quiet machine to the letter, on a busy one by
// more than what mere connections took there during the drill.
func (w *world) within(bound, took time.Duration, what string) {
	w.t.Helper()
	busy := yard.worst(w.began, time.Now())
	switch {
	case took <= bound:
	case busy > fairLimit && took <= bound+connections*busy:
		w.t.Logf("not measured: %s %v, promised %v, while a mere connection took up to %v", what, round(took), bound, round(busy))
		w.unmeasured = true
	default:
		w.t.Errorf("%s %v, promised %v (a mere connection took up to %v)", what, round(took), bound, round(busy))
	}
}

const yardPage = `<!doctype html><html lang="en"><title>A yardstick</title><script>
const measure = () => {
  const start = performance.timeOrigin + performance.now();
  const socket = new WebSocket("ws://" + location.host + "/word");
  socket.onmessage = () => {
    drillTell(JSON.stringify({ kind: "took", at: performance.timeOrigin + performance.now(), id: Math.round(1000 * (performance.timeOrigin + performance.now() - start)) }));
    socket.close();
  };
  socket.onclose = () => setTimeout(measure, 100);
};
measure();
</script></html>`

// begin opens the page.
func (y *yardstick) begin(b *browser) (end func(), err error) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/word" {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			fmt.Fprint(w, yardPage)
			return
		}
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer conn.CloseNow()
		if conn.Write(r.Context(), websocket.MessageText, []byte("word")) == nil {
			_, _, _ = conn.Read(r.Context()) // until the page closes
		}
	}))
	t := &runTB{}
	p := newParty(b.tab(t), "yardstick")
	p.told = func(e event) {
		y.mu.Lock()
		defer y.mu.Unlock()
		y.took = append(y.took, took{e.time(), time.Duration(e.ID) * time.Microsecond})
	}
	if err := p.try(chromedp.Navigate(server.URL)); err != nil {
		return nil, err
	}
	return func() {
		_ = p.try(page.Close()) // it goes with the browser otherwise
		t.end()
		server.Close()
	}, nil
}

// worst is the longest that a connection took within a time, or has taken so far.
func (y *yardstick) worst(from, to time.Time) (worst time.Duration) {
	y.mu.Lock()
	defer y.mu.Unlock()
	last := from
	for _, k := range y.took {
		if k.at.After(from) && k.at.Add(-k.d).Before(to) {
			worst = max(worst, k.d)
		}
		last = latest(last, k.at)
	}
	return max(worst, to.Sub(last)-yardPause)
}

// yardPause is more than between two connections.
const yardPause = 300 * time.Millisecond

// drill holds a drill, and again in another world if people were moved who should not be, while the machine was so busy
// that silence and slowness looked alike.
func drill(t *testing.T, p plan, hold func(w *world) row) {
	t.Helper()
	again(t, func() (*world, row) {
		w := newWorld(t, p)
		return w, hold(w)
	})
}

// drillEmpty is drill with a world in which nobody chats yet.
func drillEmpty(t *testing.T, p plan, hold func(w *world) row) {
	t.Helper()
	again(t, func() (*world, row) {
		w := newEmptyWorld(t, p)
		return w, hold(w)
	})
}

func again(t *testing.T, hold func() (*world, row)) {
	t.Helper()
	t.Parallel()
	for try := 1; ; try++ {
		began := time.Now()
		w, r := hold()
		busy := yard.worst(began, time.Now())
		if len(w.moved) > 0 && busy > movedLimit && try < tries {
			t.Logf("once more, since a mere connection took up to %v: %v", round(busy), w.moved)
			w.clear()
			continue
		}
		for _, what := range w.moved {
			t.Errorf("%s (a mere connection took up to %v)", what, round(busy))
		}
		if w.unmeasured {
			r.more = strings.TrimPrefix(r.more+"; not measured: the machine was busy", "; ")
		}
		report(t, r)
		return
	}
}

// movedLimit is how slow connections are where a deployment may seem silent that is not.
const movedLimit = 300 * time.Millisecond

// movedAll notes that people were moved, or cut off, who should not be; again judges.
func (w *world) movedAll(format string, args ...any) {
	w.moved = append(w.moved, fmt.Sprintf(format, args...))
}

// clear has everybody leave, and ends the processes, ahead of the test's end.
func (w *world) clear() {
	w.t.Helper()
	for _, p := range w.parties() {
		if p != nil {
			p.leave()
		}
	}
	for _, d := range w.all() {
		d.kill()
	}
	for _, ns := range w.nameservers {
		ns.Kill()
	}
}

// runTB stands for the whole run where a test is wanted.
type runTB struct {
	testing.TB
	ends []func()
}

func (*runTB) Helper()                   {}
func (*runTB) Context() context.Context  { return context.Background() }
func (r *runTB) Cleanup(f func())        { r.ends = append(r.ends, f) }
func (*runTB) Fatalf(f string, a ...any) { panic(fmt.Sprintf(f, a...)) }
func (*runTB) Fatal(args ...any)         { fmt.Fprintln(os.Stderr, args...); os.Exit(1) }

func (r *runTB) end() {
	for len(r.ends) > 0 {
		last := r.ends[len(r.ends)-1]
		r.ends = r.ends[:len(r.ends)-1]
		last()
	}
}
