package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// files are the database's, as they were opened. Whoever deletes or replaces one does not keep SQLite from writing into what it has open:
// commits succeed, and all of it is gone when the process ends. They are never opened beside SQLite: closing one would give up its locks.
type files map[string]os.FileInfo

// openedAt looks at a database that has just been opened for writing.
func openedAt(path string) (files, error) {
	f := files{}
	for _, path := range []string{path, path + "-wal"} {
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		f[path] = info
	}
	return f, nil
}

// intact is nil while the files that are open are the ones that the next process will find.
func (f files) intact() error {
	for path, opened := range f {
		switch found, err := os.Stat(path); {
		case errors.Is(err, os.ErrNotExist):
			return fmt.Errorf("%s was deleted while it is served: what came since would be lost; restart livechat, it pulls from the other deployment", filepath.Base(path))
		case err != nil:
			return err
		case !os.SameFile(found, opened):
			return fmt.Errorf("%s was replaced while it is served: what came since would be lost; restart livechat, it pulls from the other deployment", filepath.Base(path))
		}
	}
	return nil
}
