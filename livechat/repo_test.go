// Package livechat_test holds the module to its own rules.
package livechat_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// edges are which rooms of this module a room may import; the README draws them. Tests may import more.
var edges = map[string][]string{
	"frame":        {},
	"moderator":    {},
	"config":       {},
	"store":        {"frame"},
	"chat":         {"frame", "store", "moderator"},
	"notice":       {},
	"link":         {"frame", "store", "chat", "notice"},
	"server":       {"frame", "store", "chat", "notice"},
	"chattest":     {"frame"},
	"pages":        {},
	"rig":          {},
	"cmd/livechat": {"config", "deployment", "store"},
}

func TestImportsRunAgainstTheFlow(t *testing.T) {
	const module = "github.com/livens/livens/livechat/"
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}}: {{join .Imports " "}}`, "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for line := range strings.Lines(string(out)) {
		name, imports, _ := strings.Cut(line, ":")
		room := strings.TrimPrefix(name, module)
		allowed, known := edges[room]
		if !known {
			continue
		}
		seen++
		for imported := range strings.FieldsSeq(imports) {
			if inner, ours := strings.CutPrefix(imported, module); ours && !slices.Contains(allowed, inner) {
				t.Errorf("%s imports %s", room, inner)
			}
		}
	}
	if seen != len(edges) {
		t.Errorf("%d of %d rooms found", seen, len(edges))
	}
}
