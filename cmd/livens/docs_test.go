package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// found are the first groups of a pattern in files.
func found(t *testing.T, glob, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(glob)
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %v", glob, err)
	}
	var out []string
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(string(text), -1) {
			out = append(out, m[1])
		}
	}
	if len(out) == 0 {
		t.Fatalf("nothing in %s matches %s", glob, pattern)
	}
	return out
}

// TestOperationsNamesEveryAlertMetricAndCommand holds docs/operations.md to the code, and the code to it.
func TestOperationsNamesEveryAlertMetricAndCommand(t *testing.T) {
	text, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	doc := string(text)
	codes := slices.Concat(
		found(t, "../../failover/*.go", `(?:raise|report)\("([a-z-]+)"`), found(t, "../../cluster/*.go", `raise\("([a-z-]+)"`),
		found(t, "../../events/*.go", `Code: "([a-z-]+)"`), found(t, "notices.go", `code\w+ += "([a-z-]+)"`),
	)
	for _, kind := range found(t, "../../cluster/*.go", `FaultKind += "([a-z_]+)"`) {
		codes = append(codes, "cluster-"+strings.ReplaceAll(kind, "_", "-"))
	}
	known := map[string]bool{}
	for _, code := range codes {
		known[code] = true
		if !strings.Contains(doc, "| `"+code+"` |") {
			t.Errorf("alert %s is not in the table", code)
		}
	}
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z]+-[a-z-]+)` \\|").FindAllStringSubmatch(doc, -1) {
		if !known[m[1]] {
			t.Errorf("no alert is called %s", m[1])
		}
	}
	metrics := map[string]bool{}
	for _, name := range found(t, "../../web/metrics.go", `(?m)^\t\{"([a-z_]+)", "`) {
		metrics["livens_"+name] = true
	}
	for _, name := range found(t, "../../dnsserver/collector.go", `"(livens_dns_[a-z_]+)"`) {
		metrics[name] = true
	}
	for name := range metrics {
		if !strings.Contains(doc, "`"+name+"`") {
			t.Errorf("metric %s is not in the table", name)
		}
	}
	for _, name := range regexp.MustCompile(`livens_[a-z_]+`).FindAllString(doc, -1) {
		if !metrics[name] {
			t.Errorf("no metric is called %s", name)
		}
	}
	for _, c := range commands() {
		if c.name != "version" && !regexp.MustCompile(`livens `+c.name+`\b`).MatchString(doc) {
			t.Errorf("livens %s is not mentioned", c.name)
		}
	}
}

// TestConfigurationNamesWhatNeedsARestart holds the marks in docs/configuration.md to the reloader.
func TestConfigurationNamesWhatNeedsARestart(t *testing.T) {
	text, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	var marked []string
	for _, table := range regexp.MustCompile(`(?s)<!-- keys: (\w+) -->\n(.*?)<!-- end -->`).FindAllStringSubmatch(string(text), -1) {
		rows := regexp.MustCompile("(?m)^\\| `(\\w+)` .*$").FindAllStringSubmatch(table[2], -1)
		var names []string
		for _, row := range rows {
			if strings.HasSuffix(row[0], "**Restart.** |") {
				names = append(names, row[1])
			}
		}
		switch {
		case table[1] == "config":
			marked = append(marked, names...)
		case len(names) == len(rows):
			marked = append(marked, "["+table[1]+"]")
		default:
			for _, name := range names {
				marked = append(marked, table[1]+"."+name)
			}
		}
	}
	settings := found(t, "reloader.go", `(?m)^\t\t\{"([^"]+)", .*, r\.started\.`)
	slices.Sort(marked)
	slices.Sort(settings)
	if !slices.Equal(marked, settings) {
		t.Errorf("the documentation marks %q, and %q need a restart", marked, settings)
	}
}
