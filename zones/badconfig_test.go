package zones

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestBadConfig reads every folder of testdata/badconfig and wants exactly the problems in its want.txt.
func TestBadConfig(t *testing.T) {
	folders, err := filepath.Glob("../testdata/badconfig/*/livens.toml")
	if err != nil || len(folders) == 0 {
		t.Fatal("no bad configurations", err)
	}
	for _, file := range folders {
		dir := filepath.Dir(file)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			c, problems := LoadConfig(file)
			_, more := Validate(c)
			got := strings.Join(append(lines(problems), lines(more)...), "\n") + "\n"
			wantFile := filepath.Join(dir, "want.txt")
			if *update {
				if err := os.WriteFile(wantFile, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(wantFile)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}
