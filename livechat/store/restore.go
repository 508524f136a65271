package store

import (
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
	discard(fresh) // what an earlier try left
	if err := copyTo(ctx, unchanging(backup), fresh); err != nil {
		return nil, fmt.Errorf("%s cannot be restored: %w", backup, err)
	}
	r, err := adopt(fresh)
	if err != nil {
		discard(fresh)
		return nil, fmt.Errorf("%s: %w", backup, err)
	}
	aside := path + ".before-" + now.UTC().Format(backupTime)
	if there {
		r.Aside = aside
	}
	if err := keepAside(path, aside); err != nil {
		return nil, err
	}
	if err := os.Rename(fresh, path); err != nil {
		return nil, err
	}
	return r, durable.SyncDir(dir)
}

// keepAside gives a database that nobody serves another name besides its own: at whatever moment the machine stops, a deployment
// begins with the former or with the restored one, never with an empty one.
func keepAside(path, aside string) error {
	_ = foldLog(path) // of a damaged one all is kept as it is
	if err := os.Link(path, aside); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	// Whatever is left beside it SQLite would read into the restored one.
	for _, suffix := range []string{"-wal", "-shm"} {
		if err := os.Rename(path+suffix, aside+suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return durable.SyncDir(filepath.Dir(path))
}

// foldLog has SQLite write into the database itself what it keeps beside it.
func foldLog(path string) error {
	db, err := sql.Open("sqlite", source(path)+"&mode=rw")
	if err != nil {
		return err
	}
	_, err = db.Exec("PRAGMA wal_checkpoint(TRUNCATE)")
	return errors.Join(err, db.Close())
}

// adopt gives a database that nobody else uses a new log.
func adopt(path string) (*Restored, error) {
	db, err := sql.Open("sqlite", source(path))
	if err != nil {
		return nil, err
	}
	defer db.Close()
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
