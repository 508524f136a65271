package zones

import (
	"bytes"
	"errors"
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

// HookSecret reads the secret that signs what a hook posts: the file's content without the spaces and line ends around
// it, at least MinHookSecret bytes. The error is one line and tells no secret.
func HookSecret(file string) ([]byte, error) {
	secret, p := readHookSecret(file, file)
	if p != nil {
		return nil, errors.New("hook secret: " + p.String())
	}
	return secret, nil
}

// MinHookSecret is how many bytes the secret of a hook has at least: fewer can be guessed.
const MinHookSecret = 16

const hookSecretHint = "make one with: openssl rand -base64 32"

func readHookSecret(file, shown string) ([]byte, *Problem) {
	f := secretFile{path: file, shown: shown, hint: hookSecretHint}
	text, err := readRegular(file, maxSecrets)
	if err != nil {
		return nil, f.unread(err)
	}
	secret := bytes.TrimSpace(text)
	if len(secret) < MinHookSecret {
		message := fmt.Sprintf("a secret has at least %d bytes, found %d", MinHookSecret, len(secret))
		return nil, &Problem{File: shown, Message: message, Hint: hookSecretHint}
	}
	return secret, nil
}
