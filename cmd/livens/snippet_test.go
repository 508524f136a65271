package main

import (
	"crypto/sha512"
	"encoding/base64"
	"log/slog"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/livens/livens/client"
	"github.com/livens/livens/zones"
)

// TestServedScriptIsWhatTheSnippetWants: a browser refuses a script with another hash than the page states.
func TestServedScriptIsWhatTheSnippetWants(t *testing.T) {
	config := &zones.ModeratorConfig{Listen: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}}
	p := newPublic(config, client.Script(), newNotices(), slog.New(slog.DiscardHandler))
	w := httptest.NewRecorder()
	p.ServeHTTP(w, httptest.NewRequest("GET", "/livens.js", nil))
	sum := sha512.Sum384(w.Body.Bytes())
	if got := "sha384-" + base64.StdEncoding.EncodeToString(sum[:]); w.Code != 200 || w.Body.Len() < 1000 || got != client.Integrity() {
		t.Errorf("%d, %d bytes, %s; the snippet wants %s", w.Code, w.Body.Len(), got, client.Integrity())
	}
}

func TestOriginsAreListedOnce(t *testing.T) {
	got := origins([]string{"wss://a.example/x", "wss://a.example/y", "wss://a.example:8443/x", "https://[2001:db8::1]/livens.js"})
	want := []string{"wss://a.example", "wss://a.example:8443", "https://[2001:db8::1]"}
	if len(got) != 3 || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] {
		t.Errorf("%q", got)
	}
}
