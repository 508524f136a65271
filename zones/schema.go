package zones

import (
	"slices"
	"time"
)

// form is how a key's value is written in TOML.
type form string

// The forms. Each is named as the documentation names it.
const (
	text      form = "string"
	number    form = "integer"
	boolean   form = "boolean"
	duration  form = "duration"     // "200ms", "1m30s"
	listen    form = "address:port" // "127.0.0.1:9353", "[::]:53"
	listens   form = "address:port list"
	peers     form = "host:port list" // "ns2.example.com:7946", "192.0.2.53:7946", "[2001:db8::53]:7946"
	addresses form = "address list"
	texts     form = "string list"
	statuses  form = "status list" // 204, "200-299"
	headers   form = "table of strings"
	table     form = "table"
	oneOrMore form = "table or array of tables"
	many      form = "array of tables"
	named     form = "tables by name"
)

// key describes one key that operators may write. The tables of keys in keys.go are the only place that knows keys,
// defaults and bounds: the readers check against them and docs/configuration.md is held to them.
type key struct {
	name     string
	form     form
	required bool
	restart  bool   // a change waits for a restart
	def      any    // the default: string, int64, bool, time.Duration or []string
	defText  string // the default in words, where it depends on other keys
	min, max int64  // number: the value; duration: nanoseconds; text: bytes; lists: elements. Both 0: unbounded
	unit     string // of a number
	words    []string
	kinds    []Kind // of a check's key: the types it has a meaning for; empty: all
	keys     []key  // of tables
	example  string // a value as TOML
	doc      string
}

// find returns the key called name, or nil.
func find(keys []key, name string) *key {
	i := slices.IndexFunc(keys, func(k key) bool { return k.name == name })
	if i < 0 {
		return nil
	}
	return &keys[i]
}

// names lists the keys' names.
func names(keys []key) []string {
	out := make([]string, len(keys))
	for i, k := range keys {
		out[i] = k.name
	}
	return out
}

// bounded says whether k limits n, its value or its length.
func (k *key) bounded() bool { return k.min != 0 || k.max != 0 }

// allows says whether n is within k's bounds.
func (k *key) allows(n int64) bool { return !k.bounded() || n >= k.min && n <= k.max }

// span builds the bounds of a duration.
func span(low, high time.Duration) (int64, int64) { return int64(low), int64(high) }
