package cluster

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the tables of docs/agreement.md")

// agreementDoc holds the tables that tests prove, each between two markers.
const agreementDoc = "../docs/agreement.md"

func tableMarks(test string) (begin, end string) {
	return "<!-- made by " + test + " -->\n", "<!-- end -->\n"
}

// provesTable makes the rows of a test's table, each in a subtest of that number, and holds the documented one to them: every
// row that is run to its own line, and the whole once all are.
func provesTable(t *testing.T, rows []func(*testing.T) string) {
	text, err := os.ReadFile(agreementDoc)
	if err != nil {
		t.Fatal(err)
	}
	begin, end := tableMarks(t.Name())
	head, rest, ok := strings.Cut(string(text), begin)
	old, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has lost the markers of its table", agreementDoc)
	}
	lines := make([]string, len(rows))
	for i, row := range rows {
		t.Run(fmt.Sprint(i+1), func(t *testing.T) {
			t.Parallel()
			line := fmt.Sprintf("| %d %s", i+1, row(t))
			if !*update && !strings.Contains(old, "\n"+line) {
				t.Errorf("%s says otherwise (make golden rewrites it); now:\n%s", agreementDoc, line)
			}
			lines[i] = line
		})
	}
	t.Cleanup(func() { // once all rows are done
		table := fmt.Sprintf("| %s/… | nameservers | sides | see the active one | after 5 s | after 15 s | 1 s after healing |\n|---|---|---|---|---|---|---|\n", t.Name()) + strings.Join(lines, "")
		switch {
		case slices.Contains(lines, "") || t.Failed() || old == table:
		case !*update:
			t.Errorf("the table of %s has other lines than these (make golden rewrites it):\n%s", agreementDoc, table)
		default:
			if err := os.WriteFile(agreementDoc, []byte(head+begin+table+end+tail), 0o644); err != nil {
				t.Error(err)
			}
		}
	})
}
