package zones

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// writeSecret writes a file that only its owner may read.
func writeSecret(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// keyText is a cluster key made of one letter.
func keyText(letter string) string {
	return base64.StdEncoding.EncodeToString([]byte(strings.Repeat(letter, 32)))
}

func TestClusterKeys(t *testing.T) {
	const hint = " (livens key cluster makes one)"
	a, b, hexed := keyText("a"), keyText("b"), strings.Repeat("ab", 32)
	var many string
	for i := range maxClusterKeys {
		many += keyText(string(rune('a'+i))) + "\n"
	}
	file := filepath.Join(t.TempDir(), "cluster.key")
	for text, want := range map[string]struct {
		keys    string // their first letters
		problem string
	}{
		"# encrypts\n" + a + " # since May\r\n\n  " + b + "  \n": {"ab", ""},
		b:                                 {"b", ""},
		many:                              {"abcdefghijklmnop", ""},
		many + keyText("z"):               {"", ":17: there are more than 16 keys" + hint},
		"":                                {"", ": holds no key" + hint},
		"# nothing\n":                     {"", ": holds no key" + hint},
		a + "\n\n" + b + "\n" + a:         {"", ":4: the key of line 1 again" + hint},
		a + "\n" + hexed:                  {"", ":2: a key is 32 bytes in base64, 44 characters; found 64" + hint},
		strings.TrimRight(a, "="):         {"", ":1: a key is 32 bytes in base64, 44 characters; found 43" + hint},
		strings.Repeat("?", 44):           {"", ":1: a key is 32 bytes in base64, 44 characters; found 44" + hint},
		a + b:                             {"", ":1: a key is 32 bytes in base64, 44 characters; found 88" + hint},
		strings.Repeat("#\n", maxSecrets): {"", ": is larger than 64 KiB"},
		strings.Replace(a, "E=", "F=", 1): {"", ":1: a key is 32 bytes in base64, 44 characters; found 44" + hint}, // bits beyond the end
	} {
		writeSecret(t, file, text)
		keys, err := ClusterKeys(file)
		got := ""
		for _, key := range keys {
			got += string(key[0])
		}
		problem := ""
		if err != nil {
			problem = strings.TrimPrefix(err.Error(), "cluster keys: "+file)
		}
		if got != want.keys || problem != want.problem {
			t.Errorf("%.50q: %q %q, want %q %q", text, got, problem, want.keys, want.problem)
		}
	}
}

func TestCheckHookSecret(t *testing.T) {
	const hint = " (make one with: openssl rand -base64 32)"
	dir := t.TempDir()
	file := filepath.Join(dir, "ops.secret")
	c := &Config{File: filepath.Join(dir, "livens.toml"), Hooks: []HookConfig{{Name: "ops", SecretFile: file}}}
	for text, want := range map[string]string{
		" 0123456789abcdef\r\n":   "",
		"0123456789abcde\n\n":     "ops.secret: warning: hook.ops.secret_file: a secret of 15 bytes can be guessed" + hint,
		" \n":                     "ops.secret: hook.ops.secret_file: is empty" + hint,
		strings.Repeat("x", 4097): "ops.secret: hook.ops.secret_file: is larger than 4 KiB",
	} {
		writeSecret(t, file, text)
		wantLines(t, lines(CheckFiles(c)), want)
	}
}

// TestCheckFiles: what livens.toml names is looked at, and shown relative to its folder.
func TestCheckFiles(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	c := &Config{
		File: in("livens.toml"), DNS: DNSConfig{CookieFile: in("cookies")}, Cluster: &ClusterConfig{KeyFile: in("cluster.key")},
		Hooks: []HookConfig{{Name: "a", SecretFile: in("sub/a.secret")}, {Name: "b", Command: []string{in("page"), "x"}}, {Name: "c", Command: []string{"page"}}},
	}
	wantLines(t, lines(CheckFiles(c)), `
		cookies: dns.cookie_file: there is no such file (make one with: openssl rand -hex 16)
		cluster.key: cluster.key_file: there is no such file (livens key cluster makes one)
		sub/a.secret: hook.a.secret_file: there is no such file (make one with: openssl rand -base64 32)
		livens.toml: hook.b.command: `+in("page")+`: there is no such file`)
	write(t, in("cookies"), strings.Repeat("ab", 16))
	write(t, in("cluster.key"), keyText("a"))
	write(t, in("sub/a.secret"), strings.Repeat("x", 16))
	write(t, in("page"), "#!/bin/sh\n")
	const open = "every user of this host may read it (chmod 600, and give it to the user that livens runs as)"
	wantLines(t, lines(CheckFiles(c)), `
		cookies: warning: dns.cookie_file: `+open+`
		cluster.key: warning: cluster.key_file: `+open+`
		sub/a.secret: warning: hook.a.secret_file: `+open+`
		livens.toml: hook.b.command: `+in("page")+` is not executable (chmod +x)`)
	for name, mode := range map[string]os.FileMode{"cookies": 0o640, "cluster.key": 0o600, "sub/a.secret": 0o660, "page": 0o755} {
		if err := os.Chmod(in(name), mode); err != nil {
			t.Fatal(err)
		}
	}
	wantLines(t, lines(CheckFiles(c)), "")
}
