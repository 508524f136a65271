package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/livens/livens/zones"
)

// watched is a folder of configuration under a watcher that never polls.
type watched struct {
	t       *testing.T
	dir     string
	config  *zones.Config
	changes chan struct{}
}

func startWatch(t *testing.T, dir string) *watched {
	t.Helper()
	w := &watched{t: t, dir: dir, changes: make(chan struct{}, 100), config: &zones.Config{
		File: filepath.Join(dir, "livens.toml"), Zones: filepath.Join(dir, "zones"),
		DNS: zones.DNSConfig{CookieFile: filepath.Join(dir, "secrets", "cookies")},
	}}
	seen := fingerprint(w.config, stamp(w.config.File))
	watcher := newWatcher(func() *zones.Config { return w.config }, func() {
		if now := fingerprint(w.config, stamp(w.config.File)); now != seen {
			seen = now
			w.changes <- struct{}{}
		}
	}, slog.New(slog.DiscardHandler))
	watcher.every = time.Hour
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- watcher.run(ctx) }()
	t.Cleanup(func() { stop(); <-done })
	return w
}

func (w *watched) expect(what string) {
	w.t.Helper()
	select {
	case <-w.changes:
	case <-time.After(patience):
		w.t.Fatalf("nobody noticed: %s", what)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	must(t, os.WriteFile(path, []byte(text), 0o644))
}

func TestWatcherNoticesEveryKindOfEdit(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, name := range []string{"livens.toml", "releases/1/a.toml", "releases/2/a.toml", "secrets/cookies"} {
		write(t, at(name), "1")
	}
	must(t, os.Symlink("releases/1", at("zones")))
	w := startWatch(t, dir)
	for _, step := range []struct {
		what string
		do   func()
	}{
		{"a file rewritten in place", func() { write(t, at("zones/a.toml"), "2") }},
		{"the same length again", func() { write(t, at("zones/a.toml"), "3") }},
		{"a file renamed over another", func() { write(t, at("zones/.a~"), "4"); must(t, os.Rename(at("zones/.a~"), at("zones/a.toml"))) }},
		{"a new file", func() { write(t, at("zones/b.toml"), "1") }},
		{"a file in a new folder", func() { write(t, at("zones/sub/more/db"), "1") }},
		{"an edit in the new folder", func() { write(t, at("zones/sub/more/db"), "2") }},
		{"a removed file", func() { must(t, os.Remove(at("zones/b.toml"))) }},
		{"rights taken away", func() { must(t, os.Chmod(at("zones/a.toml"), 0o600)) }},
		{"livens.toml", func() { write(t, at("livens.toml"), "2") }},
		{"the cookie secrets", func() { write(t, at("secrets/cookies"), "2") }},
		{"the zones folder led elsewhere", func() {
			must(t, os.Symlink("releases/2", at("next")))
			must(t, os.Rename(at("next"), at("zones")))
		}},
		{"an edit where it leads now", func() { write(t, at("releases/2/a.toml"), "2") }},
		{"the folder replaced by another", func() {
			write(t, at("fresh/a.toml"), "9")
			must(t, os.Remove(at("zones")))
			must(t, os.Rename(at("fresh"), at("zones")))
		}},
		{"an edit in that one", func() { write(t, at("zones/a.toml"), "10") }},
		{"the folder gone", func() { must(t, os.RemoveAll(at("zones"))) }},
		{"and back", func() { write(t, at("zones/a.toml"), "11") }},
		{"an edit after that", func() { write(t, at("zones/a.toml"), "12") }},
	} {
		step.do()
		w.expect(step.what)
	}
}

func TestFingerprintIgnoresWhatIsNotRead(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "livens.toml"), "1")
	write(t, filepath.Join(dir, "zones", "a.toml"), "1")
	config := &zones.Config{File: filepath.Join(dir, "livens.toml"), Zones: filepath.Join(dir, "zones")}
	before := fingerprint(config, stamp(config.File))
	write(t, filepath.Join(dir, "state", "decisions.json"), "1")
	write(t, filepath.Join(dir, "notes.txt"), "1")
	write(t, filepath.Join(dir, "zones", ".git", "index"), "1")
	if fingerprint(config, stamp(config.File)) != before {
		t.Error("files that are not read change it")
	}
}

// A writer that is between two writes while livens.toml is read must not have its second one taken for seen.
func TestEditWhileConfigurationIsReadIsAChange(t *testing.T) {
	path := filepath.Join(t.TempDir(), "livens.toml")
	write(t, path, "")
	read := readConfig(path)
	write(t, path, "name = 1")
	if fingerprint(read.config, read.stamp) == fingerprint(read.config, stamp(path)) {
		t.Error("what was written after the file was read is taken for what was read")
	}
}
