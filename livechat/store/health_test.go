package store

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestHealthJudges(t *testing.T) {
	h := &health{}
	h.committed(nil, noon)
	at := func(after time.Duration, want string) {
		t.Helper()
		if err := h.judge(noon.Add(after)); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("after %v: %v, want %q", after, err, want)
		}
	}
	at(0, "")
	at(stale, "") // a commit that began a second after the last one may take three
	at(stale+time.Millisecond, "does not answer")
	h.committed(errors.New("database or disk is full"), noon.Add(time.Second))
	at(time.Second, "is full")
	at(time.Minute, "nothing could be stored for 60 s")
	h.committed(nil, noon.Add(time.Minute))
	at(time.Minute, "")
	h.measured(errors.New("only 7 KiB"))
	at(time.Minute, "only 7 KiB")
}

// TestHealthAnswersWhileTheDiskHangs: at once, and only a commit that takes long makes the deployment a dead one.
func TestHealthAnswersWhileTheDiskHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, t.TempDir())
		healthy := func(after time.Duration, want bool) {
			t.Helper()
			time.Sleep(after) // on the fake clock
			began := time.Now()
			if err := s.Check(); (err == nil) != want || time.Since(began) > 0 {
				t.Errorf("%v, after %v", err, time.Since(began))
			}
		}
		healthy(time.Minute, true) // nobody writes, and each second proves it
		hangs := make(chan bool)
		s.Write(&Batch{Done: func([]Record, []bool, error) { <-hangs }})
		synctest.Wait()
		for range 15 {
			healthy(200*time.Millisecond, true)
		}
		healthy(2*time.Second, false)
		close(hangs)
		healthy(2*pulse, true)
		s.Close()
	})
}

// TestLockedDatabaseIsUnhealthy, as when somebody's tool holds it: commits wait for SQLite's five seconds, and fail.
func TestLockedDatabaseIsUnhealthy(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	defer s.Close()
	other, err := sql.Open("sqlite", source(filepath.Join(dir, FileName)))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	tx, err := other.Begin() // immediate: it is the writer now
	if err != nil {
		t.Fatal(err)
	}
	until(t, s, false)
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	until(t, s, true)
}

// until waits until a store calls itself healthy, or no longer does.
func until(t *testing.T, s *Store, healthy bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for limit := time.Now().Add(time.Minute); (s.Check() == nil) != healthy; <-tick.C {
		if time.Now().After(limit) {
			t.Fatalf("after a minute: %v", s.Check())
		}
	}
}

// TestDeletedDatabaseIsUnhealthy (F5): SQLite goes on writing into what it has open, and nobody would ever find that. Nothing is
// acknowledged meanwhile; put back, the files are served again.
func TestDeletedDatabaseIsUnhealthy(t *testing.T) {
	t.Parallel()
	for _, name := range []string{FileName, FileName + "-wal"} {
		for how, harm := range map[string]func(path string) error{
			"deleted": func(path string) error { return os.Rename(path, path+".elsewhere") },
			"replaced": func(path string) error {
				return errors.Join(os.Rename(path, path+".elsewhere"), os.WriteFile(path, nil, 0o600))
			},
		} {
			dir := t.TempDir()
			s, path := open(t, dir), filepath.Join(dir, name)
			put(t, s, message(id(1), ada, 1, 0, "kept"))
			if err := harm(path); err != nil {
				t.Fatal(err)
			}
			if _, _, err := try(s, message(id(1), ada, 2, 0, "into the void")); err == nil || !strings.Contains(err.Error(), name+" was "+how) {
				t.Errorf("%s %s: %v", name, how, err)
			}
			if err := s.Check(); err == nil || !strings.Contains(err.Error(), name+" was "+how) {
				t.Errorf("%s %s: healthy but for %v", name, how, err)
			}
			if err := os.Rename(path+".elsewhere", path); err != nil {
				t.Fatal(err)
			}
			put(t, s, message(id(1), ada, 2, 0, "kept, too"))
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			s = open(t, dir)
			if got := transcript(t, s, id(1)); got != "v1:kept v2:kept, too" {
				t.Errorf("%s %s: %s", name, how, got)
			}
			s.Close()
		}
	}
}

// TestDeletedDatabaseIsNoticedWhenNobodyWrites, within a beat or two.
func TestDeletedDatabaseIsNoticedWhenNobodyWrites(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	defer s.Close()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	until(t, s, false)
}
