package zones

import (
	"encoding/hex"
	"errors"
	"fmt"
)

// CookieSecrets reads a file of secrets for DNS cookies (RFC 9018): 32 hex digits a line, empty lines and comments
// after # aside. There is at least one. The error is one line and tells no secret.
func CookieSecrets(file string) ([][16]byte, error) {
	secrets, p := readCookies(file, file)
	if p != nil {
		return nil, errors.New("cookie secrets: " + p.String())
	}
	return secrets, nil
}

// readCookies reads a file of cookie secrets, called shown in problems.
func readCookies(file, shown string) ([][16]byte, *Problem) {
	var secrets [][16]byte
	f := secretFile{path: file, shown: shown, what: "secret", hint: "make one with: openssl rand -hex 16"}
	p := f.read(func(_ int, line string) error {
		var secret [16]byte
		if len(line) != 2*len(secret) {
			return fmt.Errorf("a secret is 32 hex digits, found %d characters", len(line))
		}
		if _, err := hex.Decode(secret[:], []byte(line)); err != nil {
			return errors.New("a secret is 32 hex digits")
		}
		secrets = append(secrets, secret)
		return nil
	})
	return secrets, p
}
