// Package config reads livechat.toml.
package config

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
)

// Config is a deployment's configuration. Paths are absolute or relative to the working folder.
type Config struct {
	Name        string
	Listen      string // host:port; port 0: the kernel chooses one
	Cert, Key   string // "": plain HTTP
	Data        string // folder
	Pool        string
	Moderators  []string
	ModeratorCA string // "": the system's
	Peer        string // URL of the other deployment's link; "": there is none
	PeerName    string
	PeerCA      string
	Secret      string // of the link
	Origins     []string
	Operators   []Operator
	Backup      Backup
	Limits      Limits
	Client      Client
}

// Operator is somebody who may answer visitors.
type Operator struct {
	Name string
	Hash [32]byte // SHA-256 of the token
}

// Backup is how often the database is copied, and how many copies are kept.
type Backup struct {
	Folder string
	Every  time.Duration // 0: never
	Keep   int
}

// Limits are what a client may do.
type Limits struct {
	Burst      int     `json:"burst"`       // messages at once
	Rate       float64 `json:"rate"`        // messages a second
	AttachRate int     `json:"attach_rate"` // clients a second that may come back together
	PerAddress int     `json:"-"`           // visitors at once from one address; 0: any number. It may differ between the two
}

// Client is the script's configuration: what its constructors take.
type Client struct {
	Pool        string       `json:"pool"`
	URL         string       `json:"url"`
	Deployments []Deployment `json:"deployments"`
	Moderators  []string     `json:"moderators"`
}

// Deployment is where one can be reached.
type Deployment struct {
	ID   string   `json:"id"`
	URLs []string `json:"urls"`
}

// Load reads a file. The error lists everything that is wrong, one line each.
func Load(path string) (*Config, error) {
	var doc map[string]any
	if _, err := toml.DecodeFile(path, &doc); err != nil {
		var syntax toml.ParseError
		if errors.As(err, &syntax) {
			return nil, fmt.Errorf("%s:%d: %s", path, syntax.Position.Line, syntax.Message)
		}
		return nil, err
	}
	r := &reader{file: path, dir: filepath.Dir(path)}
	c := r.config(doc)
	if len(r.problems) > 0 {
		return nil, errors.New(strings.Join(r.problems, "\n"))
	}
	return c, nil
}

// OperatorOf is whose token that is. It takes the same time for every token.
func (c *Config) OperatorOf(token string) (name string, ok bool) {
	hash := sha256.Sum256([]byte(token))
	for _, o := range c.Operators {
		if subtle.ConstantTimeCompare(hash[:], o.Hash[:]) == 1 {
			name, ok = o.Name, true
		}
	}
	return name, ok
}

// URLs are all at which clients may look for a deployment.
func (c *Client) URLs() []string {
	urls := []string{c.URL}
	for _, d := range c.Deployments {
		urls = append(urls, d.URLs...)
	}
	return urls
}

// Settings is a hash of what both deployments must have alike: 16 hex digits.
func (c *Config) Settings() string {
	operators := map[string]string{}
	for _, o := range c.Operators {
		operators[o.Name] = hex.EncodeToString(o.Hash[:])
	}
	doc, err := json.Marshal(map[string]any{
		"pool": c.Pool, "operators": operators, "limits": c.Limits, "client": c.Client, "origins": c.Origins,
	})
	if err != nil {
		panic(err) // it is made of strings and numbers
	}
	sum := sha256.Sum256(doc)
	return hex.EncodeToString(sum[:8])
}

// secret reads a file with one line.
func secret(path string) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	s := strings.TrimSpace(string(text))
	if len(s) < 16 {
		return "", fmt.Errorf("%s holds %d characters, want 16 at least (livechat token makes one)", path, len(s))
	}
	return s, nil
}
