package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/livens/livens/zones"
	"golang.org/x/sys/unix"
)

const (
	// settle is how long files must be left alone before they are read: editors and rsync write in several steps.
	settle = 100 * time.Millisecond
	// settleMax bounds the wait while something writes without end.
	settleMax = time.Second
	// pollEvery finds what inotify cannot tell: a livens.toml that is a symbolic link to another folder, network file
	// systems, a kernel out of watches.
	pollEvery = 10 * time.Second
)

// watcher tells when the configuration's files have changed.
type watcher struct {
	config  func() *zones.Config // the present one
	changed func()
	log     *slog.Logger
	every   time.Duration          // pollEvery
	fs      *fsnotify.Watcher      // nil: the kernel gives none, and polling has to do
	watched map[string]os.FileInfo // by path, the folder that it led to
}

func newWatcher(config func() *zones.Config, changed func(), log *slog.Logger) *watcher {
	w := &watcher{config: config, changed: changed, log: log, every: pollEvery, watched: map[string]os.FileInfo{}}
	var err error
	if w.fs, err = fsnotify.NewWatcher(); err != nil {
		log.Warn("changes of files are noticed late: raise fs.inotify.max_user_instances", "error", err, "poll", pollEvery)
		w.fs = nil
		return w
	}
	w.follow()
	return w
}

// run calls changed whenever files may have changed and were then left alone. Whether they did is for changed to see.
func (w *watcher) run(ctx context.Context) error {
	var events chan fsnotify.Event
	var errs chan error
	if w.fs != nil {
		defer w.fs.Close()
		events, errs = w.fs.Events, w.fs.Errors
	}
	poll := time.NewTicker(w.every)
	defer poll.Stop()
	w.look() // something may have changed since the start read it
	var quiet <-chan time.Time
	var first time.Time
	stir := func() {
		now := time.Now()
		if quiet == nil {
			first = now
		}
		quiet = time.After(min(settle, max(0, first.Add(settleMax).Sub(now))))
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-events:
			stir()
		case <-errs: // the queue overflowed: anything may have changed
			stir()
		case <-quiet:
			quiet = nil
			w.look()
		case <-poll.C:
			w.look()
		}
	}
}

// look has the files looked at, and again while there were folders that were not watched yet: what changes after a
// folder is watched makes an event, and what changed before is seen by looking after that.
func (w *watcher) look() {
	for again := true; again; again = w.follow() {
		w.changed()
	}
}

// follow makes the watched folders those that matter now: the files' own, so that a file that is replaced by renaming
// is seen, and the zones folder's parent, so that the folder itself may be replaced. It reports whether one is new.
func (w *watcher) follow() (fresh bool) {
	if w.fs == nil {
		return false
	}
	config := w.config()
	want := append(folders(config.Zones), filepath.Dir(config.File), filepath.Dir(config.Zones))
	for _, file := range secretFiles(config) {
		want = append(want, filepath.Dir(file))
	}
	for path, before := range w.watched {
		now, err := os.Stat(path)
		if err != nil || !slices.Contains(want, path) || !os.SameFile(before, now) {
			_ = w.fs.Remove(path) // the kernel may have dropped it already
			delete(w.watched, path)
		}
	}
	for _, path := range want {
		fresh = w.watch(path) || fresh
	}
	return fresh
}

func (w *watcher) watch(path string) bool {
	if w.watched[path] != nil {
		return false
	}
	info, err := os.Stat(path)
	if err != nil {
		return false // that a folder is missing is the loader's to report
	}
	w.watched[path] = info
	if err := w.fs.Add(path); err != nil {
		w.log.Warn("changes in a folder are noticed late", "folder", path, "error", err, "poll", w.every)
		return false
	}
	return true
}

// folders are a folder and all below it, apart from hidden ones.
func folders(root string) []string {
	var out []string
	_ = filepath.WalkDir(root+string(filepath.Separator), func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil || !d.IsDir():
		case hidden(root, path):
			return filepath.SkipDir
		default:
			out = append(out, filepath.Clean(path))
		}
		return nil // what cannot be read is the loader's to report
	})
	return out
}

func hidden(root, path string) bool {
	return filepath.Clean(path) != filepath.Clean(root) && strings.HasPrefix(filepath.Base(path), ".")
}

// secretFiles are the files beside the zones that are read again when they change.
func secretFiles(config *zones.Config) []string {
	all := []string{config.DNS.CookieFile}
	if m := config.Moderator; m != nil {
		all = append(all, m.CertFile, m.KeyFile)
	}
	return slices.DeleteFunc(all, func(file string) bool { return file == "" })
}

// fingerprint changes when a file that the configuration is read from does. main is livens.toml's stamp, which may be
// older than the others'.
func fingerprint(config *zones.Config, main string) string {
	files := map[string]bool{}
	for _, file := range secretFiles(config) {
		files[file] = true
	}
	for _, folder := range folders(config.Zones) {
		entries, _ := os.ReadDir(folder) // the loader reports what cannot be read
		for _, e := range entries {
			files[filepath.Join(folder, e.Name())] = true
		}
	}
	delete(files, config.File)
	sum := sha256.New()
	fmt.Fprint(sum, main)
	for _, path := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprint(sum, stamp(path))
	}
	return string(sum.Sum(nil))
}

// stamp changes when a file does: its place, content or rights. A folder's is empty.
func stamp(path string) string {
	var s unix.Stat_t          // with the names that all systems have
	err := unix.Stat(path, &s) // follows links: what they lead to is what is read
	for errors.Is(err, unix.EINTR) {
		err = unix.Stat(path, &s)
	}
	switch {
	case err != nil:
		return fmt.Sprintf("%q missing\n", path)
	case s.Mode&unix.S_IFMT == unix.S_IFDIR:
		return ""
	}
	return fmt.Sprintf("%q %o %d %d %d %d %d\n", path, s.Mode, s.Size, s.Mtim.Nano(), s.Dev, s.Ino, s.Ctim.Nano())
}
