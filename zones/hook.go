package zones

import (
	"bytes"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
)

// readHooks reads every [[hook]]; dir is livens.toml's folder.
func readHooks(top *section, dir string) []HookConfig {
	var hooks []HookConfig
	for _, e := range top.entries("hook") {
		s := newSection(top.report, top.file, e.path, hookKeys(), e.raw, e.at, "")
		h := HookConfig{
			Name:       get[string](s, "name"),
			URL:        get[string](s, "url"),
			SecretFile: resolve(dir, get[string](s, "secret_file")),
			Command:    s.command("command"),
			Events:     get[[]string](s, "events"),
			Timeout:    get[time.Duration](s, "timeout"),
		}
		checkHook(s, h, hooks)
		hooks = append(hooks, h)
	}
	return hooks
}

// checkHook checks a hook; before are those that were read already.
func checkHook(s *section, h HookConfig, before []HookConfig) {
	switch {
	case h.Name != "" && !isIdentifier(h.Name):
		s.errorf("name", "1–63 letters, digits, - and _", "%q is no hook name", clip(h.Name))
	case h.Name == "start":
		s.errorf("name", "take another, such as \"starter\"", "\"start\" is what start commands of cold deployments are called in events")
	case h.Name != "" && slices.ContainsFunc(before, func(other HookConfig) bool { return other.Name == h.Name }):
		s.errorf("name", "names are unique", "a hook %q was given before", h.Name)
	}
	for i, event := range h.Events {
		if slices.Contains(h.Events[:i], event) {
			s.elementf("events", i, "", "%q is given twice", event)
		}
	}
	switch {
	case s.has("url") && s.has("command"):
		s.errorf("command", "remove one of them, or write two hooks", "has no meaning beside url")
	case !s.has("url") && !s.has("command"):
		s.problem(Problem{Line: s.at.at(), Key: s.path, Message: "tells nobody", Hint: "give url or command"})
	}
	if s.has("secret_file") && !s.has("url") {
		s.errorf("secret_file", "remove it", "has no meaning without url: only what is posted is signed")
	}
	if s.sound("url") {
		checkURL(s, h)
	}
}

// checkURL checks where a hook posts. A URL may hold a password, so problems do not repeat it.
func checkURL(s *section, h HookConfig) {
	u, err := url.Parse(h.URL)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Hostname() == "" {
		s.errorf("url", "for example url = "+find(s.keys, "url").example, "is no http or https URL")
		return
	}
	if loopback(u.Hostname()) {
		return
	}
	if u.Scheme == "http" {
		s.warnf("url", "use https", "events cross the network in clear")
	}
	if !s.has("secret_file") {
		s.warnf("secret_file", hookSecretHint, "is not given: the receiver cannot tell who posts")
	}
}

// loopback says whether a URL's host is this one, whatever resolvers say.
func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback() || strings.EqualFold(host, "localhost")
}

const hookSecretHint = "make one with: openssl rand -base64 32"

// Bounds of a hook's secret in bytes.
const (
	minHookSecret = 16 // fewer can be guessed
	maxHookSecret = 4 << 10
)

// checkHookSecret says what is wrong with the file, called shown in problems, that signs what a hook posts: its content
// without the white space around it. It is read for every try.
func checkHookSecret(file, shown string) *Problem {
	text, err := readRegular(file, maxHookSecret)
	if err != nil {
		return secretFile{shown: shown, hint: hookSecretHint}.unread(err)
	}
	switch n := len(bytes.TrimSpace(text)); {
	case n == 0:
		return &Problem{File: shown, Message: "is empty", Hint: hookSecretHint}
	case n < minHookSecret:
		return &Problem{Warning: true, File: shown, Message: fmt.Sprintf("a secret of %d bytes can be guessed", n), Hint: hookSecretHint}
	}
	return nil
}
