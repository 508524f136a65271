// Package client holds the built client script, and makes the snippet that puts it on a page. How the script works is
// written in the JavaScript sources beside it, which this package knows nothing of.
package client

import (
	"crypto/sha512"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
)

//go:embed dist/livens-client.js
var script []byte

//go:embed dist/loader.js
var loader string

// Deployment is one deployment as a page knows it.
type Deployment struct {
	ID   string   `json:"id"`   // its name in the pool
	URLs []string `json:"urls"` // WebSocket URLs, best first: its own name, a name in a second DNS zone, its IP address
}

// Config is what a page is configured with: the Options of livens-client.d.ts.
type Config struct {
	Pool        string       `json:"pool"`                 // the pool's name
	URL         string       `json:"url"`                  // the service's WebSocket URL by its DNS name
	Deployments []Deployment `json:"deployments"`          // the preferred first
	Moderators  []string     `json:"moderators,omitempty"` // origins of nameservers that serve /v1/pools
}

// Script is the client as a classic script, which defines the global livens. It is the same array at each call: do not
// change it.
func Script() []byte { return script }

// Integrity is the script's hash as a page states it in an integrity attribute (Subresource Integrity, SHA-384).
func Integrity() string {
	sum := sha512.Sum384(script)
	return "sha384-" + base64.StdEncoding.EncodeToString(sum[:])
}

// Snippet is a script element, to be pasted into a page's head, that holds the configuration and loads the script from the
// first of scriptURLs that has it unchanged. The page finds the configuration in the global livensConfig, and the script's
// exports in the promise livensReady. It fails when there is no script URL.
func Snippet(config Config, scriptURLs []string) (string, error) {
	if len(scriptURLs) == 0 {
		return "", errors.New("no URL of the script: give one or two, such as https://ns1.example.com/livens.js")
	}
	text := strings.NewReplacer("CONFIG", literal(config), "URLS", literal(scriptURLs), "INTEGRITY", literal(Integrity())).Replace(loader)
	return "<script>" + strings.TrimSpace(text) + "</script>\n", nil
}

// literal writes a value as JavaScript that may stand in HTML: encoding/json escapes <, >, &, U+2028 and U+2029, so that
// no value ends the element or a line.
func literal(value any) string {
	out, err := json.Marshal(value)
	if err != nil {
		panic("strings and lists of strings always marshal: " + err.Error())
	}
	return string(out)
}
