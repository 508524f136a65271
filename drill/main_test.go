// Package drill_test holds the drills: nameservers, deployments and a resolver as real processes in network namespaces
// of their own, whose links are cut and delayed, and which are killed and stopped.
package drill_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/livens/livens/internal/stage"
)

func TestMain(m *testing.M) {
	stage.Main()
	os.Exit(run(m))
}

// run builds livens where binary finds it, and removes it in the end.
func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "drill")
	if err != nil {
		return fail(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "livens")
	if out, err := exec.Command("go", "build", "-o", path, "../cmd/livens").CombinedOutput(); err != nil {
		return fail(fmt.Errorf("%w: %s", err, out))
	}
	if err := os.Setenv(binaryVariable, path); err != nil {
		return fail(err)
	}
	if err := flag.Set("test.parallel", atOnce); err != nil {
		return fail(err)
	}
	return m.Run()
}

// atOnce is how many drills are held at a time: two, for they wait much more than they work, and no more, for what they
// measure is judged by its worst.
const atOnce = "2"

const binaryVariable = "LIVENS_DRILL_BINARY"

// binary is the livens under test.
func binary() string { return os.Getenv(binaryVariable) }

func fail(err error) int {
	fmt.Fprintln(os.Stderr, "drill:", err)
	return 1
}
