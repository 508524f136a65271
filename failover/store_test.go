package failover

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestStateOutlivesARestart(t *testing.T) {
	dir := t.TempDir()
	w := newWorld(t, gated)
	w.up("redundant")
	w.down("primary")
	w.answers("redundant")
	in := Memory{Decisions: map[string]*Decision{"chat": w.previous}, Verdicts: w.view, Serials: map[string]ZoneSerial{"a.": {Serial: 7}}}
	if err := writeState(dir, memoryFile, in); err != nil {
		t.Fatal(err)
	}
	var out Memory
	if err := readState(dir, memoryFile, &out); err != nil {
		t.Fatal(err)
	}
	wrote, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	read, err := json.Marshal(out)
	if err != nil || !bytes.Equal(wrote, read) {
		t.Errorf("wrote\n%s\nread\n%s, %v", wrote, read, err)
	}
}

func TestMissingStateIsNoError(t *testing.T) {
	var m Memory
	if err := readState(t.TempDir(), memoryFile, &m); err != nil {
		t.Error(err)
	}
}

func TestDamagedStateIsSetAside(t *testing.T) {
	sound := func(dir string) []byte {
		if err := writeState(dir, overridesFile, []Override{{Kind: ToDrain, Pool: "chat", Deployment: "primary", At: time.Now()}}); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(dir, overridesFile))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	for name, damage := range map[string]func([]byte) []byte{
		"empty":         func([]byte) []byte { return nil },
		"cut short":     func(b []byte) []byte { return b[:len(b)/2] },
		"bent":          func(b []byte) []byte { return []byte(strings.Replace(string(b), "primary", "primaru", 1)) },
		"other version": func(b []byte) []byte { return []byte(strings.Replace(string(b), `_state":1`, `_state":2`, 1)) },
		"zeros":         func(b []byte) []byte { return make([]byte, len(b)) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			text := damage(sound(dir))
			path := filepath.Join(dir, overridesFile)
			if err := os.WriteFile(path, text, 0o600); err != nil {
				t.Fatal(err)
			}
			var overrides []Override
			err := readState(dir, overridesFile, &overrides)
			if err == nil || len(overrides) != 0 {
				t.Fatalf("read %v, %v", overrides, err)
			}
			aside, _ := filepath.Glob(path + ".damaged-*")
			if len(aside) != 1 || !strings.Contains(err.Error(), aside[0]) {
				t.Errorf("set aside as %v; the error says: %v", aside, err)
			}
			if kept, _ := os.ReadFile(aside[0]); string(kept) != string(text) {
				t.Error("what was set aside is not what was there")
			}
		})
	}
}
