package drill_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/coder/websocket"
)

// TestDrillChatPlain (F9): a page that is no chat, with a FailoverSocket and failoverFetch, and two deployments that know nothing
// of livens: they say what they are told. The primary's connections break, and it takes no new ones.
func TestDrillChatPlain(t *testing.T) {
	pages := httptest.NewServer(pageFiles())
	t.Cleanup(pages.Close)
	primary, redundant := newEcho(t, "primary"), newEcho(t, "redundant")
	options := map[string]any{"pool": poolName, "url": "ws://" + primary.addr() + "/", "deployments": []map[string]any{
		{"id": "primary", "urls": []string{"ws://" + primary.addr() + "/"}}, {"id": "redundant", "urls": []string{"ws://" + redundant.addr() + "/"}},
	}}
	p := newParty(chromium.tab(t), visitorRole)
	hash, err := json.Marshal(options)
	p.must(err)
	p.run(chromedp.Navigate(pages.URL + "/plain.html#" + url.PathEscape(string(hash))))
	p.await("the socket is open", time.Time{}, settleLimit, kind("ready"))
	p.echoes("one", "primary")

	struck := time.Now()
	primary.set(fault{refusing: true})
	primary.reset()
	p.await("a switch", struck, followLimit, switchedTo("redundant"))
	p.echoes("two", "redundant")
	f := figures{sent: 2, slowest: time.Since(struck)}
	if got := value[string](p.tab, `drill.fetch("/")`); got != "redundant" {
		t.Errorf("failoverFetch got %q", got)
	}
	fetched := time.Since(struck)
	switches := p.switches(struck)
	if len(switches) != 1 || switches[0].From != "primary" || switches[0].To != "redundant" {
		t.Fatalf("it switched: %+v", switches)
	}
	f.gap = time.Duration(switches[0].Gap * float64(time.Millisecond))
	for what, took := range map[string]time.Duration{"without a socket": f.gap, "an echo after": f.slowest, "fetched after": fetched} {
		if took > killedBound {
			t.Errorf("%s %v, promised %v", what, round(took), killedBound)
		}
	}
	report(t, row{what: "a socket and a fetch that are no chat, killed", promised: promise(killedBound), figures: f, more: fmt.Sprintf("fetched after %v", round(fetched))})
}

// echoes sends a text, and waits until a deployment has said it back.
func (p *party) echoes(text, from string) {
	p.t.Helper()
	since := time.Now()
	p.run(evaluate(fmt.Sprintf("drill.say(%q)", text)))
	p.await("an echo", since.Add(-time.Second), followLimit, func(e event) bool { return e.Kind == "got" && e.Text == from+": "+text })
}

// newEcho is a deployment that says its name, and what it is told, behind a path.
func newEcho(t testing.TB, name string) *relay {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") == "" {
			w.Header().Set("Access-Control-Allow-Origin", "*")
			_, _ = io.WriteString(w, name) // who is gone needs no answer
			return
		}
		conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
		if err != nil {
			return
		}
		defer conn.CloseNow()
		for {
			kind, text, err := conn.Read(r.Context())
			if err != nil || conn.Write(r.Context(), kind, append([]byte(name+": "), text...)) != nil {
				return
			}
		}
	}))
	t.Cleanup(server.Close)
	return newRelay(t, dialTo(server.Listener.Addr().String()))
}
