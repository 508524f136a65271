package livens_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/livens/livens/zones"
)

const module = "github.com/livens/livens/"

// edges are who may import whom, tests included; ARCHITECTURE.md draws them. Whoever wants another edge changes both.
var edges = map[string][]string{
	"zones":             {"internal/durable", "internal/suggest"},
	"checker":           {"zones"},
	"client":            {},
	"failover":          {"zones", "checker", "internal/durable"},
	"events":            {"zones", "failover", "internal/durable"},
	"cluster":           {"zones", "checker", "failover", "events", "internal/process"},
	"dnsserver":         {"zones", "failover", "checker", "internal/lab", "internal/peertest", "internal/process", "internal/thread", "internal/xdp"},
	"web":               {"zones", "checker", "failover", "events", "cluster", "internal/guests"},
	"cmd/livens":        {"zones", "checker", "client", "failover", "events", "cluster", "dnsserver", "web", "internal/durable", "internal/process", "internal/suggest", "internal/peertest"},
	"internal/durable":  {},
	"internal/guests":   {},
	"internal/lab":      {"internal/process"},
	"internal/process":  {},
	"internal/suggest":  {},
	"internal/thread":   {},
	"internal/xdp":      {"internal/thread"},
	"internal/peertest": {"internal/process"},
	"internal/stage":    {"web", "internal/process"},
	"drill":             {"checker", "failover", "internal/lab", "internal/peertest", "internal/process", "internal/stage"},
	"tour":              {"internal/stage", "internal/process", "failover"},
	"bench":             {"internal/stage", "internal/process", "failover"},
	"bench/peers":       {"web", "failover", "internal/lab", "internal/process"},
	"":                  {"zones", "checker", "failover", "events", "cluster", "dnsserver"},
}

func TestImportsRunAgainstTheFlow(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}}: {{join .Imports " "}} {{join .TestImports " "}} {{join .XTestImports " "}}`, "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		name, imports, _ := strings.Cut(line, ":")
		room := strings.TrimPrefix(strings.TrimPrefix(name, strings.TrimSuffix(module, "/")), "/")
		allowed, known := edges[room]
		if !known {
			t.Errorf("a room that no one has drawn: %q", room)
		}
		for imported := range strings.FieldsSeq(imports) {
			inner, ours := strings.CutPrefix(imported, module)
			if ours && inner != room && !slices.Contains(allowed, inner) {
				t.Errorf("%s imports %s", room, inner)
			}
		}
	}
}

// TestAnswerPathKeepsItsHandsOff names what the query path may not touch: messages and records as objects, logs, locks.
func TestAnswerPathKeepsItsHandsOff(t *testing.T) {
	for _, file := range []string{"answer.go", "resolve.go", "udp.go", "tcp.go", "writer.go", "edns.go", "request.go"} {
		text, err := os.ReadFile(filepath.Join("dnsserver", file))
		if err != nil {
			t.Fatal(err)
		}
		for _, banned := range []string{"dns.Msg", "dns.RR", `"log/slog"`, "Mutex"} {
			if strings.Contains(string(text), banned) {
				t.Errorf("dnsserver/%s has %s", file, banned)
			}
		}
	}
}

// fenced finds the fenced blocks of a Markdown file, by language.
var fenced = regexp.MustCompile("(?s)```(\\w*)\n(.*?)```")

// TestREADMEExampleLoads puts the README's TOML examples into a folder as a new user would: livens.toml with a zone, and
// that of one nameserver among several.
func TestREADMEExampleLoads(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	var examples []string
	for _, m := range fenced.FindAllStringSubmatch(string(text), -1) {
		if m[1] == "toml" {
			examples = append(examples, m[2])
		}
	}
	if len(examples) != 3 {
		t.Fatalf("%d TOML examples in the README, want livens.toml, a zone, and livens.toml with [cluster]", len(examples))
	}
	dir := t.TempDir()
	for name, text := range map[string]string{"livens.toml": examples[0], "zones/chat.example.com.toml": examples[1], "several.toml": examples[2]} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if several, problems := zones.LoadConfig(filepath.Join(dir, "several.toml")); len(problems.Errors()) > 0 || several.Cluster == nil {
		t.Errorf("livens.toml with [cluster]: %v", problems)
	}
	config, problems := zones.LoadConfig(filepath.Join(dir, "livens.toml"))
	if len(problems) > 0 {
		t.Fatalf("livens.toml: %v", problems)
	}
	set, problems := zones.Validate(config)
	if len(problems) > 0 || len(set.Zones) != 1 || len(set.Pools) != 1 {
		t.Fatalf("zone: %v", problems)
	}
}

// TestFailureTableIsProved holds docs/failures.md to the tests and scenarios that it names.
func TestFailureTableIsProved(t *testing.T) {
	text, err := os.ReadFile("docs/failures.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []string{"F1", "F2", "F3", "F4", "F5", "F6", "F7", "F8", "F9", "F10", "F11", "F12", "F13", "F14", "F15"} {
		line := regexp.MustCompile(`(?m)^\| ` + row + ` \|.*$`).Find(text)
		if line == nil {
			t.Errorf("no row %s", row)
		} else if !strings.Contains(string(line), "`TestDrillChat") {
			t.Errorf("row %s names no drill in which people chat", row)
		}
	}
	tests := testNames(t)
	for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(string(text), -1) {
		name := m[1]
		switch {
		case strings.HasPrefix(name, "Test"):
			if !tests[name] {
				t.Errorf("no such test: %s", name)
			}
		case regexp.MustCompile(`^[a-z0-9-]+\.txt$`).MatchString(name):
			if _, err := os.Stat(filepath.Join("testdata/scenario", name)); err != nil {
				t.Errorf("no such scenario: %s", name)
			}
		}
	}
	scenarios, err := filepath.Glob("testdata/scenario/f*-*.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range scenarios {
		if regexp.MustCompile(`^f\d+-`).MatchString(filepath.Base(s)) && !strings.Contains(string(text), filepath.Base(s)) {
			t.Errorf("docs/failures.md does not name %s", filepath.Base(s))
		}
	}
}

// testNames are all tests of the repository.
func testNames(t *testing.T) map[string]bool {
	names := map[string]bool{}
	declared := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	err := filepath.WalkDir(".", func(path string, _ os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range declared.FindAllStringSubmatch(string(text), -1) {
			names[m[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// TestDependenciesHaveReasons holds docs/dependencies.md to go.mod.
func TestDependenciesHaveReasons(t *testing.T) {
	mod, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := os.ReadFile("docs/dependencies.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?m)^\t(\S+) v\S+$`).FindAllStringSubmatch(string(mod), -1) {
		if !strings.Contains(string(doc), "| "+m[1]+" |") {
			t.Errorf("%s has no reason in docs/dependencies.md", m[1])
		}
	}
}

// TestLinksInDocsLead holds every relative link of the documents to a file.
func TestLinksInDocsLead(t *testing.T) {
	docs, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, doc := range append(docs, "README.md", "ARCHITECTURE.md") {
		text, err := os.ReadFile(doc)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`).FindAllStringSubmatch(string(text), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(doc), m[1])); err != nil {
				t.Errorf("%s links to %s, which is not there", doc, m[1])
			}
		}
	}
}
