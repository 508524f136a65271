package chromium

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/livens/livens/client"
)

func TestMain(m *testing.M) { Main(m) }

// TestSnippetUnderTrustedTypes: the loader loads the script on a page that requires Trusted Types, and on one that does not know them.
func TestSnippetUnderTrustedTypes(t *testing.T) {
	for _, policy := range []string{
		"", "require-trusted-types-for 'script'", "require-trusted-types-for 'script'; trusted-types livens",
	} {
		var page string
		mux := http.NewServeMux()
		mux.HandleFunc("/livens.js", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/javascript")
			_, _ = w.Write(client.Script())
		})
		mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
			if policy != "" {
				w.Header().Set("Content-Security-Policy", policy)
			}
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, page)
		})
		server := httptest.NewServer(mux)
		defer server.Close()
		snippet, err := client.Snippet(client.Config{Pool: "chat", URL: "wss://chat.example.com/chat"}, []string{server.URL + "/missing.js", server.URL + "/livens.js"})
		if err != nil {
			t.Fatal(err)
		}
		page = "<!doctype html><link rel=icon href=data:,><head>" + snippet + "</head><p id=found></p>" +
			"<script>livensReady.then((l) => (document.getElementById('found').textContent = Object.keys(l).join()), (e) => (document.getElementById('found').textContent = e))</script>"
		tab := NewTab(t)
		found := ""
		tab.Run(chromedp.Navigate(server.URL), chromedp.Poll("document.getElementById('found').textContent", &found))
		if found != "ChatSession,FailoverSocket,failoverFetch" {
			t.Errorf("%q: the page found %q", policy, found)
		}
	}
}
