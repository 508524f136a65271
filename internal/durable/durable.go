// Package durable replaces files so that a crash or power cut leaves either the old contents or the new, never a mix.
package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// WriteFile replaces path's contents with data: it writes a temporary file beside path, syncs it, renames it over
// path, and syncs the folder. When it returns nil the new contents survive a power cut. On an error the old file is
// untouched and the temporary one removed; one exception: an error of the last step, syncing the folder, leaves the
// new file in place. perm is the new file's mode whatever the umask. The folder must exist.
//
// A path has one writer at a time: the temporary file is always .NAME.tmp, so that what a killed process leaves of it is
// overwritten by the next write.
func WriteFile(path string, data []byte, perm fs.FileMode) error {
	dir, base := filepath.Split(path)
	if dir == "" {
		dir = "."
	}
	tmp := filepath.Join(dir, "."+base+".tmp")
	err := fill(tmp, data, perm)
	if err == nil {
		err = os.Rename(tmp, path)
	}
	if err != nil {
		_ = os.Remove(tmp) // it may not be there
		return fmt.Errorf("write %s: %w", path, err)
	}
	return SyncDir(dir)
}

// fill makes the file anew with that content, and syncs it.
func fill(path string, data []byte, perm fs.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Chmod(perm)
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// Sync makes what was written into files, and what was made in folders, survive a power cut; paths are both. Few are
// synced one after another. Many are synced at once with all else on the file system of the first, where the system
// can: that takes one write of its journal rather than one for each.
func Sync(paths []string) error {
	if len(paths) > fewPaths {
		if err := syncFileSystem(paths[0]); !errors.Is(err, errors.ErrUnsupported) {
			return err
		}
	}
	for _, path := range paths {
		if err := syncOne(path); err != nil {
			return err
		}
	}
	return nil
}

// fewPaths are synced one after another: what others have written there may be more than that.
const fewPaths = 64

// SyncDir makes the creations, renames and removals in a folder survive a power cut.
func SyncDir(path string) error { return syncOne(path) }

func syncOne(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("sync %s: %w", path, err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("sync %s: %w", path, err)
	}
	return nil
}
