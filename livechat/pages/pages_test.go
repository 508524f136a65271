package pages

import (
	"bytes"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/livens/livens/client"
)

func options() client.Config {
	return client.Config{
		Pool: "chat", URL: "wss://chat.example.com/chat",
		Deployments: []client.Deployment{
			{ID: "primary", URLs: []string{"wss://a.chat.example.com/chat", "wss://203.0.113.10/chat"}},
			{ID: "redundant", URLs: []string{"wss://b.chat.example.net:8443/chat", "wss://[2001:db8:2::20]/chat"}},
		},
		Moderators: []string{"https://ns1.example.com"},
	}
}

func get(t *testing.T, target string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	h, err := Handler(options())
	if err != nil {
		t.Fatal(err)
	}
	request := httptest.NewRequest(http.MethodGet, target, nil)
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response := httptest.NewRecorder()
	h.ServeHTTP(response, request)
	return response
}

func TestPagesAllowOnlyWhatTheyNeed(t *testing.T) {
	const want = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' wss://chat.example.com https://chat.example.com" +
		" https://ns1.example.com wss://a.chat.example.com https://a.chat.example.com wss://203.0.113.10 https://203.0.113.10" +
		" wss://b.chat.example.net:8443 https://b.chat.example.net:8443 wss://*:443 https://*:443" +
		"; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
	for _, target := range []string{"/", "/operator"} {
		response := get(t, target)
		if got := response.Header().Get("Content-Security-Policy"); response.Code != http.StatusOK || got != want {
			t.Errorf("%s: %d, policy\n%s\nwant\n%s", target, response.Code, got, want)
		}
		if got := response.Header().Get("Access-Control-Allow-Origin"); got != "" {
			t.Errorf("%s: other sites may read the page: %q", target, got)
		}
		if got := response.Header().Get("Content-Type"); got != "text/html; charset=utf-8" {
			t.Errorf("%s: content type %q", target, got)
		}
	}
}

func TestEveryFileHasItsTypeAndATag(t *testing.T) {
	types := map[string]string{".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
	for _, target := range append(assets(t), "/livens.js") {
		response := get(t, target)
		header := response.Header()
		if want := types[path.Ext(target)]; response.Code != http.StatusOK || header.Get("Content-Type") != want {
			t.Errorf("%s: %d, content type %q, want %q", target, response.Code, header.Get("Content-Type"), want)
		}
		if header.Get("X-Content-Type-Options") != "nosniff" || header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: headers %v", target, header)
		}
		if again := get(t, target, "If-None-Match", header.Get("ETag")); again.Code != http.StatusNotModified {
			t.Errorf("%s: %d when asked again by its tag, want 304", target, again.Code)
		}
	}
}

func assets(t *testing.T) []string {
	t.Helper()
	names, err := fs.Glob(files, "static/*")
	if err != nil || len(names) < 10 {
		t.Fatalf("files: %v, %v", names, err)
	}
	var out []string
	for _, name := range names {
		if path.Ext(name) != ".html" {
			out = append(out, "/"+path.Base(name))
		}
	}
	return out
}

// Comments show how the script is pasted, and XML names its vocabulary by a URL; nothing else may name another host.
func TestNothingIsLoadedFromElsewhere(t *testing.T) {
	comment := regexp.MustCompile(`(?m)^\s*//.*$`)
	elsewhere := regexp.MustCompile(`(?i)(https?:|wss?:)?//[\w.]+\.\w+[^\s"']*`)
	for _, target := range append(assets(t), "/", "/operator") {
		body := comment.ReplaceAllString(get(t, target).Body.String(), "")
		for _, url := range elsewhere.FindAllString(body, -1) {
			configured := (target == "/" || target == "/operator") && (strings.Contains(url, ".example.") || strings.Contains(url, "203.0.113.10"))
			if url != "http://www.w3.org/2000/svg" && !configured {
				t.Errorf("%s names %s", target, url)
			}
		}
	}
}

// Markup is made nowhere, and whatever a page refers to is there.
func TestPagesAreWhole(t *testing.T) {
	reference := regexp.MustCompile(`(?:src|href)="(/[^"#]*)"|from "\./([^"]+)"|"((?:chat|widget)\.css|/favicon[^"]*)"`)
	markup := regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|style="| on[a-z]+="`)
	for _, target := range append(assets(t), "/", "/operator") {
		body := get(t, target).Body.String()
		if found := markup.FindString(body); found != "" {
			t.Errorf("%s has %q", target, found)
		}
		for _, m := range reference.FindAllStringSubmatch(body, -1) {
			at := "/" + strings.TrimPrefix(m[1]+m[2]+m[3], "/")
			if get(t, at).Code != http.StatusOK {
				t.Errorf("%s refers to %s, which is not there", target, at)
			}
		}
	}
}

func TestUnknownPathsAreNotFound(t *testing.T) {
	for _, target := range []string{"/index.html", "/operator/", "/static/widget.js", "/../pages.go", "/client.d.ts"} {
		if code := get(t, target).Code; code != http.StatusNotFound {
			t.Errorf("%s: %d, want 404", target, code)
		}
	}
}

func TestOptionsCannotLeaveTheirElement(t *testing.T) {
	given := options()
	given.Pool = "</script><script>alert(1)</script>"
	h, err := Handler(given)
	if err != nil {
		t.Fatal(err)
	}
	response := httptest.NewRecorder()
	h.ServeHTTP(response, httptest.NewRequest(http.MethodGet, "/", nil))
	if bytes.Contains(response.Body.Bytes(), []byte("alert(1)</script>")) || !strings.Contains(response.Body.String(), `\u003c/script\u003e`) {
		t.Error("the pool's name became markup")
	}
}

func TestBadURLsAreRefused(t *testing.T) {
	for _, bad := range []string{"", "chat.example.com/chat", "javascript://chat.example.com/", "wss://a;script-src *", "wss://a,b/chat", "wss://%"} {
		given := options()
		given.URL = bad
		if _, err := Handler(given); err == nil || !strings.Contains(err.Error(), "no URL that a page can connect to") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
