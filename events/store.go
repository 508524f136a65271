package events

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/livens/livens/internal/durable"
)

// File is the name of a Log's file in the state folder.
const File = "events.json"

// fileVersion is the format of the file; one of another version is set aside like a damaged one.
const fileVersion = 1

// How often the file is written: at most once a second, and after a write that did not succeed again after a while.
const (
	keepPause = time.Second
	keepRetry = 5 * time.Second
)

// memory is what the file holds.
type memory struct {
	Version int                  `json:"livens_state"`
	Since   map[string]time.Time `json:"since"` // by hook: from when on it is told
	Events  []Entry              `json:"events"`
}

// Open reads a state folder's events. The Log is usable whatever the error, which says that the file could not be read,
// or that it was damaged and is set aside; its events are lost then.
func Open(folder string) (*Log, error) {
	l := NewLog()
	m, err := read(filepath.Join(folder, File))
	if err != nil {
		return l, err
	}
	for _, e := range m.Events {
		l.merge(e, time.Time{})
		l.sightings[e.ID].heard = e.At
	}
	if m.Since != nil {
		l.since = m.Since
	}
	l.debts = nil
	l.group()
	return l, nil
}

func read(path string) (m memory, err error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return memory{}, nil
	}
	if err != nil {
		return memory{}, fmt.Errorf("events: %w", err)
	}
	err = json.Unmarshal(text, &m)
	if err == nil && m.Version != fileVersion {
		err = fmt.Errorf("format version %d, this livens reads %d", m.Version, fileVersion)
	}
	if err == nil {
		return m, nil
	}
	aside := fmt.Sprintf("%s.damaged-%d", path, time.Now().Unix())
	if renameErr := os.Rename(path, aside); renameErr != nil {
		return memory{}, fmt.Errorf("state file %s is damaged (%w) and cannot be set aside: %w", path, err, renameErr)
	}
	return memory{}, fmt.Errorf("state file %s was damaged (%w); it is now %s, and its events are lost", path, err, aside)
}

// Keep writes the Log into the state folder after every change, at most once a second, and once more when ctx ends.
// report is told the outcome of each write: nil, or why the events would not outlive a restart. Nothing else waits for
// the disk.
func (l *Log) Keep(ctx context.Context, folder string, report func(error)) {
	changes := l.Changes()
	var retry <-chan time.Time
	keep := func() {
		retry = nil
		err := l.write(folder)
		if report(err); err != nil {
			retry = time.After(keepRetry)
		}
	}
	for ctx.Err() == nil {
		select {
		case <-changes:
			keep()
			sleep(ctx, keepPause)
		case <-retry:
			keep()
		case <-ctx.Done():
		}
	}
	keep()
}

func (l *Log) write(folder string) error {
	m := l.memory()
	text, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("keep events: %w", err)
	}
	if err := durable.WriteFile(filepath.Join(folder, File), append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("keep events: %w", err)
	}
	return nil
}

func (l *Log) memory() memory {
	l.mu.Lock()
	defer l.mu.Unlock()
	m := memory{Version: fileVersion, Since: l.since} // since is replaced, never changed
	for _, s := range slices.SortedFunc(maps.Values(l.sightings), earlier) {
		m.Events = append(m.Events, s.Entry)
	}
	return m
}

// sleep returns after d, or when ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
