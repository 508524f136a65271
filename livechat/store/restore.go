package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/livens/livens/internal/durable"
)

// Restored is what a restore has done.
type Restored struct {
	Count  int64     // messages, and ends of conversations
	Latest time.Time // of the latest message; zero: there is none
	Aside  string    // where the former database is now; "": there was none
}

// ErrInPlace is that there is a database already.
var ErrInPlace = errors.New("there is a database already")

// Restore puts a backup in the place of the database in the folder dir, which nobody may serve meanwhile. The backup is verified first.
// The restored database is another log than the backup's, so that the other deployment reads it, and is read, from the beginning.
// A database that is there is moved aside if replace is set; else that is ErrInPlace.
func Restore(ctx context.Context, backup, dir string, replace bool, now time.Time) (*Restored, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	lock, err := Lock(dir)
	if err != nil {
		return nil, err
	}
	defer lock.Close()
	path := filepath.Join(dir, FileName)
	_, err = os.Stat(path)
	there := err == nil
	if there && !replace {
		return nil, fmt.Errorf("%s: %w", path, ErrInPlace)
	}
	if _, err := os.Stat(backup); err != nil {
		return nil, err
	}
	fresh := path + ".restored"
	_ = os.Remove(fresh) // what an earlier try left
	if err := copyTo(ctx, "file:"+backup+"?mode=ro&immutable=1", fresh); err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w", backup, err)
	}
	r, err := adopt(fresh)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", backup, err), os.Remove(fresh))
	}
	if there {
		r.Aside = path + ".before-" + now.UTC().Format(backupTime)
		if err := moveAside(path, r.Aside); err != nil {
			return nil, err
		}
	}
	if err := os.Rename(fresh, path); err != nil {
		return nil, err
	}
	return r, durable.SyncDir(dir)
}

// moveAside moves a database with what SQLite keeps beside it.
func moveAside(from, to string) error {
	for _, suffix := range []string{"-wal", "-shm", ""} {
		if err := os.Rename(from+suffix, to+suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// adopt verifies a database that nobody else uses, and gives it a new log.
func adopt(path string) (*Restored, error) {
	db, err := sql.Open("sqlite", source(path))
	if err != nil {
		return nil, err
	}
	defer db.Close()
	if err := verify(db); err != nil {
		return nil, err
	}
	r := &Restored{}
	var latest int64
	if err := db.QueryRow("SELECT count(*), coalesce(max(at), 0) FROM message").Scan(&r.Count, &latest); err != nil {
		return nil, err
	}
	if latest > 0 {
		r.Latest = time.UnixMilli(latest)
	}
	if _, err := db.Exec("UPDATE state SET log = ?, cursor_log = '', cursor_seq = 0", newLog()); err != nil {
		return nil, err
	}
	_, err = db.Exec("PRAGMA wal_checkpoint(TRUNCATE)")
	return r, errors.Join(err, db.Close(), syncFile(path))
}

// verify has SQLite look for damage, and compares the sum of all records with the one that was kept.
func verify(db *sql.DB) error {
	var found string
	if err := db.QueryRow("PRAGMA integrity_check(1)").Scan(&found); err != nil {
		return fmt.Errorf("it is no database of livechat: %w", err)
	}
	if found != "ok" {
		return fmt.Errorf("it is damaged: %s", found)
	}
	var digest []byte
	if err := db.QueryRow("SELECT digest FROM state").Scan(&digest); err != nil {
		return fmt.Errorf("it is no database of livechat: %w", err)
	}
	total, _, err := count(db)
	if err != nil {
		return err
	}
	if !bytes.Equal(total.bytes(), digest) {
		return errors.New("its messages are not those of which it kept the sum")
	}
	return nil
}
