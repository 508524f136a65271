package stage

import (
	"os"
	"testing"
)

func TestIsTerminal(t *testing.T) {
	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	file, err := os.Create(t.TempDir() + "/file")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if !IsTerminal(terminal) || IsTerminal(null) || IsTerminal(file) {
		t.Errorf("a terminal: %v, /dev/null: %v, a file: %v", IsTerminal(terminal), IsTerminal(null), IsTerminal(file))
	}
}
