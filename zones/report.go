package zones

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// maxProblems bounds what one file can report: a generated file with a million wrong lines is said once.
const maxProblems = 100

// report collects what is wrong with one TOML file and the files it draws in.
type report struct {
	problems Problems
	dropped  int
}

// add appends p, up to the bound; errors go on being counted.
func (r *report) add(p Problem) {
	p.File, p.Key, p.Message, p.Hint = oneLine(p.File), oneLine(p.Key), oneLine(p.Message), oneLine(p.Hint)
	if len(r.problems) < maxProblems {
		r.problems = append(r.problems, p)
		return
	}
	r.dropped++
	if p.Warning {
		return
	}
	// An error must refuse the file even where warnings have used up the room.
	if last := &r.problems[len(r.problems)-1]; last.Warning {
		*last = p
	}
}

// oneLine escapes control characters: what operators wrote is quoted in messages, and shown on terminals.
func oneLine(s string) string {
	if !strings.ContainsFunc(s, unicode.IsControl) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if unicode.IsControl(r) {
			b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// list returns the problems in order of file and line.
func (r *report) list(file string) Problems {
	out := r.problems
	if r.dropped > 0 {
		out = append(slices.Clip(out), Problem{Warning: true, File: file, Message: fmt.Sprintf("and %d more problems", r.dropped)})
	}
	out.sort()
	return out
}

// failed says whether an error was reported.
func (r *report) failed() bool {
	return slices.ContainsFunc(r.problems, func(p Problem) bool { return !p.Warning })
}

// sort orders problems by file, line and key; at one place errors come first.
func (ps Problems) sort() {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(rank(a), rank(b)), cmp.Compare(a.Key, b.Key))
	})
}

func rank(p Problem) int {
	if p.Warning {
		return 1
	}
	return 0
}
