package main

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"flag"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/livens/livens/client"
	"github.com/livens/livens/zones"
)

func snippetCommand() command {
	return command{
		name: "snippet", args: []string{"POOL"}, summary: "print what a web page needs to survive a switch",
		help: `
Prints a script element to paste into the head of every page that uses the pool. It holds the
configuration, and loads the client's script from the first nameserver that has it unchanged (SRI). The
page's own script goes on with:

  livensReady.then(livens => { const chat = new livens.ChatSession({...livensConfig, role: "visitor"}) })

The configuration is read from the zone files, and no server needs to run: the pool's deployments with
their urls, [pool.NAME.client], the zone's nameservers, and [moderator] of livens.toml for their port.
Print it again and replace it on the page when one of these has changed, or livens was updated: a script
of another version is refused by the hash.

A page with a Content-Security-Policy must allow what the script does; --csp prints the directives to
add. 'sha256-…' allows the snippet itself and changes with it. Where the page requires Trusted Types, add
livens to its trusted-types directive. The deployments in turn must accept
connections from the page's origin.

  livens snippet chat
  livens snippet chat --csp
  livens snippet chat --json | jq .config`,
		bind: func(flags *flag.FlagSet) func(context.Context, *env, []string) error {
			csp := flags.Bool("csp", false, "print the directives of a Content-Security-Policy instead")
			return func(_ context.Context, e *env, args []string) error {
				s, err := makeSnippet(e.config, args[0])
				if err != nil {
					return err
				}
				return e.print(s, func(p *printer) {
					if *csp {
						p.line("%s", s.Policy)
						return
					}
					p.line("%s", strings.TrimSpace(s.Snippet))
				})
			}
		},
	}
}

// snippet is the document of livens snippet.
type snippet struct {
	Config    client.Config `json:"config"`
	Scripts   []string      `json:"scripts"`                 // where the page loads the script
	Integrity string        `json:"integrity"`               // of the script
	Snippet   string        `json:"snippet"`                 // the script element
	Policy    string        `json:"content_security_policy"` // the directives that allow it, and what it does
}

// makeSnippet makes the snippet of a pool from the configuration at path.
func makeSnippet(path, name string) (*snippet, error) {
	config, problems := zones.LoadConfig(path)
	set, more := zones.Validate(config)
	p := set.Pool(name)
	if p == nil {
		return nil, noPool(set, name, append(problems.Errors(), more.Errors()...))
	}
	c, urls, err := set.ClientOf(p, config.Moderator)
	if err != nil {
		return nil, err
	}
	s := &snippet{Config: client.Config{Pool: p.Name, URL: c.URL, Moderators: c.Moderators}, Scripts: c.Scripts, Integrity: client.Integrity()}
	for i, d := range p.Deployments {
		s.Config.Deployments = append(s.Config.Deployments, client.Deployment{ID: d.Name, URLs: urls[i]})
	}
	if s.Snippet, err = client.Snippet(s.Config, s.Scripts); err != nil {
		return nil, err
	}
	s.Policy = policy(s)
	return s, nil
}

// noPool says that there is no such pool, and why that may be.
func noPool(set *zones.Set, name string, errs zones.Problems) error {
	if len(errs) > 0 {
		return fmt.Errorf("no zone without errors has a pool %q: %s", name, summary(errs))
	}
	var known []string
	for _, p := range set.Pools {
		known = append(known, p.Name)
	}
	return misuse("there is no pool %q%s; there is: %s", name, hint(name, known), strings.Join(known, ", "))
}

// policy lists what a page must allow: the snippet by its hash, the script, and where it connects.
func policy(s *snippet) string {
	inner := strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(s.Snippet), "<script>"), "</script>")
	sum := sha256.Sum256([]byte(inner))
	scripts := append([]string{"'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"}, origins(s.Scripts)...)
	connect := append([]string{s.Config.URL}, s.Config.Moderators...)
	for _, d := range s.Config.Deployments {
		connect = append(connect, d.URLs...)
	}
	for _, one := range connect { // in a long outage plain requests go ahead of the WebSockets
		if rest, ws := strings.CutPrefix(one, "ws"); ws {
			connect = append(connect, "http"+rest)
		}
	}
	return "script-src " + strings.Join(scripts, " ") + "; connect-src " + strings.Join(origins(connect), " ")
}

// origins are the origins of URLs, each once.
func origins(urls []string) (out []string) {
	for _, one := range urls {
		u, err := url.Parse(one)
		if err != nil {
			continue // it was checked
		}
		if origin := u.Scheme + "://" + u.Host; !slices.Contains(out, origin) {
			out = append(out, origin)
		}
	}
	return out
}
