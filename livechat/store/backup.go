package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/livens/livens/internal/durable"
)

// Names of backups: they sort by time.
const (
	backupPrefix = "livechat-"
	backupSuffix = ".db"
	backupTime   = "20060102T150405.000Z"
)

// Backup copies the database in the folder dir into the folder to, also while it is served, keeps the latest keep copies that are
// there, and returns the new one's path. The copy was verified; it is whole or not there.
func Backup(ctx context.Context, dir, to string, keep int, now time.Time) (string, error) {
	if _, err := os.Stat(filepath.Join(dir, FileName)); err != nil {
		return "", err
	}
	if err := os.MkdirAll(to, 0o700); err != nil {
		return "", err
	}
	path := filepath.Join(to, backupPrefix+now.UTC().Format(backupTime)+backupSuffix)
	if err := copyTo(ctx, source(filepath.Join(dir, FileName)), path); err != nil {
		return "", fmt.Errorf("backup to %s: %w", path, err)
	}
	return path, rotate(to, keep)
}

// copyTo writes a verified copy of a database, of one moment, into a file that is not there yet. from is a name for the driver.
func copyTo(ctx context.Context, from, to string) error {
	tmp := to + ".tmp"
	discard(tmp) // what a killed process left
	err := copyPages(ctx, from, tmp)
	if err == nil {
		err = verify(ctx, tmp) // pages are copied as they are, damage and all: it must not push out a copy that was whole
	}
	if err == nil {
		err = syncFile(tmp)
	}
	if err == nil {
		err = os.Rename(tmp, to)
	}
	if err != nil {
		discard(tmp)
		return err
	}
	return durable.SyncDir(filepath.Dir(to))
}

// discard removes a database that nobody needs, if there is one. What SQLite left beside it would be read into the next of that name.
func discard(path string) {
	for _, suffix := range []string{"-wal", "-shm", "-journal", ""} {
		_ = os.Remove(path + suffix)
	}
}

func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Chmod(0o600), f.Sync(), f.Close())
}

// Backups are the paths of the copies in a folder, the oldest first.
func Backups(folder string) ([]string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var paths []string
	for _, e := range entries {
		if path := filepath.Join(folder, e.Name()); !BackupTime(path).IsZero() {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	return paths, nil
}

// BackupTime is when a copy was made, by its name; zero when that is no copy's.
func BackupTime(path string) time.Time {
	made, err := time.Parse(backupPrefix+backupTime+backupSuffix, filepath.Base(path))
	if err != nil {
		return time.Time{}
	}
	return made
}

// rotate removes all but the latest copies.
func rotate(folder string, keep int) error {
	paths, err := Backups(folder)
	for len(paths) > max(keep, 1) {
		err = errors.Join(err, os.Remove(paths[0]))
		paths = paths[1:]
	}
	return err
}
