package zones

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
)

// CookieSecrets reads a file of secrets for DNS cookies (RFC 9018): 32 hex digits a line, empty lines and comments
// after # aside. There is at least one. The error is one line and tells no secret.
func CookieSecrets(file string) ([][16]byte, error) {
	secrets, p := readSecrets(file, file)
	if p != nil {
		return nil, errors.New("cookie secrets: " + p.String())
	}
	return secrets, nil
}

// CheckCookies says what is wrong with the file of cookie secrets, if c names one. LoadConfig does not: a nameserver
// whose secrets cannot be read answers all the same.
func CheckCookies(c *Config) Problems {
	file := c.DNS.CookieFile
	if file == "" {
		return nil
	}
	shown, err := filepath.Rel(filepath.Dir(c.File), file)
	if err != nil || !filepath.IsLocal(shown) {
		shown = file
	}
	if _, p := readSecrets(file, shown); p != nil {
		p.Key = "dns.cookie_file"
		return Problems{*p}
	}
	return nil
}

const (
	maxSecrets  = 64 << 10 // bytes of a file of secrets
	secretsHint = "make one with: openssl rand -hex 16"
)

// readSecrets reads a file of secrets, called shown in problems.
func readSecrets(file, shown string) ([][16]byte, *Problem) {
	text, err := readRegular(file, maxSecrets)
	if err != nil {
		return nil, &Problem{File: shown, Message: plainError(err), Hint: readHint(err)}
	}
	var secrets [][16]byte
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, maxSecrets+1)
	for number := 1; lines.Scan(); number++ {
		line, _, _ := strings.Cut(lines.Text(), "#")
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		var secret [16]byte
		if len(line) != 2*len(secret) {
			message := fmt.Sprintf("a secret is 32 hex digits, found %d characters", len(line))
			return nil, &Problem{File: shown, Line: number, Message: message, Hint: secretsHint}
		}
		if _, err := hex.Decode(secret[:], []byte(line)); err != nil {
			return nil, &Problem{File: shown, Line: number, Message: "a secret is 32 hex digits", Hint: secretsHint}
		}
		secrets = append(secrets, secret)
	}
	if len(secrets) == 0 {
		return nil, &Problem{File: shown, Message: "holds no secret", Hint: secretsHint}
	}
	return secrets, nil
}
