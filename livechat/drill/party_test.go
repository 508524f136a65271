package drill_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// event is what a page tells.
type event struct {
	Kind      string          `json:"kind"`
	At        float64         `json:"at"` // milliseconds since 1970
	Who       string          `json:"who"`
	C         string          `json:"c"`
	Text      string          `json:"text"`
	Why       string          `json:"why"`
	URL       string          `json:"url"`
	ID        int             `json:"id"`
	Code      int             `json:"code"`
	Persisted bool            `json:"persisted"`
	Detail    json.RawMessage `json:"detail"`
	load      int             // which load of the page it was
}

// switched is the detail of a switch event.
type switched struct {
	From, To, Reason string
	Gap              float64
	Planned          bool
	Resent, Replayed int
}

func (e event) switched() (s switched) {
	_ = json.Unmarshal(e.Detail, &s) // an empty one fails whoever reads it
	return s
}

// party is a page on which one or more people chat, all as visitor or all as operator.
type party struct {
	*tab
	role   string
	origin string

	mu     sync.Mutex
	heard  *sync.Cond
	events []event
	loads  int
}

// speaker is one who chats on a page.
type speaker struct {
	Name string         `json:"name"`
	Own  bool           `json:"own"` // keeps its things apart from the others on the page
	Chat map[string]any `json:"chat"`
}

// manners say how they talk.
type manners struct {
	Role     string    `json:"role"`
	Talk     bool      `json:"talk"`
	Least    int       `json:"least"` // milliseconds between two rounds
	Most     int       `json:"most"`
	Seed     uint32    `json:"seed"`
	Speakers []speaker `json:"speakers"`
	Allowed  []string  `json:"-"` // to where the page's policy lets it connect; nil: anywhere
}

// open opens the drills' page, in a browser context of its own.
func (w *world) open(m manners) *party {
	w.t.Helper()
	return newParty(w.tab(), m.Role).load(w.origin, m)
}

// tab is an empty one: one that was opened while the processes started, or a new one.
func (w *world) tab() *tab {
	w.t.Helper()
	if len(w.blank) == 0 {
		return w.browser.tab(w.t)
	}
	x := w.blank[0]
	w.blank = w.blank[1:]
	x.attach()
	return x
}

// load opens the drills' page in the tab.
func (p *party) load(origin string, m manners) *party {
	p.t.Helper()
	hash, err := json.Marshal(m)
	p.must(err)
	p.origin = origin
	p.run(chromedp.Navigate(origin + "/drill.html?" + url.Values{"connect": m.Allowed}.Encode() + "#" + url.PathEscape(string(hash))))
	return p
}

// newParty listens to what the tab's pages tell.
func newParty(x *tab, role string) *party {
	p := &party{tab: x, role: role}
	p.heard = sync.NewCond(&p.mu)
	chromedp.ListenTarget(p.ctx, func(e any) {
		if called, ok := e.(*runtime.EventBindingCalled); ok && called.Name == "drillTell" {
			p.hear(called.Payload)
		}
	})
	p.run(runtime.Enable(), runtime.AddBinding("drillTell"))
	return p
}

func (p *party) hear(payload string) {
	var e event
	if err := json.Unmarshal([]byte(payload), &e); err != nil {
		e = event{Kind: "error", Why: err.Error()}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if e.Kind == "load" {
		p.loads++
	}
	e.load = p.loads
	p.events = append(p.events, e)
	p.heard.Broadcast()
}

// seen is what the page has told since a moment.
func (p *party) seen(since time.Time) []event {
	p.mu.Lock()
	defer p.mu.Unlock()
	return since0(p.events, since)
}

func since0(events []event, since time.Time) []event {
	from := slices.IndexFunc(events, func(e event) bool { return !e.time().Before(since) })
	if from < 0 {
		return nil
	}
	return slices.Clone(events[from:])
}

func (e event) time() time.Time { return time.UnixMicro(int64(e.At * 1000)) }

// await waits until what the page has told since a moment is enough, and returns that event.
func (p *party) await(what string, since time.Time, limit time.Duration, enough func(event) bool) event {
	p.t.Helper()
	late := time.AfterFunc(limit, func() { p.mu.Lock(); defer p.mu.Unlock(); p.heard.Broadcast() })
	defer late.Stop()
	end := time.Now().Add(limit)
	p.mu.Lock()
	defer p.mu.Unlock()
	for looked := 0; ; p.heard.Wait() {
		for ; looked < len(p.events); looked++ {
			if e := p.events[looked]; !e.time().Before(since) && enough(e) {
				return e
			}
		}
		if !time.Now().Before(end) {
			p.t.Fatalf("%s: not within %v: %s; it told:\n%s", p.role, limit, what, told(since0(p.events, since.Add(-15*time.Second))))
		}
	}
}

// told lists what a page told, without the talk.
func told(events []event) (lines string) {
	for _, e := range events {
		if e.Kind != "said" && e.Kind != "got" && e.Kind != "safe" {
			lines += fmt.Sprintf("  %s %s %s %s%s #%d %d %s\n", e.time().Format("05.000"), e.Who, e.Kind, e.Why, e.URL, e.ID, e.Code, e.Detail)
		}
	}
	return lines
}

// kinds is for await: the first event of a kind.
func kind(kind string) func(event) bool { return func(e event) bool { return e.Kind == kind } }

// switchedTo is for await: the switch to a deployment.
func switchedTo(id string) func(event) bool {
	return func(e event) bool { return e.Kind == "switch" && e.switched().To == id }
}

// switches are those since a moment.
func (p *party) switches(since time.Time) (all []switched) {
	for _, e := range p.seen(since) {
		if e.Kind == "switch" {
			all = append(all, e.switched())
		}
	}
	return all
}

// pageFiles serves the drills' page and the script under test.
func pageFiles() http.Handler {
	files := http.FileServer(http.Dir("page"))
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if allowed := r.URL.Query()["connect"]; allowed != nil {
			w.Header().Set("Content-Security-Policy", "connect-src "+strings.Join(allowed, " "))
		}
		files.ServeHTTP(w, r)
	})
	mux.HandleFunc("GET /livens-client.mjs", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		http.ServeFile(w, r, "../../client/dist/livens-client.mjs")
	})
	return mux
}
