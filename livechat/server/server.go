// Package server is a deployment on the network: the chat's WebSockets, the link, its health, and the pages.
package server

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/livens/livens/internal/guests"
	"github.com/livens/livens/livechat/chat"
	"github.com/livens/livens/livechat/notice"
	"github.com/livens/livens/livechat/store"
)

// Options are what a Server is made of.
type Options struct {
	Hub     *chat.Hub
	Store   *store.Store
	Link    http.Handler // what the other deployment connects to; nil without one
	Synced  func() error // nil when both deployments hold the same; else why that is not known
	Client  any          // the script's configuration, which is given to the pages
	Pages   http.Handler // everything else; nil: nothing
	Origins []string     // of pages that may connect, such as "https://shop.example.com"
	URLs    []string     // of the deployments: their pages may connect, too
	Log     *slog.Logger
	// Certificate is the one to show now; nil: plain HTTP.
	Certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)
}

// Server serves a deployment.
type Server struct {
	hub     *chat.Hub
	store   *store.Store
	synced  func() error
	config  []byte
	origins origins
	log     *slog.Logger
	notices *notice.Log
	handler http.Handler

	certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)
	strangers   *guests.House // connections that have not said hello
}

// New builds the handlers; nothing listens yet.
func New(o Options) (*Server, error) {
	config, err := json.MarshalIndent(o.Client, "", "  ")
	if err != nil {
		return nil, err
	}
	s := &Server{hub: o.Hub, store: o.Store, synced: o.Synced, config: config, origins: originsOf(o.Origins, o.URLs), log: o.Log}
	s.certificate, s.strangers, s.notices = o.Certificate, guests.New(maxStrangers), notice.New(o.Log)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /chat", s.client)
	mux.HandleFunc("GET /healthz", s.healthz)
	mux.HandleFunc("GET /syncz", s.syncz)
	mux.HandleFunc("GET /client.json", s.clientConfig)
	if o.Link != nil {
		mux.Handle("GET /link", o.Link)
	}
	if o.Pages != nil {
		mux.Handle("GET /", o.Pages)
	}
	s.handler = mux
	return s, nil
}

// Limits of connections that have not said hello; helloLimit is another.
const (
	maxStrangers = 4096 // at once; then one of the address that holds the most gives way
	headLimit    = 5 * time.Second
	readLimit    = 10 * time.Second // for a request, and the handshake before it
	replyLimit   = 30 * time.Second
	idleLimit    = 30 * time.Second
	maxHead      = 16 << 10 // bytes
)

// Serve serves on l until ctx is done; then clients are told, and have two seconds to answer. It closes l.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	server := &http.Server{
		Handler: s.handler, ReadHeaderTimeout: headLimit, ReadTimeout: readLimit, WriteTimeout: replyLimit, IdleTimeout: idleLimit, MaxHeaderBytes: maxHead,
		ConnContext: guests.Note,
		ErrorLog:    slog.NewLogLogger(s.log.Handler(), slog.LevelDebug), // what strangers do wrong with HTTP and TLS
	}
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(stopped)
		s.end(server)
	})
	err := s.listen(server, s.strangers.Listen(l, false))
	if !stop() {
		<-stopped
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

func (s *Server) listen(server *http.Server, l net.Listener) error {
	if s.certificate == nil {
		return server.Serve(l)
	}
	server.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: s.certificate}
	server.Protocols = &http.Protocols{}
	server.Protocols.SetHTTP1(true) // as WebSockets need it
	return server.ServeTLS(l, "", "")
}

// grace is how long clients have to close after they were told.
const grace = 3 * time.Second

func (s *Server) end(server *http.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	s.hub.Shutdown()
	if server.Shutdown(ctx) != nil { // it does not wait for WebSockets
		server.Close()
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for s.hub.Clients() > 0 {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (s *Server) healthz(w http.ResponseWriter, _ *http.Request) { answer(w, s.store.Check()) }

func (s *Server) syncz(w http.ResponseWriter, _ *http.Request) { answer(w, s.synced()) }

// answer is 200, or 503 with the reason.
func answer(w http.ResponseWriter, err error) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	if err != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte(err.Error() + "\n")) // a reader that went away is no news
		return
	}
	_, _ = w.Write([]byte("ok\n"))
}

// clientConfig gives pages what the script is to be configured with.
func (s *Server) clientConfig(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("Access-Control-Allow-Origin", "*")
	_, _ = w.Write(s.config)
}
