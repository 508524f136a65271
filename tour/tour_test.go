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

// TestTour tells the whole story on ports that the kernel chooses, and holds it to what it says. It ends by itself: no
// terminal is there.
func TestTour(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "livens")
	if out, err := exec.Command("go", "build", "-o", binary, "../cmd/livens").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	s, err := run(t.Context(), binary)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range s.servers {
		if got := s.names[n.eye.now()]; got != "primary" {
			t.Errorf("at the end %s answers with %q, want primary, by the last order", n.Name, got)
		}
	}
	if got := s.names[s.returned]; got != "primary" {
		t.Errorf("the nameserver that came back answered %q first, want primary as the others", got)
	}
	if s.apart <= 0 || s.planned <= 0 || s.ordered <= 0 {
		t.Errorf("apart by %v and, planned, %v; ordered within %v: not measured", s.apart, s.planned, s.ordered)
	}
	if met := s.visitor.met(); met.silent > 0 || met.again == 0 || met.asked < 500 {
		t.Errorf("the visitor met %+v, want answers throughout, and a nameserver that was gone", met)
	}
}
