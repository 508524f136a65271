package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/livens/livens/zones"
)

const (
	// settle is how long files must be left alone before they are read: editors and rsync write in several steps.
	settle = 100 * time.Millisecond
	// settleMax bounds the wait while something writes without end.
	settleMax = time.Second
	// pollEvery finds what inotify cannot tell: files behind symbolic links to other folders, network file systems,
	// a kernel out of watches.
	pollEvery = 10 * time.Second
)

// watcher tells when the configuration's files have changed.
type watcher struct {
	config  func() *zones.Config // the present one
	changed func(context.Context)
	log     *slog.Logger
	fs      *fsnotify.Watcher // nil: the kernel gives none, and polling has to do
}

func newWatcher(config func() *zones.Config, changed func(context.Context), log *slog.Logger) *watcher {
	w := &watcher{config: config, changed: changed, log: log}
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
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
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
			w.changed(ctx)
			w.follow()
		case <-poll.C:
			w.changed(ctx)
			w.follow()
		}
	}
}

// follow makes the watched folders those that matter now: the files' own, so that a file that is replaced by renaming
// is seen, and the zones folder's parent, so that the folder itself may be replaced.
func (w *watcher) follow() {
	if w.fs == nil {
		return
	}
	config := w.config()
	want := map[string]bool{filepath.Dir(config.File): true, filepath.Dir(config.Zones): true}
	for _, folder := range folders(config.Zones) {
		want[folder] = true
	}
	for _, watched := range w.fs.WatchList() {
		if !want[watched] {
			_ = w.fs.Remove(watched) // gone already, perhaps
		}
		delete(want, watched)
	}
	for folder := range want {
		if err := w.fs.Add(folder); err != nil {
			w.log.Warn("changes in a folder are noticed late", "folder", folder, "error", err, "poll", pollEvery)
		}
	}
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

// fingerprint changes when a file that the configuration is read from does: its place, content or rights.
func fingerprint(config *zones.Config) string {
	files := map[string]bool{config.File: true}
	if config.DNS.CookieFile != "" {
		files[config.DNS.CookieFile] = true
	}
	for _, folder := range folders(config.Zones) {
		entries, _ := os.ReadDir(folder) // the loader reports what cannot be read
		for _, e := range entries {
			files[filepath.Join(folder, e.Name())] = true
		}
	}
	sum := sha256.New()
	for _, path := range slices.Sorted(maps.Keys(files)) {
		info, err := os.Stat(path) // follows links: what they lead to is what is read
		if err != nil {
			fmt.Fprintf(sum, "%q missing\n", path)
			continue
		}
		if info.IsDir() {
			continue
		}
		fmt.Fprintf(sum, "%q %v %d %d", path, info.Mode(), info.Size(), info.ModTime().UnixNano())
		if s, ok := info.Sys().(*syscall.Stat_t); ok {
			fmt.Fprintf(sum, " %d %d %d", s.Dev, s.Ino, s.Ctim.Nano())
		}
		fmt.Fprintln(sum)
	}
	return string(sum.Sum(nil))
}
