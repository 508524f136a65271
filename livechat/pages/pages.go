// Package pages is what people see of a chat deployment: a shop's product page with the chat button, and the console in which
// operators answer. All of it is static; what it connects to is written into the two pages, so that a page that has been
// loaded needs nothing more of the deployment that it came from.
package pages

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"
)

// Client is what the pages hand to the client script: Options in client/livens-client.d.ts.
type Client struct {
	Pool        string       `json:"pool"`
	URL         string       `json:"url"` // of the service by its DNS name: wss://chat.example.com/chat
	Deployments []Deployment `json:"deployments"`
	Moderators  []string     `json:"moderators"`       // origins of nameservers that serve /v1/pools
	Timing      Timing       `json:"timing,omitempty"` // only what differs from the script's defaults
}

// Deployment is where one deployment can be reached: its WebSocket URLs, the best first.
type Deployment struct {
	ID   string   `json:"id"`
	URLs []string `json:"urls"`
}

// Timing are times of the client script by name, in milliseconds.
type Timing map[string]int

//go:embed static
var files embed.FS

// The two pages and where they are; every other file is served under its own name.
var pagePaths = map[string]string{"index.html": "/", "operator.html": "/operator"}

// Content types are fixed here, because what the host's own table says of .js differs from machine to machine.
var contentTypes = map[string]string{
	".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
	".svg": "image/svg+xml", ".json": "application/json",
}

// Handler serves the shop at /, the console at /operator, what they load, the client script at /livens.js and what it is
// configured with at /client.json; anything else is not found. It returns an error when a URL in client is none, for then
// the pages could not be allowed to connect to it.
func Handler(client Client, script []byte) (http.Handler, error) {
	policy, err := contentPolicy(client)
	if err != nil {
		return nil, err
	}
	options, err := json.Marshal(client)
	if err != nil {
		return nil, err
	}
	h := handler{}
	h.add("/livens.js", "livens.js", script, "")
	h.add("/client.json", "client.json", options, "")
	err = fs.WalkDir(files, "static", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		file := path.Base(name)
		if at, isPage := pagePaths[file]; isPage {
			// json.Marshal escapes <, > and &, so the options cannot end the element that they stand in.
			h.add(at, file, bytes.ReplaceAll(content, []byte("{{client}}"), options), policy)
		} else {
			h.add("/"+file, file, content, "")
		}
		return nil
	})
	return h, err
}

// contentPolicy allows a page its own files, and connections to what the client script is configured with. With Trusted Types
// required and none declared, no script can make markup of a string: a message stays text even if a page forgets that.
func contentPolicy(client Client) (string, error) {
	connect := []string{"'self'"}
	allow := func(address string) error {
		u, err := url.Parse(address)
		if err != nil || u.Host == "" || !slices.Contains([]string{"ws", "wss", "http", "https"}, u.Scheme) || strings.ContainsAny(u.Host, "; ,'") {
			return fmt.Errorf("%q is no URL that a page can connect to; it begins with wss://, or https:// for a moderator", address)
		}
		if origin := u.Scheme + "://" + u.Host; !slices.Contains(connect, origin) {
			connect = append(connect, origin)
		}
		return nil
	}
	addresses := append([]string{client.URL}, client.Moderators...)
	for _, deployment := range client.Deployments {
		addresses = append(addresses, deployment.URLs...)
	}
	for _, address := range addresses {
		if err := allow(address); err != nil {
			return "", err
		}
	}
	return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src " + strings.Join(connect, " ") +
		"; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'", nil
}

type file struct {
	name    string
	content []byte
	tag     string
	policy  string
}

// handler holds every file by its path.
type handler map[string]file

func (h handler) add(at, name string, content []byte, policy string) {
	sum := sha256.Sum256(content)
	h[at] = file{name: name, content: content, policy: policy, tag: `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`}
}

func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f, found := h[r.URL.Path]
	if !found {
		http.NotFound(w, r)
		return
	}
	header := w.Header()
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		header.Set("Allow", "GET, HEAD")
		http.Error(w, "this page can only be read", http.StatusMethodNotAllowed)
		return
	}
	header.Set("Content-Type", contentTypes[path.Ext(f.name)])
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cache-Control", "no-cache") // kept, but asked about by its ETag: two deployments never mix two versions
	header.Set("ETag", f.tag)
	if f.policy != "" {
		header.Set("Content-Security-Policy", f.policy)
	} else {
		header.Set("Access-Control-Allow-Origin", "*") // the widget is meant for other sites' pages
	}
	http.ServeContent(w, r, f.name, time.Time{}, bytes.NewReader(f.content))
}
