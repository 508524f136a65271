package zones

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/livens/livens/internal/suggest"
)

// section is one TOML table that was checked against its keys: unknown keys, wrong types and values out of bounds
// are reported, and what remains can be read with get. Reading never fails: what is missing or wrong is its default.
type section struct {
	report *report
	file   string // for problems
	path   string // dotted, "" at the top
	keys   []key
	at     *node
	values map[string]any // converted values of the keys that were written and are right
	raw    map[string]any // as decoded
}

// newSection checks the table raw, written at at, against keys. kind, unless empty, is the type of check that the
// table describes: keys that have no meaning for it are errors.
func newSection(r *report, file, path string, keys []key, raw map[string]any, at *node, kind Kind) *section {
	s := &section{report: r, file: file, path: path, keys: keys, at: at, values: map[string]any{}, raw: raw}
	for _, name := range slices.Sorted(maps.Keys(raw)) {
		k := find(keys, name)
		switch {
		case k == nil:
			s.unknown(name)
		case kind != "" && len(k.kinds) > 0 && !slices.Contains(k.kinds, kind):
			s.errorf(name, hintKinds(k.kinds), "has no meaning for a check of type %q", kind)
		default:
			if value, ok := s.convert(k, raw[name]); ok {
				s.values[name] = value
			}
		}
	}
	for _, k := range keys {
		if _, written := raw[k.name]; k.required && !written {
			s.problem(Problem{Line: at.at(), Key: s.join(k.name), Message: "is required", Hint: requiredHint(&k, s.join(k.name))})
		}
	}
	return s
}

func requiredHint(k *key, path string) string {
	switch k.form {
	case table, named:
		return fmt.Sprintf("add a [%s] table", path)
	case many:
		return fmt.Sprintf("add a [[%s]] table", path)
	}
	return fmt.Sprintf("for example %s = %s", k.name, k.example)
}

func hintKinds(kinds []Kind) string {
	words := make([]string, len(kinds))
	for i, kind := range kinds {
		words[i] = string(kind)
	}
	return "it belongs to " + strings.Join(words, ", ")
}

// unknown reports a key that nobody reads.
func (s *section) unknown(name string) {
	hint := suggest.Nearest(name, names(s.keys))
	if hint == "" {
		hint = "known here: " + strings.Join(names(s.keys), ", ")
	}
	s.errorf(name, hint, "unknown key")
}

// get returns the value of a key, its default where it was not written or is wrong, or else T's zero value.
func get[T any](s *section, name string) T {
	if value, ok := s.values[name].(T); ok {
		return value
	}
	value, _ := find(s.keys, name).def.(T)
	return value
}

// has says whether a key was written, rightly or wrongly.
func (s *section) has(name string) bool {
	_, written := s.raw[name]
	return written
}

// sound says whether a key was written and its value can be used.
func (s *section) sound(name string) bool {
	_, ok := s.values[name]
	return ok
}

// place is where a key was written, or else where its table was.
func (s *section) place(name string) int { return s.at.key(name).at(s.at) }

// join returns a key's full name.
func (s *section) join(name string) string {
	if s.path == "" {
		return name
	}
	return s.path + "." + name
}

// errorf reports what is wrong with a key's value.
func (s *section) errorf(name, hint, format string, args ...any) {
	s.problem(Problem{Line: s.place(name), Key: s.join(name), Message: fmt.Sprintf(format, args...), Hint: hint})
}

// elementf reports what is wrong with the i-th element (from 0) of a key's list.
func (s *section) elementf(name string, i int, hint, format string, args ...any) {
	s.problem(Problem{Line: s.elementLine(name, i), Key: fmt.Sprintf("%s.%d", s.join(name), i+1),
		Message: fmt.Sprintf(format, args...), Hint: hint})
}

// elementLine is where the i-th element (from 0) of a key's list was written.
func (s *section) elementLine(name string, i int) int {
	list := s.at.key(name)
	return list.elem(i).at(list, s.at)
}

// warnf reports what is legal and unwise about a key's value.
func (s *section) warnf(name, hint, format string, args ...any) {
	s.problem(Problem{Warning: true, Line: s.place(name), Key: s.join(name), Message: fmt.Sprintf(format, args...), Hint: hint})
}

func (s *section) problem(p Problem) {
	p.File = s.file
	s.report.add(p)
}

// sub returns the table under name, checked against its keys, or an empty one.
func (s *section) sub(name string) *section {
	raw, _ := s.values[name].(map[string]any)
	return newSection(s.report, s.file, s.join(name), find(s.keys, name).keys, raw, s.at.key(name), "")
}

// entry is one raw table of several under a key.
type entry struct {
	name string // of a named table; otherwise ""
	path string
	raw  map[string]any
	at   *node
}

// entries returns the tables under name: of "tables by name" in the order they were written, of arrays in order.
func (s *section) entries(name string) []entry {
	at, path := s.at.key(name), s.join(name)
	var out []entry
	switch value := s.values[name].(type) {
	case map[string]any:
		k := find(s.keys, name)
		if k.form != named {
			return []entry{{path: path, raw: value, at: at}}
		}
		for sub, raw := range value {
			if inner, ok := raw.(map[string]any); ok {
				out = append(out, entry{name: sub, path: path + "." + clip(sub), raw: inner, at: at.key(sub)})
				continue
			}
			line := at.key(sub).at(at, s.at)
			s.problem(Problem{Line: line, Key: path + "." + clip(sub),
				Message: "wants a table, got " + typeName(raw), Hint: fmt.Sprintf("write [%s.NAME]", path)})
		}
		slices.SortFunc(out, func(a, b entry) int { return orderOf(a.at) - orderOf(b.at) })
	case []map[string]any:
		for i, raw := range value {
			label := strconv.Itoa(i + 1)
			if name, ok := raw["name"].(string); ok && name != "" {
				label = clip(name)
			}
			out = append(out, entry{path: path + "." + label, raw: raw, at: at.elem(i)})
		}
	}
	return out
}

func orderOf(n *node) int {
	if n == nil {
		return 0
	}
	return n.order
}
