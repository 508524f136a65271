package web

import (
	"crypto/tls"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/livens/livens/failover"
	"github.com/livens/livens/internal/guests"
	"github.com/livens/livens/zones"
)

// Moderator tells the world which deployment of a pool is active, and gives browsers their script: docs/client-protocol.md.
// It reads no status and takes no order. What it replies is made when a decision changes; a poll is one atomic load.
type Moderator struct {
	config  *zones.ModeratorConfig
	log     *slog.Logger
	script  *reply
	zipped  *reply                            // the same for clients that take gzip
	replies atomic.Pointer[map[string]*reply] // by pool, of all pools; nil: nothing was decided yet
	cert    atomic.Pointer[tls.Certificate]
	guests  *guests.House

	polls, others requestCounts // by what was asked for
	pace          meter         // of polls
	handshakes    atomic.Uint64 // that failed
	complaint     atomic.Pointer[Complaint]
}

// ScriptPath is where the Moderator has the client's script.
const ScriptPath = "/livens.js"

// poolsPath is what a pool's name is appended to.
const poolsPath = "/v1/pools/"

// NewModerator makes a Moderator that serves script at ScriptPath; nothing listens yet.
func NewModerator(config *zones.ModeratorConfig, script []byte, log *slog.Logger) *Moderator {
	m := &Moderator{config: config, log: log, guests: guests.New(maxGuests)}
	m.script = newReply(script, "text/javascript; charset=utf-8", "public, max-age=3600")
	m.zipped = newReply(zip(script), "text/javascript; charset=utf-8", "public, max-age=3600")
	m.zipped.header["Content-Encoding"] = []string{"gzip"}
	for _, p := range []*reply{m.script, m.zipped} {
		p.header["Vary"] = []string{"Accept-Encoding"}
	}
	return m
}

// Show makes replies of what is decided. Pools whose decision is the same object as before keep their reply. Calls may not
// overlap, and do not block.
func (m *Moderator) Show(s *failover.Status) {
	if s.Set == nil || !s.Standing.Joined {
		return // what is held is remembered, and may not be what the others answer
	}
	var before map[string]*reply
	if last := m.replies.Load(); last != nil {
		before = *last
	}
	next := make(map[string]*reply, len(s.Set.Pools))
	for _, p := range s.Set.Pools {
		d := s.Decisions[p.Name]
		if was := before[p.Name]; was != nil && was.decision == d {
			next[p.Name] = was
			continue
		}
		next[p.Name] = poolReply(d)
	}
	m.replies.Store(&next)
}

// ServeHTTP implements http.Handler.
func (m *Moderator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h["Access-Control-Allow-Origin"] = anyOrigin
	h["Cross-Origin-Resource-Policy"] = crossOrigin
	h["X-Content-Type-Options"] = noSniff
	name, polls := strings.CutPrefix(r.URL.Path, poolsPath)
	code := m.refuse(w, r)
	switch {
	case code != 0:
	case polls:
		code = m.poll(w, r, name)
	case r.URL.Path == ScriptPath && takesGzip(r):
		code = m.zipped.send(w, r)
	case r.URL.Path == ScriptPath:
		code = m.script.send(w, r)
	default:
		code = deny(w, http.StatusNotFound, "there is nothing here")
	}
	if polls {
		m.polls.add(code)
		m.pace.add(time.Now())
	} else {
		m.others.add(code)
	}
}

// Values of headers that never change; nobody writes to them.
var (
	anyOrigin   = []string{"*"}
	crossOrigin = []string{"cross-origin"}
	noSniff     = []string{"nosniff"}
)

// refuse answers what is no plain GET or HEAD of a path with its status, and returns 0 for what is.
func (m *Moderator) refuse(w http.ResponseWriter, r *http.Request) int {
	if r.ContentLength != 0 {
		w.Header().Set("Connection", "close")
		_ = http.NewResponseController(w).SetReadDeadline(time.Unix(1, 0)) // the body is not waited for
	}
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		return deny(w, http.StatusMethodNotAllowed, "only GET and HEAD")
	case r.ContentLength != 0:
		return deny(w, http.StatusRequestEntityTooLarge, "a request has no body here")
	case r.URL.RawQuery != "" || r.URL.ForceQuery || r.URL.RawPath != "":
		return deny(w, http.StatusNotFound, "a path has no query and no escapes here")
	}
	return 0
}

func (m *Moderator) poll(w http.ResponseWriter, r *http.Request, name string) int {
	replies := m.replies.Load()
	if replies == nil {
		return notYet(w)
	}
	found := (*replies)[name]
	switch {
	case found == nil:
		return deny(w, http.StatusNotFound, "no such pool")
	case len(found.body) == 0:
		return notYet(w)
	}
	return found.send(w, r)
}

func notYet(w http.ResponseWriter) int {
	w.Header().Set("Retry-After", "1")
	return deny(w, http.StatusServiceUnavailable, "nothing is decided yet")
}

// deny refuses a request and returns the status.
func deny(w http.ResponseWriter, code int, why string) int {
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, code, failure{why})
	return code
}
