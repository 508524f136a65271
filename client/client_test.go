package client

import (
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
)

func example() Config {
	return Config{
		Pool: "chat",
		URL:  "wss://chat.example.com/chat",
		Deployments: []Deployment{
			{ID: "primary", URLs: []string{"wss://primary.example.net/chat", "wss://203.0.113.10/chat"}},
			{ID: "redundant", URLs: []string{"wss://redundant.example.net/chat", "wss://198.51.100.20/chat"}},
		},
		Moderators: []string{"https://ns1.example.com", "https://ns2.example.com"},
	}
}

// TestIntegrityIsTheScripts: a browser that gets these bytes accepts them under this hash.
func TestIntegrityIsTheScripts(t *testing.T) {
	sum := sha512.Sum384(Script())
	if got, want := Integrity(), "sha384-"+base64.StdEncoding.EncodeToString(sum[:]); got != want {
		t.Errorf("Integrity() = %s, want %s", got, want)
	}
	if !strings.HasPrefix(string(Script()), "var livens=") && !strings.HasPrefix(string(Script()), `"use strict";var livens=`) {
		t.Errorf("the script defines no global livens: %.40s", Script())
	}
}

func TestSnippet(t *testing.T) {
	urls := []string{"https://ns1.example.com/livens.js", "https://ns2.example.com/livens.js"}
	text, err := Snippet(example(), urls)
	if err != nil {
		t.Fatal(err)
	}
	var config Config
	m := regexp.MustCompile(`window\.livensConfig=(\{.*?\}),?;?window\.livensReady`).FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("no configuration in %s", text)
	}
	if err := json.Unmarshal([]byte(m[1]), &config); err != nil {
		t.Fatal(err)
	}
	if got, _ := json.Marshal(config); string(got) != literal(example()) {
		t.Errorf("the configuration came back as %s", got)
	}
	for _, want := range append(urls, Integrity(), `"anonymous"`) {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
	if bare := len(text) - len(literal(example())) - len(literal(urls))*strings.Count(text, urls[0]); bare > 600 {
		t.Errorf("the snippet has %d bytes beside what it is configured with, want 600 at most", bare)
	}
}

// TestSnippetCannotBeEscaped: no value ends the element, opens a comment, or ends a line of the script.
func TestSnippetCannotBeEscaped(t *testing.T) {
	config := example()
	config.Pool = "</script><!--\u2028\u2029<script>URLS INTEGRITY"
	text, err := Snippet(config, []string{"https://ns1.example.com/</SCRIPT>CONFIG"})
	if err != nil {
		t.Fatal(err)
	}
	inner := strings.TrimSuffix(strings.TrimPrefix(text, "<script>"), "</script>\n")
	if regexp.MustCompile(`(?i)</?script|<!--|[\x{2028}\x{2029}]`).MatchString(inner) {
		t.Errorf("escaped: %s", text)
	}
	if !strings.Contains(inner, `URLS INTEGRITY"`) || !strings.Contains(inner, `CONFIG"`) {
		t.Errorf("a value was taken for a place: %s", text)
	}
}

func TestSnippetNeedsAScript(t *testing.T) {
	if _, err := Snippet(example(), nil); err == nil || !strings.Contains(err.Error(), "https://ns1.example.com/livens.js") {
		t.Errorf("no URL: %v", err)
	}
}
