package durable_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/livens/livens/internal/durable"
)

func TestWriteFileReplacesContentsAndMode(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.json")
	for _, want := range []struct {
		data string
		perm fs.FileMode
	}{{"first, and longer", 0o600}, {"second", 0o644}, {"", 0o640}} {
		if err := durable.WriteFile(path, []byte(want.data), want.perm); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil || string(got) != want.data {
			t.Fatalf("read %q, %v; want %q", got, err, want.data)
		}
		if info, _ := os.Stat(path); info.Mode().Perm() != want.perm {
			t.Errorf("mode %v, want %v", info.Mode().Perm(), want.perm)
		}
	}
	onlyFile(t, filepath.Dir(path), "state.json")
}

func TestWriteFileLeavesTheOldFileOnError(t *testing.T) {
	dir := t.TempDir()
	// A folder that is not empty cannot be replaced by a rename.
	path := filepath.Join(dir, "taken")
	if err := os.MkdirAll(filepath.Join(path, "inside"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := durable.WriteFile(path, []byte("x"), 0o600); err == nil {
		t.Fatal("replaced a folder")
	}
	onlyFile(t, dir, "taken")
	if err := durable.WriteFile(filepath.Join(dir, "missing", "x"), nil, 0o600); err == nil {
		t.Fatal("wrote into a folder that does not exist")
	}
}

// TestWriteFileOverwritesWhatAKilledProcessLeft: there is one temporary file, whatever was in it.
func TestWriteFileOverwritesWhatAKilledProcessLeft(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	if err := os.WriteFile(filepath.Join(filepath.Dir(path), ".state.tmp"), []byte("half of something longer"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := durable.WriteFile(path, []byte("whole"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if info, _ := os.Stat(path); err != nil || string(got) != "whole" || info.Mode().Perm() != 0o600 {
		t.Errorf("%q %v %v", got, err, info.Mode())
	}
	onlyFile(t, filepath.Dir(path), "state")
}

func TestWriteFileIsNeverSeenHalfWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	contents := [][]byte{make([]byte, 1<<16), make([]byte, 1<<10)}
	for i := range contents[1] {
		contents[1][i] = 1
	}
	if err := durable.WriteFile(path, contents[0], 0o600); err != nil {
		t.Fatal(err)
	}
	var writer sync.WaitGroup
	writer.Go(func() {
		for i := range 40 {
			if err := durable.WriteFile(path, contents[i%2], 0o600); err != nil {
				t.Error(err)
			}
		}
	})
	for range 200 {
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if want := contents[got[0]]; len(got) != len(want) || got[len(got)-1] != want[0] {
			t.Fatalf("saw %d bytes that nobody wrote", len(got))
		}
	}
	writer.Wait()
	onlyFile(t, filepath.Dir(path), "state")
}

func onlyFile(t *testing.T, dir, name string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 1 || entries[0].Name() != name {
		t.Errorf("folder holds %v, want only %s", entries, name)
	}
}
