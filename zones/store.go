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
// by renames: the new folder is complete and on disk (see durable.Sync) before the old one moves aside, and whichever a
// crash leaves is found.
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

// write puts a version whose files are in root into a folder beside the kept one, and returns what of that is to be
// synced before replace; nothing, if this very version is kept already.
func (s *store) write(root *os.Root, v *version, file string) ([]string, error) {
	if kept, err := s.open(file); err == nil {
		same := unchanged(kept, v.sources)
		kept.Close()
		if same {
			return nil, nil
		}
	}
	fresh := s.path(newPrefix + file)
	if err := os.RemoveAll(fresh); err != nil {
		return nil, err
	}
	paths, err := copyVersion(root, v, fresh)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(fresh))
	}
	return paths, nil
}

// replace makes what was written, and is on disk by now, the kept version. The renames are on disk only after finish.
func (s *store) replace(file string) error {
	old := s.path(oldPrefix + file)
	if _, err := os.Lstat(s.path(file)); err == nil {
		if err := os.RemoveAll(old); err != nil {
			return err
		}
		if err := os.Rename(s.path(file), old); err != nil {
			return err
		}
	}
	return os.Rename(s.path(newPrefix+file), s.path(file))
}

// copyVersion writes a version's files into a new folder, and returns the paths of all that it made.
func copyVersion(root *os.Root, v *version, to string) ([]string, error) {
	paths := []string{to}
	for _, src := range v.sources {
		dir := filepath.Join(to, filepath.FromSlash(path.Dir(src.name)))
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, err
		}
		for ; dir != to; dir = filepath.Dir(dir) {
			paths = append(paths, dir)
		}
		copied := filepath.Join(to, filepath.FromSlash(src.name))
		if err := copySource(root, src, v, copied); err != nil {
			return nil, err
		}
		paths = append(paths, copied)
	}
	return paths, nil
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
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Chtimes(to, v.edited, v.edited)
}

// finish removes what removed zones and interrupted writing left, and puts all renames on disk.
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
		if !old && !strings.HasPrefix(e.Name(), newPrefix) {
			continue
		}
		if _, err := os.Lstat(s.path(file)); !old || err == nil || slices.Contains(removed, file) {
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
