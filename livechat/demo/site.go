package main

import (
	_ "embed"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/livens/livens/livechat/pages"
)

//go:embed visit.js
var visitScript string

// site is the customer's web site, which is in neither data center: the shop with the chat button at /, the console at /operator;
// and for the demo /visit, the shop with its chat open, and /enter, which signs the demo's operator in.
type site struct {
	url    string
	server *http.Server
}

// newSite serves it on a port of its own, since it is another origin than the demo's page.
func newSite(c *cast) (*site, error) {
	shop, err := pages.Handler(c.Client)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	page := framed(shop, strings.TrimSuffix(c.page, "/"))
	mux.Handle("GET /", page)
	mux.HandleFunc("GET /visit", func(w http.ResponseWriter, r *http.Request) {
		r = r.Clone(r.Context())
		r.URL.Path = "/"
		page.ServeHTTP(w, r)
		fmt.Fprint(w, `<script src="/visit.js" type="module"></script>`)
	})
	mux.HandleFunc("GET /visit.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
		fmt.Fprint(w, visitScript)
	})
	mux.HandleFunc("GET /enter", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, `<!doctype html><title>signing in</title><script src="/enter.js"></script>`)
	})
	mux.HandleFunc("GET /enter.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
		fmt.Fprintf(w, "sessionStorage.setItem('operator-token', %q); location.replace('/operator');", c.Token)
	})
	s := &site{url: "http://" + listener.Addr().String(), server: &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}}
	go s.server.Serve(listener) //nolint:errcheck // it ends when the demo does
	return s, nil
}

func (s *site) close() { s.server.Close() }

// framed lets one origin show the pages in frames, which they allow nobody. What they are is not said to be all that comes.
func framed(h http.Handler, by string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(&frameable{w, by}, r)
	})
}

type frameable struct {
	http.ResponseWriter
	by string
}

func (f *frameable) WriteHeader(status int) {
	const name = "Content-Security-Policy"
	if policy := f.Header().Get(name); policy != "" {
		f.Header().Set(name, strings.Replace(policy, "frame-ancestors 'none'", "frame-ancestors "+f.by, 1))
	}
	f.Header().Del("Content-Length")
	f.ResponseWriter.WriteHeader(status)
}
