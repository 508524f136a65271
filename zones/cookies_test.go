package zones

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestCookieSecrets(t *testing.T) {
	const one, two = "e5e973e5a6b2a43f48e7dc849e37bfcf", "445536bcd2513298075a5d379663c962"
	dir := t.TempDir()
	file := filepath.Join(dir, "cookies")
	for text, want := range map[string]string{
		"# signs\n" + one + " # since May\n\n" + strings.ToUpper(two) + "\n": "",
		"":                                ": holds no secret (make one with: openssl rand -hex 16)",
		"# nothing\n":                     ": holds no secret (make one with: openssl rand -hex 16)",
		one + "\n1234\n":                  ":2: a secret is 32 hex digits, found 4 characters (make one with: openssl rand -hex 16)",
		strings.Repeat("xy", 16):          ":1: a secret is 32 hex digits (make one with: openssl rand -hex 16)",
		one + one + "x":                   ":1: a secret is 32 hex digits, found 65 characters (make one with: openssl rand -hex 16)",
		strings.Repeat("#\n", maxSecrets): ": is larger than 64 KiB",
	} {
		writeSecret(t, file, text)
		secrets, err := CookieSecrets(file)
		switch {
		case want == "" && (err != nil || len(secrets) != 2 || secrets[1][0] != 0x44):
			t.Errorf("%q: %v %v", text, secrets, err)
		case want != "" && (err == nil || err.Error() != "cookie secrets: "+file+want):
			t.Errorf("%.40q: %v, want %q", text, err, want)
		}
		c := &Config{File: filepath.Join(dir, "livens.toml"), DNS: DNSConfig{CookieFile: file}}
		wanted := ""
		if want != "" {
			at, message, _ := strings.Cut(want, ": ")
			wanted = "cookies" + at + ": dns.cookie_file: " + message
		}
		wantLines(t, lines(CheckFiles(c)), wanted)
	}
}

// TestCookieSecretsAreReadFromRegularFilesOnly: nobody waits for the other end of a pipe.
func TestCookieSecretsAreReadFromRegularFilesOnly(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{
		pipe:                          ": is no regular file",
		filepath.Join(dir, "folder"):  ": is no regular file",
		filepath.Join(dir, "nowhere"): ": there is no such file (make one with: openssl rand -hex 16)",
	} {
		if _, err := CookieSecrets(file); err == nil || err.Error() != "cookie secrets: "+file+want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
