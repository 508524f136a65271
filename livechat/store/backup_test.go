package store

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// TestBackupAndRestore: a copy that was made while messages came in is whole; the restored database has another log.
func TestBackupAndRestore(t *testing.T) {
	ctx, dir, folder := context.Background(), t.TempDir(), t.TempDir()
	s := open(t, dir)
	put(t, s, message(id(1), ada, 1, 0, "kept"))
	var traffic sync.WaitGroup
	traffic.Go(func() {
		for n := range int64(50) {
			_, _, _ = try(s, message(id(2), ada, n+1, 0, "meanwhile"))
		}
	})
	path, err := Backup(ctx, dir, folder, 3, noon)
	if err != nil {
		t.Fatal(err)
	}
	traffic.Wait()
	put(t, s, message(id(1), ada, 2, 0, "after the backup"))
	former := s.Mark()
	if _, err := Restore(ctx, path, dir, true, noon); err == nil {
		t.Fatal("restored under a running deployment")
	}
	s.Close()
	if _, err := Restore(ctx, path, dir, false, noon); !errors.Is(err, ErrInPlace) {
		t.Fatalf("overwrote a database: %v", err)
	}
	r, err := Restore(ctx, path, dir, true, noon)
	if err != nil || r.Count < 1 || r.Latest.IsZero() {
		t.Fatalf("%+v %v", r, err)
	}
	s = open(t, dir)
	defer s.Close()
	if got := transcript(t, s, id(1)); got != "v1:kept" {
		t.Error(got)
	}
	if m := s.Mark(); m.Log == former.Log || m.Count != r.Count || m.Cursor != (Cursor{}) {
		t.Errorf("%+v, formerly %+v", m, former)
	}
	// The former database is whole, where the restore says.
	aside := t.TempDir()
	if err := moveAside(r.Aside, filepath.Join(aside, FileName)); err != nil {
		t.Fatal(err)
	}
	old := open(t, aside)
	defer old.Close()
	if old.Mark() != former {
		t.Errorf("moved aside was %+v, want %+v", old.Mark(), former)
	}
}

func TestDamagedBackupsAreRefused(t *testing.T) {
	ctx, dir, folder := context.Background(), t.TempDir(), t.TempDir()
	s := open(t, dir)
	for n := range int64(200) {
		put(t, s, message(id(1), ada, n+1, 0, "a message that is on some page of the file"))
	}
	s.Close()
	path, err := Backup(ctx, dir, folder, 3, noon)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	edited := bytes.ReplaceAll(whole, []byte("some page"), []byte("none page")) // also where a page has rests of what was there
	if bytes.Equal(edited, whole) {
		t.Fatal("nothing was edited")
	}
	garbled := bytes.Clone(whole)
	copy(garbled[len(garbled)/2:], make([]byte, 4096))
	for name, content := range map[string][]byte{"cut": whole[:len(whole)/2], "edited": edited, "garbled": garbled, "no database": []byte("hello"), "empty": {}} {
		bad, to := filepath.Join(t.TempDir(), "bad.db"), t.TempDir()
		if err := os.WriteFile(bad, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Restore(ctx, bad, to, false, noon); err == nil {
			t.Errorf("%s: restored", name)
		}
		if left, _ := filepath.Glob(filepath.Join(to, "livechat.db*")); len(left) > 0 {
			t.Errorf("%s: left %v", name, left)
		}
		if after, err := os.ReadFile(bad); err != nil || !bytes.Equal(after, content) {
			t.Errorf("%s: the backup itself was changed", name)
		}
	}
}

func TestBackupsRotate(t *testing.T) {
	dir, folder := t.TempDir(), t.TempDir()
	open(t, dir).Close()
	foreign := filepath.Join(folder, "livechat-notes.db")
	if err := os.WriteFile(foreign, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var made []string
	for i := range 5 {
		path, err := Backup(context.Background(), dir, folder, 2, noon.Add(time.Duration(i)*time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		made = append(made, path)
	}
	kept, err := Backups(folder)
	if err != nil || len(kept) != 2 || kept[0] != made[3] || kept[1] != made[4] {
		t.Errorf("%v %v", kept, err)
	}
	if !BackupTime(made[4]).Equal(noon.Add(4 * time.Hour)) {
		t.Error(BackupTime(made[4]))
	}
	if _, err := os.Stat(foreign); err != nil {
		t.Error("removed what it had not made")
	}
}
