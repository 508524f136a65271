package store

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// crashed is a folder as a killed process left it, with commits in SQLite's log beside the database, and where the store stood.
func crashed(t *testing.T) (dir string, mark Mark) {
	t.Helper()
	live := t.TempDir()
	dir = t.TempDir()
	s := open(t, live)
	defer s.Close()
	put(t, s, message(id(1), ada, 1, 0, "in the log alone"))
	mark = s.Mark()
	for _, suffix := range []string{"", "-wal"} {
		content, err := os.ReadFile(filepath.Join(live, FileName+suffix))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, FileName+suffix), content, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir, mark
}

// TestRestoreThatIsCutShort leaves the former database in its place until the restored one takes it, and whole under its other name.
func TestRestoreThatIsCutShort(t *testing.T) {
	dir, mark := crashed(t)
	path, other := filepath.Join(dir, FileName), t.TempDir()
	if err := keepAside(path, path+".before-that"); err != nil {
		t.Fatal(err)
	}
	// The machine stops here, and somebody starts the deployment.
	content, err := os.ReadFile(path + ".before-that")
	if err == nil {
		err = os.WriteFile(filepath.Join(other, FileName), content, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{dir, other} {
		s := open(t, folder)
		if s.Mark() != mark {
			t.Errorf("%+v, want %+v", s.Mark(), mark)
		}
		s.Close()
	}
}

// TestRestoreReadsNoFormerLog: what was beside a database that somebody deleted is not read into the restored one.
func TestRestoreReadsNoFormerLog(t *testing.T) {
	ctx, folder := context.Background(), t.TempDir()
	source := t.TempDir()
	s := open(t, source)
	put(t, s, message(id(2), ada, 1, 0, "in the backup"))
	s.Close()
	backup, err := Backup(ctx, source, folder, 1, noon)
	if err != nil {
		t.Fatal(err)
	}
	dir, _ := crashed(t)
	if err := os.Remove(filepath.Join(dir, FileName)); err != nil {
		t.Fatal(err)
	}
	// An earlier restore was killed, too.
	if err := os.Link(filepath.Join(dir, FileName+"-wal"), filepath.Join(dir, FileName+".restored-wal")); err != nil {
		t.Fatal(err)
	}
	r, err := Restore(ctx, backup, dir, false, noon.Add(time.Hour))
	if err != nil || r.Count != 1 || r.Aside != "" {
		t.Fatalf("%+v %v", r, err)
	}
	if _, err := os.Stat(filepath.Join(dir, FileName+"-wal")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a log is beside the restored database: %v", err)
	}
	s = open(t, dir)
	defer s.Close()
	if got := transcript(t, s, id(2)) + transcript(t, s, id(1)); got != "v1:in the backup" {
		t.Error(got)
	}
}
