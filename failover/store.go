package failover

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/livens/livens/internal/durable"
)

// The state folder's files. Each is replaced whole, so that a crash leaves the old or the new one.
const (
	memoryFile    = "decisions.json"
	overridesFile = "overrides.json"
)

// stateVersion is the format of the files below; a file of another version is set aside like a damaged one.
const stateVersion = 1

// Memory is what must outlive a restart, besides the overrides: with it the first answer is the last decision, and
// verdicts keep their streaks, so that one probe does not overturn them.
type Memory struct {
	Decisions map[string]*Decision  `json:"decisions"` // by pool
	Verdicts  View                  `json:"verdicts"`  // by target key
	Serials   map[string]ZoneSerial `json:"serials"`   // by zone name
}

// envelope wraps every state file: a file that was cut short or bent is told from a sound one by its sum.
type envelope struct {
	Version int             `json:"livens_state"`
	SHA256  string          `json:"sha256"`
	Data    json.RawMessage `json:"data"`
}

// writeState replaces a state file.
func writeState(folder, name string, data any) error {
	body, err := json.Marshal(data)
	if err != nil {
		return err
	}
	// The envelope by hand: Marshal would go through all of body once more.
	whole := fmt.Appendf(make([]byte, 0, len(body)+128), `{"livens_state":%d,"sha256":"%x","data":%s}`+"\n", stateVersion, sha256.Sum256(body), body)
	return durable.WriteFile(filepath.Join(folder, name), whole, 0o600)
}

// readState reads a state file into data; a missing one leaves data alone. A damaged one is renamed, so that it can be
// looked at and does not stand in the way, and the error says so.
func readState(folder, name string, data any) error {
	path := filepath.Join(folder, name)
	whole, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("state file: %w", err)
	}
	err = decodeState(whole, data)
	if err == nil {
		return nil
	}
	aside := fmt.Sprintf("%s.damaged-%d", path, time.Now().Unix())
	if renameErr := os.Rename(path, aside); renameErr != nil {
		return fmt.Errorf("state file %s is damaged (%w) and cannot be set aside: %w", path, err, renameErr)
	}
	return fmt.Errorf("state file %s was damaged (%w); it is now %s, and its content is not used", path, err, aside)
}

func decodeState(whole []byte, data any) error {
	var e envelope
	if err := json.Unmarshal(whole, &e); err != nil {
		return err
	}
	if e.Version != stateVersion {
		return fmt.Errorf("format version %d, this livens reads %d", e.Version, stateVersion)
	}
	if sum := sha256.Sum256(e.Data); hex.EncodeToString(sum[:]) != e.SHA256 {
		return errors.New("its checksum does not match")
	}
	return json.Unmarshal(e.Data, data)
}
