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

	"github.com/livens/livens/client"
)

//go:embed static
var files embed.FS

// The two pages and where they are; every other file is served under its own name.
var pagePaths = map[string]string{"index.html": "/", "operator.html": "/operator"}

// Content types are fixed here, because what the host's own table says of .js differs from machine to machine.
var contentTypes = map[string]string{
	".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
}

// Handler serves the shop at /, the console at /operator, what they load, and the client script at /livens.js; anything else
// is not found. The options are what the script is configured with: JSON is made of them as Options in
// client/livens-client.d.ts say. It returns an error when a URL in them is none, for then the pages could not be allowed to
// connect to it.
func Handler(options any) (http.Handler, error) {
	written, err := json.Marshal(options)
	if err != nil {
		return nil, err
	}
	policy, err := contentPolicy(written)
	if err != nil {
		return nil, err
	}
	h := handler{}
	h.add("/livens.js", "livens.js", client.Script(), "")
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
			h.add(at, file, bytes.ReplaceAll(content, []byte("{{client}}"), written), policy)
		} else {
			h.add("/"+file, file, content, "")
		}
		return nil
	})
	return h, err
}

// contentPolicy allows a page its own files, and connections to what the client script is configured with. With Trusted Types
// required and none declared, no script can make markup of a string: a message stays text even if a page forgets that.
func contentPolicy(options []byte) (string, error) {
	var given client.Config
	if err := json.Unmarshal(options, &given); err != nil {
		return "", err
	}
	addresses := append([]string{given.URL}, given.Moderators...)
	for _, deployment := range given.Deployments {
		addresses = append(addresses, deployment.URLs...)
	}
	allowed := []string{"'self'"}
	for _, address := range addresses {
		origins, err := originsOf(address)
		if err != nil {
			return "", err
		}
		for _, origin := range origins {
			if !slices.Contains(allowed, origin) {
				allowed = append(allowed, origin)
			}
		}
	}
	return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src " + strings.Join(allowed, " ") +
		"; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'", nil
}

// originsOf are what the policy names for one address; what would end a directive is refused. Where the script has a
// WebSocket it also asks by a plain request whether anybody is there. The policy's grammar has no IPv6 addresses and
// browsers ignore one, so such an address opens its port on every host.
func originsOf(address string) ([]string, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || !slices.Contains([]string{"ws", "wss", "http", "https"}, u.Scheme) || strings.ContainsAny(u.Host, "; ,'") {
		return nil, fmt.Errorf("%q is no URL that a page can connect to; it begins with wss://, or https:// for a moderator", address)
	}
	host := u.Host
	if strings.HasPrefix(host, "[") {
		port := u.Port()
		if port == "" {
			port = map[string]string{"ws": "80", "http": "80", "wss": "443", "https": "443"}[u.Scheme]
		}
		host = "*:" + port
	}
	origins := []string{u.Scheme + "://" + host}
	if plain, isSocket := strings.CutPrefix(u.Scheme, "ws"); isSocket {
		origins = append(origins, "http"+plain+"://"+host)
	}
	return origins, nil
}

type file struct {
	name    string
	content []byte
	tag     string
	policy  string // empty for what a page loads
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
