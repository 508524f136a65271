package store

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/livens/livens/livechat/frame"
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
	// The former database is whole, in the one file that the restore names.
	aside := t.TempDir()
	if err := os.Rename(r.Aside, filepath.Join(aside, FileName)); err != nil {
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

// TestBackupKeepsNoWriterWaiting, and comes to an end, though somebody writes between all of its steps: it is of one moment.
func TestBackupKeepsNoWriterWaiting(t *testing.T) {
	dir, folder := fast(t), fast(t)
	s := open(t, dir)
	defer s.Close()
	large := strings.Repeat("x", frame.MaxText)
	for n := range int64(600) {
		put(t, s, message(id(1), ada, n+1, 0, large))
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var mu sync.Mutex // database/sql looks, too, from goroutines of its own
	written := int64(0)
	_, err := Backup(noisy{ctx, func() {
		mu.Lock()
		defer mu.Unlock()
		written++
		put(t, s, message(id(2), ada, written, 0, "between two steps"))
		if written > 100 {
			cancel()
		}
	}}, dir, folder, 1, noon)
	mu.Lock()
	defer mu.Unlock()
	if err != nil || written < 600*frame.MaxText/4096/stepPages {
		t.Errorf("%d messages between the steps of a copy: %v", written, err)
	}
}

// noisy is a context whose user does something whenever it looks whether it is to go on.
type noisy struct {
	context.Context
	each func()
}

func (n noisy) Err() error {
	n.each()
	return n.Context.Err()
}

// TestDamagedDatabaseIsNotBackedUp: its copy would push out those that were whole.
func TestDamagedDatabaseIsNotBackedUp(t *testing.T) {
	ctx, dir, folder := context.Background(), t.TempDir(), t.TempDir()
	s := open(t, dir)
	for n := range int64(200) {
		put(t, s, message(id(1), ada, n+1, 0, "a message that is on some page of the file"))
	}
	s.Close()
	whole, err := Backup(ctx, dir, folder, 1, noon)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, FileName)
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, bytes.ReplaceAll(content, []byte("some page"), []byte("none page")), 0o600); err != nil {
		t.Fatal(err)
	}
	if path, err := Backup(ctx, dir, folder, 1, noon.Add(time.Hour)); err == nil {
		t.Errorf("%s was made of what is damaged", path)
	}
	if entries, _ := os.ReadDir(folder); len(entries) != 1 || entries[0].Name() != filepath.Base(whole) {
		t.Errorf("left %v", entries)
	}
}
