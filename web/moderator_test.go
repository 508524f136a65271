package web

import (
	"compress/gzip"
	"io"
	"log/slog"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/livens/livens/failover"
	"github.com/livens/livens/zones"
)

func itoa(n uint64) string { return strconv.FormatUint(n, 10) }

// sampleModerator shows the sample, in which the primary of chat is down.
func sampleModerator(t testing.TB) (*Moderator, *failover.Status) {
	t.Helper()
	m := NewModerator(&zones.ModeratorConfig{}, []byte("// script\n"), slog.New(slog.DiscardHandler))
	s := *seen(t).Failover
	s.Standing.Joined = true
	m.Show(&s)
	return m, &s
}

func ask(t testing.TB, m *Moderator, method, path string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	w, r := httptest.NewRecorder(), httptest.NewRequest(method, path, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	m.ServeHTTP(w, r)
	return w
}

func TestModeratorRepliesAsTheProtocolSays(t *testing.T) {
	m, s := sampleModerator(t)
	w := ask(t, m, "GET", "/v1/pools/chat")
	const want = `{"pool":"chat","active":"redundant","order":["redundant","primary"],"epoch":EPOCH,"states":{"primary":"down","redundant":"up"}}` + "\n"
	epoch := itoa(s.Decisions["chat"].Epoch)
	if got := w.Body.String(); w.Code != 200 || got != strings.Replace(want, "EPOCH", epoch, 1) {
		t.Errorf("%d %s", w.Code, got)
	}
	for name, want := range map[string]string{
		"Content-Type": "application/json", "Cache-Control": "public, max-age=1", "Access-Control-Allow-Origin": "*",
		"X-Content-Type-Options": "nosniff", "Cross-Origin-Resource-Policy": "cross-origin", "Content-Length": itoa(uint64(w.Body.Len())),
	} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if etag := w.Header().Get("ETag"); len(etag) != 18 || etag[0] != '"' || etag[17] != '"' {
		t.Errorf("ETag %s is not strong", etag)
	}
	head := ask(t, m, "HEAD", "/v1/pools/chat")
	if head.Code != 200 || head.Body.Len() > 0 || head.Header().Get("Content-Length") != w.Header().Get("Content-Length") {
		t.Errorf("HEAD: %d, %d bytes, %v", head.Code, head.Body.Len(), head.Header())
	}
}

func TestModeratorSaysNotModified(t *testing.T) {
	m, _ := sampleModerator(t)
	etag := ask(t, m, "GET", "/v1/pools/chat").Header().Get("ETag")
	for header, code := range map[string]int{
		etag: 304, "W/" + etag: 304, `"x", ` + etag: 304, "*": 304, `"x"`: 200, strings.Trim(etag, `"`): 200, "": 200,
	} {
		w := ask(t, m, "GET", "/v1/pools/chat", "If-None-Match", header)
		if w.Code != code || (w.Body.Len() == 0) != (code == 304) {
			t.Errorf("If-None-Match %s: %d, %d bytes", header, w.Code, w.Body.Len())
		}
		if w.Header().Get("ETag") != etag || w.Header().Get("Cache-Control") != "public, max-age=1" || w.Header().Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("If-None-Match %s: %v", header, w.Header())
		}
		if code == 304 && w.Header().Get("Content-Length") != "" {
			t.Errorf("a 304 has the length of no body: %v", w.Header())
		}
	}
	if w := ask(t, m, "GET", "/v1/pools/chat", "If-None-Match", `"x"`, "If-None-Match", etag); w.Code != 304 {
		t.Errorf("in the second header: %d", w.Code)
	}
}

func TestModeratorRefusesEverythingElse(t *testing.T) {
	m, _ := sampleModerator(t)
	for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "CONNECT", "TRACE", "get", "PROPFIND"} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest("GET", "/v1/pools/chat", nil)
		r.Method = method
		if m.ServeHTTP(w, r); w.Code != 405 || w.Header().Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: %d, Allow %q", method, w.Code, w.Header().Get("Allow"))
		}
	}
	for _, path := range []string{
		"/", "/v1/pools", "/v1/pools/", "/v1/pools/nope", "/v1/pools/chat/", "/v1/pools//chat", "/v1/pools/../pools/chat", "/v1//pools/chat",
		"/v1/pools/CHAT", "/v1/pools/chat?x", "/v1/pools/chat?", "/v1/pools/ch%61t", "/v2/pools/chat", "/livens.js?v=1", "/livens.js/", "/metrics",
		"/api/v1/status", "/healthz",
	} {
		w := ask(t, m, "GET", path)
		if w.Code != 404 || w.Header().Get("Cache-Control") != "no-store" || !strings.HasPrefix(w.Body.String(), "{\n  \"error\": ") {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
		if w.Header().Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: a script cannot read why it is refused", path)
		}
	}
	for method, code := range map[string]int{"GET": 413, "HEAD": 413, "POST": 405} {
		for _, body := range []io.Reader{strings.NewReader("{}"), io.MultiReader(strings.NewReader("{}"))} { // the second has no length
			w := httptest.NewRecorder()
			m.ServeHTTP(w, httptest.NewRequest(method, "/v1/pools/chat", body))
			if w.Code != code || w.Header().Get("Connection") != "close" {
				t.Errorf("%s with a body: %d, Connection %q", method, w.Code, w.Header().Get("Connection"))
			}
		}
	}
}

func TestModeratorServesTheScript(t *testing.T) {
	m, _ := sampleModerator(t)
	w := ask(t, m, "GET", "/livens.js")
	if w.Code != 200 || w.Body.String() != "// script\n" {
		t.Errorf("%d %q", w.Code, w.Body)
	}
	for name, want := range map[string]string{
		"Content-Type": "text/javascript; charset=utf-8", "Cache-Control": "public, max-age=3600", "Access-Control-Allow-Origin": "*",
		"X-Content-Type-Options": "nosniff", "Cross-Origin-Resource-Policy": "cross-origin",
	} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	packed := ask(t, m, "GET", "/livens.js", "Accept-Encoding", "br, gzip, deflate")
	if packed.Header().Get("Content-Encoding") != "gzip" || packed.Header().Get("ETag") == w.Header().Get("ETag") || w.Header().Get("Vary") != "Accept-Encoding" {
		t.Errorf("for who takes gzip: %v", packed.Header())
	}
	if z, err := gzip.NewReader(packed.Body); err != nil {
		t.Error(err)
	} else if text, err := io.ReadAll(z); err != nil || string(text) != "// script\n" {
		t.Errorf("unpacked: %q, %v", text, err)
	}
	if refused := ask(t, m, "GET", "/livens.js", "Accept-Encoding", "gzip;q=0"); refused.Header().Get("Content-Encoding") != "" {
		t.Error("who wants no gzip gets it")
	}
	if again := ask(t, m, "GET", "/livens.js", "If-None-Match", w.Header().Get("ETag")); again.Code != 304 || again.Body.Len() > 0 {
		t.Errorf("again: %d, %d bytes", again.Code, again.Body.Len())
	}
}

func TestModeratorBeforeTheFirstDecision(t *testing.T) {
	m := NewModerator(&zones.ModeratorConfig{}, nil, slog.New(slog.DiscardHandler))
	wait := func(when string) {
		t.Helper()
		if w := ask(t, m, "GET", "/v1/pools/chat"); w.Code != 503 || w.Header().Get("Retry-After") != "1" || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %v", when, w.Code, w.Header())
		}
	}
	wait("before anything is known")
	s := *seen(t).Failover
	m.Show(&s)
	wait("before it has joined the others")
	s.Standing.Joined = true
	undecided := s
	undecided.Decisions = map[string]*failover.Decision{"ws": s.Decisions["ws"]}
	m.Show(&undecided)
	wait("without a decision for the pool")
	if w := ask(t, m, "GET", "/v1/pools/ws"); w.Code != 200 {
		t.Errorf("the other pool: %d", w.Code)
	}
	if w := ask(t, m, "GET", "/v1/pools/nope"); w.Code != 404 {
		t.Errorf("no pool: %d", w.Code)
	}
	if m.Show(&s); ask(t, m, "GET", "/v1/pools/chat").Code != 200 {
		t.Error("after the decision")
	}
	gone := s
	gone.Set = &zones.Set{Pools: s.Set.Pools[1:]}
	if m.Show(&gone); ask(t, m, "GET", "/v1/pools/chat").Code != 404 {
		t.Error("a pool that was removed is still told")
	}
}

// TestModeratorKeepsWhatDidNotChange: a new reply is made for a new decision only, and it is another one only if what it
// tells is.
func TestModeratorKeepsWhatDidNotChange(t *testing.T) {
	m, s := sampleModerator(t)
	reply := func(pool string) *reply { return (*m.replies.Load())[pool] }
	chat, ws := reply("chat"), reply("ws")
	change := func(edit func(*failover.Decision)) {
		d := *s.Decisions["chat"]
		d.Deployments = append([]failover.DeploymentState(nil), d.Deployments...)
		edit(&d)
		next := *s
		next.Decisions = map[string]*failover.Decision{"chat": &d, "ws": s.Decisions["ws"]}
		m.Show(&next)
	}
	if m.Show(s); reply("chat") != chat {
		t.Error("the same decision made another reply")
	}
	change(func(d *failover.Decision) {
		d.Reason, d.TTL, d.Lowered, d.Deployments[0].Reason = "other words", 5, true, "HTTP 502"
	})
	if reply("chat") == chat || reply("chat").etag != chat.etag || string(reply("chat").body) != string(chat.body) {
		t.Error("words that a client is not told changed what it is told")
	}
	change(func(d *failover.Decision) { d.Epoch++ })
	if reply("chat").etag == chat.etag {
		t.Error("another epoch has the same ETag")
	}
	change(func(d *failover.Decision) { d.Deployments[0].Drained = "by alice" })
	if drained := reply("chat"); drained.etag != chat.etag {
		t.Errorf("a dead one that is drained is dead: %s", drained.body)
	}
	change(func(d *failover.Decision) { d.Deployments[1].Drained = "by alice" })
	if drained := reply("chat"); drained.etag == chat.etag || !strings.Contains(string(drained.body), `"redundant":"drain"`) {
		t.Errorf("drained: %s", drained.body)
	}
	if reply("ws") != ws {
		t.Error("another pool's reply was made anew")
	}
}

func TestModeratorOrder(t *testing.T) {
	state := func(name, state string, answers bool) failover.DeploymentState {
		d := failover.DeploymentState{Name: name, Answers: answers}
		if state == "drain" {
			d.Drained, state = "by bob", "up"
		}
		if err := d.State.UnmarshalText([]byte(state)); err != nil {
			t.Fatal(err)
		}
		return d
	}
	for name, test := range map[string]struct {
		deployments []failover.DeploymentState
		want        string
	}{
		"what answers leads":          {[]failover.DeploymentState{state("a", "up", false), state("b", "up", true)}, "b a"},
		"dead, and answers":           {[]failover.DeploymentState{state("a", "down", true), state("b", "up", false)}, "a b"},
		"the dead come last":          {[]failover.DeploymentState{state("a", "up", true), state("b", "down", false), state("c", "drain", false), state("d", "unknown", false), state("e", "up", false)}, "a e d c b"},
		"equals stay as they are":     {[]failover.DeploymentState{state("a", "down", false), state("b", "down", false), state("c", "down", true)}, "c a b"},
		"all-live: as configured":     {[]failover.DeploymentState{state("a", "up", true), state("b", "up", true)}, "a b"},
		"all-live: the first is dead": {[]failover.DeploymentState{state("a", "down", false), state("b", "up", true), state("c", "up", true)}, "b c a"},
	} {
		d := &failover.Decision{Pool: "p", Deployments: test.deployments}
		for _, x := range test.deployments {
			if x.Answers {
				d.Active = append(d.Active, x.Name)
			}
		}
		got := activeOf(d)
		if strings.Join(got.Order, " ") != test.want || got.Active != got.Order[0] {
			t.Errorf("%s: active %s, order %v", name, got.Active, got.Order)
		}
	}
}

func TestModeratorCountsRequests(t *testing.T) {
	m, _ := sampleModerator(t)
	for _, path := range []string{"/v1/pools/chat", "/v1/pools/chat", "/v1/pools/nope", "/livens.js", "/favicon.ico"} {
		ask(t, m, "GET", path)
	}
	ask(t, m, "POST", "/v1/pools/chat")
	s := m.Status([]string{"https://192.0.2.53:443"})
	if s.Polls["200"] != 2 || s.Polls["404"] != 1 || s.Polls["405"] != 1 || s.Others["200"] != 1 || s.Others["404"] != 1 || len(s.Polls) != 3 || len(s.Others) != 2 {
		t.Errorf("polls %v, others %v", s.Polls, s.Others)
	}
}
