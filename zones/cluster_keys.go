package zones

import (
	"encoding/base64"
	"errors"
	"fmt"
)

// maxClusterKeys bounds the keys of a cluster's key file. A rotation needs two.
const maxClusterKeys = 16

// ClusterKeys reads a cluster's key file: 32 bytes in base64 (RFC 4648 section 4) a line, empty lines and comments
// after # aside. The first encrypts, all decrypt. There are 1 to 16, of 32 bytes each, no two alike. The
// error is one line and tells no key.
func ClusterKeys(file string) ([][]byte, error) {
	keys, p := readClusterKeys(file, file)
	if p != nil {
		return nil, errors.New("cluster keys: " + p.String())
	}
	return keys, nil
}

// readClusterKeys reads a cluster's key file, called shown in problems.
func readClusterKeys(file, shown string) ([][]byte, *Problem) {
	var keys [][]byte
	lines := map[string]int{} // where each is
	f := secretFile{path: file, shown: shown, what: "key", hint: "livens key cluster makes one"}
	p := f.read(func(number int, line string) error {
		key, err := base64.StdEncoding.Strict().DecodeString(line)
		switch {
		case err != nil || len(key) != 32:
			return fmt.Errorf("a key is 32 bytes in base64, 44 characters; found %d", len(line))
		case lines[line] > 0:
			return fmt.Errorf("the key of line %d again", lines[line])
		case len(keys) == maxClusterKeys:
			return fmt.Errorf("there are more than %d keys", maxClusterKeys)
		}
		keys, lines[line] = append(keys, key), number
		return nil
	})
	return keys, p
}
