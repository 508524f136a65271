package web

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/livens/livens/events"
	"github.com/livens/livens/failover"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/net/netutil"
)

// Options are what a Server is made of. All functions are called from many goroutines at once.
type Options struct {
	Status  func() *Status                                           // a new document for each call
	Explain func(name string) (*Explanation, error)                  // what is answered at a name
	Order   func(context.Context, failover.Order) (*Receipt, error)  // an operator's order
	Foresee func(context.Context, failover.Order) (*Forecast, error) // what it would bring; nothing is changed
	Reload  func() *Reload                                           // reads the configuration again
	Events  func(n int, pool string) []events.Happened               // the last n (n < 0: all), newest last: of one pool, or ("") of all
	DNS     prometheus.Collector                                     // the DNS server's own metrics
	Log     *slog.Logger
}

// Server shows the status document on a TCP listener, and takes orders on the control socket.
type Server struct {
	options Options
	shown   http.Handler // GET and HEAD of what anybody who reaches the listener may see
	control http.Handler // the same, and orders
}

// New builds the handlers; nothing listens yet.
func New(o Options) *Server {
	s := &Server{options: o}
	show := http.NewServeMux()
	metrics := promhttp.HandlerFor(newRegistry(o.Status, o.DNS), promhttp.HandlerOpts{
		ErrorLog: slog.NewLogLogger(o.Log.Handler(), slog.LevelError), MaxRequestsInFlight: 4,
	})
	show.Handle("GET /metrics", metrics)
	show.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { text(w, http.StatusOK, "ok") })
	show.HandleFunc("GET /readyz", s.readyz)
	show.HandleFunc("GET /api/v1/status", s.status)
	show.HandleFunc("GET /api/v1/explain", s.explain)
	show.HandleFunc("GET /api/v1/events", s.events)
	show.HandleFunc("GET /{$}", s.page)
	s.shown = readOnly(guard(show))

	act := http.NewServeMux()
	act.Handle("GET /", show)
	act.HandleFunc("GET /api/v1/status", s.compact)
	act.HandleFunc("POST /api/v1/orders", s.order)
	act.HandleFunc("POST /api/v1/forecast", s.forecast)
	act.HandleFunc("POST /api/v1/reload", s.reload)
	s.control = act
	return s
}

// Limits of both listeners. What is served is small and clients are few: a browser, a scraper, the command line.
const (
	maxConnections = 256
	maxIdle        = 5 * time.Second // idle connections must not keep a supervisor's probe out
	maxHeader      = 16 << 10
	maxBody        = 64 << 10
)

// Serve shows the status document on l until ctx is done. It closes l.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	return serve(ctx, netutil.LimitListener(l, maxConnections), s.shown, s.options.Log)
}

// ServeControl takes orders on l, which Control made, until ctx is done. It closes l.
func (s *Server) ServeControl(ctx context.Context, l net.Listener) error {
	return serve(ctx, l, s.control, s.options.Log)
}

func serve(ctx context.Context, l net.Listener, h http.Handler, log *slog.Logger) error {
	server := &http.Server{
		Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: time.Minute,
		IdleTimeout: maxIdle, MaxHeaderBytes: maxHeader, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	return serveUntil(ctx, server, func() error { return server.Serve(l) })
}

// serveUntil runs serve, which has server serve, until ctx is done. Requests that are under way then get 2 s.
func serveUntil(ctx context.Context, server *http.Server, serve func() error) error {
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(stopped)
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		if server.Shutdown(grace) != nil {
			server.Close()
		}
	})
	err := serve()
	if !stop() {
		<-stopped
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// readOnly refuses every method that could be taken for an order.
func readOnly(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			text(w, http.StatusMethodNotAllowed, "this port only shows; orders go through the control socket: see livens --help")
			return
		}
		h.ServeHTTP(w, r)
	})
}

// guard keeps browsers from storing, framing or guessing what they are shown.
func guard(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Content-Security-Policy", contentSecurityPolicy)
		w.Header().Set("Cross-Origin-Resource-Policy", "same-origin")
		w.Header().Set("Referrer-Policy", "no-referrer")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		h.ServeHTTP(w, r)
	})
}

func (s *Server) readyz(w http.ResponseWriter, _ *http.Request) {
	if now := s.options.Status(); !now.Ready {
		text(w, http.StatusServiceUnavailable, "waiting: "+now.Waiting)
		return
	}
	text(w, http.StatusOK, "ready")
}

func (s *Server) status(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, s.options.Status())
}

// compact is the status for Client, which reads no layout: of very many targets that would be megabytes, several times over.
func (s *Server) compact(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(s.options.Status()) // a reader that went away is no news
}

func (s *Server) explain(w http.ResponseWriter, r *http.Request) {
	e, err := s.options.Explain(r.URL.Query().Get("name"))
	if err != nil {
		writeError(w, http.StatusBadRequest, err)
		return
	}
	writeJSON(w, http.StatusOK, e)
}

func (s *Server) reload(w http.ResponseWriter, r *http.Request) {
	writeJSON(w, http.StatusOK, s.options.Reload())
}

// failure is the document of every reply that is not 200.
type failure struct {
	Error string `json:"error"`
}

func writeError(w http.ResponseWriter, code int, err error) { writeJSON(w, code, failure{err.Error()}) }

func writeJSON(w http.ResponseWriter, code int, document any) {
	body, err := json.MarshalIndent(document, "", "  ")
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_, _ = w.Write(append(body, '\n')) // a reader that went away is no news
}

func text(w http.ResponseWriter, code int, line string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	_, _ = w.Write([]byte(line + "\n"))
}
