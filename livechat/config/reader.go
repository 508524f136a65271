package config

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"github.com/livens/livens/internal/suggest"
)

// reader walks a document, and collects all that is wrong with it.
type reader struct {
	file, dir string
	problems  []string
}

// setter takes the value of a key.
type setter func(key string, value any)

type keys map[string]setter

func (r *reader) problem(key, what, hint string) {
	line := fmt.Sprintf("%s: %s %s", r.file, key, what)
	if hint != "" {
		line += " (" + hint + ")"
	}
	r.problems = append(r.problems, line)
}

// table takes the keys of a table that is at a place in the document.
func (r *reader) table(at string, t map[string]any, known keys) {
	for _, key := range slices.Sorted(maps.Keys(t)) {
		full := key
		if at != "" {
			full = at + "." + key
		}
		set := known[key]
		if set == nil {
			r.problem(full, "is an unknown key", suggest.Nearest(key, slices.Sorted(maps.Keys(known))))
			continue
		}
		set(full, t[key])
	}
}

func (r *reader) inner(known keys) setter {
	return func(key string, value any) {
		t, ok := value.(map[string]any)
		if !ok {
			r.problem(key, "is not a table", "["+key+"]")
			return
		}
		r.table(key, t, known)
	}
}

func (r *reader) tables(each func(at string, t map[string]any)) setter {
	return func(key string, value any) {
		list, ok := value.([]map[string]any)
		if !ok {
			r.problem(key, "is not a list of tables", "[["+key+"]]")
			return
		}
		for i, t := range list {
			each(fmt.Sprintf("%s[%d]", key, i+1), t)
		}
	}
}

func (r *reader) text(to *string) setter {
	return func(key string, value any) {
		text, ok := value.(string)
		if !ok || text == "" {
			r.problem(key, "is not a text", "in quotes, and not empty")
			return
		}
		*to = text
	}
}

// path is relative to the file's folder.
func (r *reader) path(to *string) setter {
	return func(key string, value any) {
		r.text(to)(key, value)
		if *to != "" && !filepath.IsAbs(*to) {
			*to = filepath.Join(r.dir, *to)
		}
	}
}

func (r *reader) texts(to *[]string) setter {
	return func(key string, value any) {
		list, ok := value.([]any)
		for _, v := range list {
			text, isText := v.(string)
			ok = ok && isText
			*to = append(*to, text)
		}
		if !ok {
			r.problem(key, "is not a list of texts", `["…", "…"]`)
		}
	}
}

func (r *reader) count(to *int) setter {
	return func(key string, value any) {
		n, ok := value.(int64)
		if !ok || n < 0 || n > 1<<30 {
			r.problem(key, "is not a number", "without quotes, from 0")
			return
		}
		*to = int(n)
	}
}

func (r *reader) number(to *float64) setter {
	return func(key string, value any) {
		switch n := value.(type) {
		case int64:
			*to = float64(n)
		case float64:
			*to = n
		default:
			r.problem(key, "is not a number", "")
		}
	}
}
