package web

import (
	"bufio"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// FuzzModerator: whatever is asked, the reply is one of a few, and a page comes only for exactly its path.
func FuzzModerator(f *testing.F) {
	for _, seed := range []string{
		"GET /v1/pools/chat HTTP/1.1\r\nHost: x\r\n\r\n",
		"HEAD /livens.js HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n",
		"GET /v1/pools/chat HTTP/1.1\r\nHost: x\r\nIf-None-Match: W/\"a\", *\r\n\r\n",
		"GET http://y/v1/pools/chat HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", "CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /v1/pools/ch%61t?x=1 HTTP/1.0\r\nContent-Length: 1\r\n\r\nx",
	} {
		f.Add(seed)
	}
	m, _ := sampleModerator(f)
	f.Fuzz(func(t *testing.T, text string) {
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(text)))
		if err != nil {
			return
		}
		w := httptest.NewRecorder()
		m.ServeHTTP(w, r)
		plain := (r.Method == "GET" || r.Method == "HEAD") && r.ContentLength == 0
		switch page := r.URL.Path; w.Code {
		case 200, 304:
			if !plain || page != "/v1/pools/chat" && page != "/v1/pools/ws" && page != "/livens.js" || strings.ContainsAny(r.RequestURI, "?%") {
				t.Errorf("%d for %s %s", w.Code, r.Method, r.RequestURI)
			}
			if r.Method == "HEAD" && w.Body.Len() > 0 || w.Header().Get("ETag") == "" {
				t.Errorf("%s: %d bytes, %v", r.Method, w.Body.Len(), w.Header())
			}
		case 404:
			if !plain {
				t.Errorf("404 for %s with %d bytes", r.Method, r.ContentLength)
			}
		case 405, 413:
			if plain || (r.ContentLength != 0) != (w.Header().Get("Connection") == "close") {
				t.Errorf("%d for %s with %d bytes: %v", w.Code, r.Method, r.ContentLength, w.Header())
			}
		default:
			t.Errorf("status %d", w.Code)
		}
		if w.Header().Get("Access-Control-Allow-Origin") != "*" || w.Header().Get("X-Content-Type-Options") != "nosniff" || w.Body.Len() > 1000 {
			t.Errorf("%d bytes, %v", w.Body.Len(), w.Header())
		}
	})
}
