package config

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"
)

// config reads the whole document.
func (r *reader) config(doc map[string]any) *Config {
	c := &Config{Backup: Backup{Keep: 7}, Limits: Limits{Burst: 20, Rate: 5, AttachRate: 1000}}
	if _, own := doc["cert"]; own { // without it a proxy stands before, and all come from its address
		c.Limits.PerAddress = 1000
	}
	var secretFile string
	r.table("", doc, keys{
		"name": r.text(&c.Name), "listen": r.text(&c.Listen), "cert": r.path(&c.Cert), "key": r.path(&c.Key), "data": r.path(&c.Data),
		"pool": r.text(&c.Pool), "moderators": r.texts(&c.Moderators), "moderator_ca": r.path(&c.ModeratorCA),
		"peer": r.text(&c.Peer), "peer_name": r.text(&c.PeerName), "peer_ca": r.path(&c.PeerCA), "secret_file": r.path(&secretFile),
		"origins":  r.texts(&c.Origins),
		"operator": r.tables(func(at string, t map[string]any) { c.Operators = append(c.Operators, r.operator(at, t)) }),
		"backup":   r.inner(keys{"folder": r.path(&c.Backup.Folder), "every": r.duration(&c.Backup.Every), "keep": r.count(&c.Backup.Keep)}),
		"limits":   r.inner(keys{"burst": r.count(&c.Limits.Burst), "rate": r.number(&c.Limits.Rate), "attach_rate": r.count(&c.Limits.AttachRate), "per_address": r.count(&c.Limits.PerAddress)}),
		"client": r.inner(keys{
			"url": r.text(&c.Client.URL), "moderators": r.texts(&c.Client.Moderators),
			"deployment": r.tables(func(at string, t map[string]any) {
				c.Client.Deployments = append(c.Client.Deployments, r.deployment(at, t))
			}),
		}),
	})
	r.require(c, doc, secretFile)
	r.origins(c)
	c.Client.Pool = c.Pool
	if c.Client.Moderators == nil {
		c.Client.Moderators = []string{}
	}
	if c.Client.Deployments == nil {
		c.Client.Deployments = []Deployment{}
	}
	if c.Backup.Folder == "" {
		c.Backup.Folder = c.Data + "/backup"
	}
	return c
}

// require judges what belongs together.
func (r *reader) require(c *Config, doc map[string]any, secretFile string) {
	for key, value := range map[string]string{"name": c.Name, "listen": c.Listen, "data": c.Data, "pool": c.Pool} {
		if _, given := doc[key]; value == "" && !given {
			r.problem(key, "is missing", needed[key])
		}
	}
	if _, _, err := net.SplitHostPort(c.Listen); c.Listen != "" && err != nil {
		r.problem("listen", "is not host:port", `such as "0.0.0.0:443"`)
	}
	if (c.Cert == "") != (c.Key == "") {
		r.problem("cert", "and key belong together", "give both, or neither for plain HTTP")
	}
	if c.Peer != "" {
		r.url("peer", c.Peer, "ws", "wss")
		if c.PeerName == "" || c.PeerName == c.Name {
			r.problem("peer_name", "must be the other deployment's name", "as the Moderators have it")
		}
		if secretFile == "" {
			r.problem("secret_file", "is missing", "the link to peer needs a secret that both have: livechat token makes one")
		}
	}
	if secretFile != "" {
		var err error
		if c.Secret, err = secret(secretFile); err != nil {
			r.problem("secret_file", err.Error(), "")
		}
	}
	for _, m := range c.Moderators {
		r.url("moderators", m, "http", "https")
	}
	if c.Limits.Burst < 1 || c.Limits.Rate <= 0 || c.Limits.AttachRate < 1 {
		r.problem("limits", "must be above 0", "")
	}
	if c.Backup.Every > 0 && c.Backup.Keep < 1 {
		r.problem("backup.keep", "must be 1 at least", "")
	}
}

var needed = map[string]string{
	"name": `this deployment's name at the Moderators, such as "primary"`, "listen": `such as "0.0.0.0:443"`,
	"data": "the folder of the database", "pool": `the pool's name at the Moderators, such as "chat"`,
}

func (r *reader) origins(c *Config) {
	for _, o := range c.Origins {
		if u := r.url("origins", o, "http", "https"); u != nil && (u.Path != "" || u.RawQuery != "") {
			r.problem("origins", fmt.Sprintf("%q is more than an origin", o), "scheme, host and port only")
		}
	}
}

func (r *reader) operator(at string, t map[string]any) Operator {
	var o Operator
	var file, hash string
	r.table(at, t, keys{"name": r.text(&o.Name), "token_file": r.path(&file), "token_hash": r.text(&hash)})
	if o.Name == "" {
		r.problem(at+".name", "is missing", "")
	}
	switch {
	case (file == "") == (hash == ""):
		r.problem(at, "needs token_file or token_hash", "livechat token makes both")
	case file != "":
		token, err := secret(file)
		if err != nil {
			r.problem(at+".token_file", err.Error(), "")
		}
		o.Hash = sha256.Sum256([]byte(token))
	default:
		sum, err := hex.DecodeString(strings.TrimPrefix(hash, "sha256:"))
		if err != nil || len(sum) != len(o.Hash) {
			r.problem(at+".token_hash", "is not sha256: and 64 hex digits", "livechat token makes it")
			break
		}
		copy(o.Hash[:], sum)
	}
	return o
}

func (r *reader) deployment(at string, t map[string]any) Deployment {
	var d Deployment
	r.table(at, t, keys{"id": r.text(&d.ID), "urls": r.texts(&d.URLs)})
	if d.ID == "" || len(d.URLs) == 0 {
		r.problem(at, "needs id and urls", `such as urls = ["wss://chat-a.example.com/chat"]`)
	}
	for _, u := range d.URLs {
		r.url(at+".urls", u, "ws", "wss")
	}
	return d
}

// url judges one; nil when it is none.
func (r *reader) url(key, text string, schemes ...string) *url.URL {
	u, err := url.Parse(text)
	if err == nil && u.Host != "" {
		for _, s := range schemes {
			if u.Scheme == s {
				return u
			}
		}
	}
	r.problem(key, fmt.Sprintf("%q is not a URL", text), "it begins with "+strings.Join(schemes, ":// or ")+"://")
	return nil
}

// duration takes words such as "6h".
func (r *reader) duration(to *time.Duration) setter {
	return func(key string, value any) {
		text, _ := value.(string)
		d, err := time.ParseDuration(text)
		if err != nil || d < 0 {
			r.problem(key, "is not a time", `such as "6h"`)
			return
		}
		*to = d
	}
}
