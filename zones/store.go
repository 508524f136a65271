package zones

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/livens/livens/internal/durable"
)

// store keeps the last good version of every zone's files: a folder zones/FILE.toml in the state folder, which holds
// the TOML file and what it draws in under their own names, so that the same code reads both. A version is replaced
// by renames: the new folder is complete and on disk before the old one moves aside, and whichever a crash leaves is
// found.
type store struct {
	dir   string // the state folder
	base  string // the zones folder, absolute
	label string // as problems name it
}

const (
	newPrefix = ".new-"
	oldPrefix = ".old-"
)

func (s *store) path(parts ...string) string {
	return filepath.Join(append([]string{s.dir, "zones"}, parts...)...)
}

// list names the files that have a kept version.
func (s *store) list() []string {
	entries, err := os.ReadDir(s.path())
	if err != nil {
		return nil
	}
	var files []string
	for _, e := range entries {
		if name := strings.TrimPrefix(e.Name(), oldPrefix); e.IsDir() && strings.HasSuffix(name, ".toml") && !strings.HasPrefix(name, ".") {
			files = append(files, name)
		}
	}
	return files
}

// open opens a file's kept version.
func (s *store) open(file string) (*os.Root, error) {
	root, err := os.OpenRoot(s.path(file))
	if errors.Is(err, fs.ErrNotExist) {
		root, err = os.OpenRoot(s.path(oldPrefix + file))
	}
	return root, err
}

// read reads a file's kept version, or returns nil. That it cannot be read or served any more is a warning: the
// error is what made it necessary.
func (s *store) read(file string) (*version, Problems) {
	root, err := s.open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, Problems{{Warning: true, File: s.path(file), Message: "the last good version cannot be read: " + plainError(err)}}
	}
	defer root.Close()
	v := readVersion(&folder{root: root, budget: maxZoneBytes}, settings{base: s.base, label: s.label, limit: maxRecords}, file)
	if v.zone == nil {
		return nil, Problems{{Warning: true, File: s.path(file),
			Message: "the last good version cannot be served: " + v.problems.Errors()[0].String()}}
	}
	return v, nil
}

// errEdited says that a file was edited between reading and keeping it; the next load will keep it.
var errEdited = errors.New("a zone file was edited while it was loaded; reload once more")

// save keeps a version whose files are in root. The rename is on disk only after finish.
func (s *store) save(root *os.Root, v *version, file string) error {
	if kept, err := s.open(file); err == nil {
		same := unchanged(kept, v.sources)
		kept.Close()
		if same {
			return nil
		}
	}
	fresh, old := s.path(newPrefix+file), s.path(oldPrefix+file)
	if err := os.RemoveAll(fresh); err != nil {
		return err
	}
	if err := s.copy(root, v, fresh); err != nil {
		return errors.Join(err, os.RemoveAll(fresh))
	}
	if _, err := os.Lstat(s.path(file)); err == nil {
		if err := os.RemoveAll(old); err != nil {
			return err
		}
		if err := os.Rename(s.path(file), old); err != nil {
			return err
		}
	}
	return os.Rename(fresh, s.path(file))
}

// copy writes a version's files into a new folder and syncs them.
func (s *store) copy(root *os.Root, v *version, to string) error {
	folders := []string{to}
	for _, src := range v.sources {
		dir := filepath.Join(to, filepath.FromSlash(path.Dir(src.name)))
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
		for ; dir != to; dir = filepath.Dir(dir) {
			folders = append(folders, dir)
		}
		if err := copySource(root, src, v, filepath.Join(to, filepath.FromSlash(src.name))); err != nil {
			return err
		}
	}
	for _, dir := range folders {
		if err := durable.SyncDir(dir); err != nil {
			return err
		}
	}
	return nil
}

func copySource(root *os.Root, src source, v *version, to string) error {
	f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	sum, err := copyHashed(f, root, src.name)
	if err == nil && sum != src.sum {
		err = errEdited
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Chtimes(to, v.edited, v.edited)
}

// finish removes what removed zones left, and puts all renames on disk.
func (s *store) finish(removed []string) error {
	var errs []error
	for _, file := range removed {
		errs = append(errs, os.RemoveAll(s.path(file)))
	}
	errs = append(errs, durable.SyncDir(s.path()))
	entries, err := os.ReadDir(s.path())
	errs = append(errs, err)
	for _, e := range entries {
		file, old := strings.CutPrefix(e.Name(), oldPrefix)
		if _, err := os.Lstat(s.path(file)); old && (err == nil || slices.Contains(removed, file)) {
			errs = append(errs, os.RemoveAll(s.path(e.Name())))
		}
	}
	return errors.Join(errs...)
}

// prepare makes the store's folder.
func (s *store) prepare() error {
	if err := os.MkdirAll(s.path(), 0o750); err != nil {
		return fmt.Errorf("make %s: %w", s.path(), err)
	}
	return nil
}
