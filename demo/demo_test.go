package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/livens/livens/internal/stage"
)

func TestMain(m *testing.M) {
	stage.Main()
	os.Exit(m.Run())
}

// TestDemo tells the whole story on a port that the kernel chooses. It ends by itself: no terminal is there.
func TestDemo(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "livens")
	if out, err := exec.Command("go", "build", "-o", binary, "../cmd/livens").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	s, err := run(t.Context(), binary, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if s.current != s.primary.Addr.Addr() || s.asked == 0 || s.silent > 0 {
		t.Errorf("at the end %v answers; %d of %d queries had no address", s.current, s.silent, s.asked)
	}
}
