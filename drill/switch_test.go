package drill_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// needCluster begins a drill of nameservers that talk to one another, beside others. It is skipped while livens knows no
// [cluster].
func needCluster(t *testing.T) {
	t.Helper()
	t.Parallel()
	file := filepath.Join(t.TempDir(), "livens.toml")
	if err := os.WriteFile(file, []byte("[cluster]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, _ := exec.Command(binary(), "check", "--config", file).CombinedOutput() // it finds errors in any case
	if strings.Contains(string(out), "cluster: unknown key") {
		t.Skip("this livens knows no [cluster]")
	}
}
