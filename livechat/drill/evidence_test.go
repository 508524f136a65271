package drill_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

var update = flag.Bool("update", false, "write what the drills measured into docs/failures.md")

const (
	evidenceFile  = "../../docs/failures.md"
	evidenceBegin = "<!-- drills -->\n"
	evidenceEnd   = "<!-- end -->"
)

// writeEvidence replaces the table in docs/failures.md by the rows of this run.
func writeEvidence() error {
	text, err := os.ReadFile(evidenceFile)
	if err != nil {
		return err
	}
	before, rest, begins := strings.Cut(string(text), evidenceBegin)
	_, after, ends := strings.Cut(rest, evidenceEnd)
	if !begins || !ends {
		return fmt.Errorf("%s has no place for the drills' table: %s", evidenceFile, evidenceBegin)
	}
	table, err := evidence(time.Now())
	if err != nil {
		return err
	}
	return os.WriteFile(evidenceFile, []byte(before+evidenceBegin+table+evidenceEnd+after), 0o644)
}

// evidence is the table: drills with subtests, such as the runs by chance, in one row each.
func evidence(now time.Time) (string, error) {
	of, err := failuresOf()
	if err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\nMeasured on %s, all drills of one run on two cores.\n\n", now.Format("2006-01-02"))
	b.WriteString("| failures | what was done | promised | without a socket | slowest message | sent | lost | doubled | out of order | also seen | drill |\n|---|---|---|---|---|---|---|---|---|---|---|\n")
	for _, r := range together(sorted()) {
		test, _, _ := strings.Cut(r.test, "/")
		fmt.Fprintf(&b, "| %s | %s | %s | %v | %v | %d | %d | %d | %d | %s | `%s` |\n",
			of[test], r.what, r.promised, round(r.gap), round(r.slowest), r.sent, r.lost, r.doubled, r.swapped, r.more, test)
	}
	return b.String(), nil
}

// together makes one row of the runs by chance.
func together(rows []row) (out []row) {
	for _, r := range rows {
		test, _, _ := strings.Cut(r.test, "/")
		n := len(out)
		if r.runs == 0 || n == 0 || out[n-1].test != test {
			if r.runs > 0 {
				r.test = test
			}
			out = append(out, r)
			continue
		}
		sum := &out[n-1]
		sum.figures, sum.runs, sum.faults = sum.worse(r.figures), sum.runs+r.runs, sum.faults+r.faults
		sum.what = fmt.Sprintf("%d faults by chance in %d runs", sum.faults, sum.runs)
	}
	return out
}

// failuresOf reads which failures a drill is about from the comment above it.
func failuresOf() (map[string]string, error) {
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		return nil, err
	}
	of := map[string]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		for _, m := range regexp.MustCompile(`(?m)^// (TestDrill\w+) \((F[\dF, ]+)\)`).FindAllStringSubmatch(string(text), -1) {
			of[m[1]] = m[2]
		}
	}
	for _, r := range sorted() {
		if test, _, _ := strings.Cut(r.test, "/"); of[test] == "" {
			return nil, fmt.Errorf("the comment above %s does not begin: // %s (F1, …)", test, test)
		}
	}
	return of, nil
}
