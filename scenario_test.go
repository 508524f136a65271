// Package livens_test holds what is tested across all rooms: the scenarios, and that the repository is as it says.
package livens_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/livens/livens/dnsserver"
)

var update = flag.Bool("update", false, "rewrite the expected output of the scenarios")

// TestScenarios plays every file of testdata/scenario through the whole pipeline on a fake clock: TOML files, the
// checker with its real probes on a network in memory, the cluster on wires in memory, the controller with its state
// folder, and answers over UDP.
//
// A file is prose (lines that begin with #) and steps: a command, further lines as its body, a line ----, and what the
// step must print, up to an empty line. make golden rewrites what they print.
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/scenario/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			servers := map[string]*dnsserver.Server{}
			for _, name := range append(cast(string(want)), alone) {
				if servers[name] == nil {
					servers[name] = newServer(t, name)
				}
			}
			var got string
			synctest.Test(t, func(t *testing.T) {
				s := newScene(t, servers)
				defer s.stop()
				got = play(t, s, string(want))
			})
			if got == string(want) {
				return
			}
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			t.Errorf("it printed something else (make golden rewrites %s):\n%s", file, difference(string(want), got))
		})
	}
}

// cast are the names of the nameservers of a scenario, if there are several.
func cast(text string) []string {
	var names []string
	for line := range strings.Lines(text) {
		if words, ok := strings.CutPrefix(line, "nameservers "); ok {
			for _, word := range strings.Fields(words) {
				name, _, _ := strings.Cut(word, "@")
				names = append(names, name)
			}
		}
	}
	return names
}

// play runs a scenario's steps and returns the file with what they really printed.
func play(t *testing.T, s *scene, text string) string {
	var out bytes.Buffer
	for _, block := range strings.Split(strings.TrimRight(text, "\n"), "\n\n") {
		if strings.HasPrefix(block, "#") {
			fmt.Fprintf(&out, "%s\n\n", block)
			continue
		}
		step, _, found := strings.Cut(block+"\n", "\n----\n")
		if !found {
			t.Fatalf("a step without ----:\n%s", block)
		}
		command, body, _ := strings.Cut(step, "\n")
		fmt.Fprintf(&out, "%s\n----\n", step)
		if printed := strings.TrimRight(s.do(strings.Fields(command), body), "\n"); printed != "" {
			fmt.Fprintf(&out, "%s\n", printed)
		}
		out.WriteByte('\n')
	}
	return strings.TrimRight(out.String(), "\n") + "\n"
}

// difference is the lines around the first that differs.
func difference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	i := 0
	for i < len(w) && i < len(g) && w[i] == g[i] {
		i++
	}
	around := func(lines []string) string {
		return "    " + strings.Join(lines[min(len(lines), max(0, i-3)):min(len(lines), i+6)], "\n    ")
	}
	return fmt.Sprintf("line %d, want\n%s\ngot\n%s", i+1, around(w), around(g))
}
