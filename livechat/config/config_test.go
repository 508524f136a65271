package config

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/livens/livens/zones"
)

// write puts files into a folder, and returns the path of livechat.toml.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "livechat.toml")
}

// example is the README's.
func example(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile("(?s)```toml\n(.*?)```").FindSubmatch(text)
	if m == nil {
		t.Fatal("no example in the README")
	}
	return string(m[1])
}

func TestREADMEExampleLoads(t *testing.T) {
	path := write(t, map[string]string{"livechat.toml": example(t), "link.secret": "a-secret-of-the-link", "ann.token": " the-token-of-ann-01\n"})
	c, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if c.Name != "primary" || c.PeerName != "redundant" || c.Secret != "a-secret-of-the-link" || c.Backup.Every != 6*time.Hour || c.Backup.Keep != 28 ||
		c.Data != filepath.Join(filepath.Dir(path), "data") || len(c.Client.Deployments) != 2 || c.Client.Pool != "chat" || len(c.Moderators) != 3 {
		t.Errorf("%+v", c)
	}
	if who, ok := c.OperatorOf("the-token-of-ann-01"); who != "ann" || !ok {
		t.Error(who, ok)
	}
	for _, token := range []string{"", "the-token-of-ann-02", " the-token-of-ann-01"} {
		if who, ok := c.OperatorOf(token); ok {
			t.Errorf("%q is taken for the token of %s", token, who)
		}
	}
}

// TestREADMEsTryItHereLoads writes the files as the README's shell block does, and loads them.
func TestREADMEsTryItHereLoads(t *testing.T) {
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile("(?s)The files:\n\n```sh\n(.*?)```").FindSubmatch(text)
	if m == nil {
		t.Fatal("no files in the README")
	}
	dir := t.TempDir()
	for name, text := range map[string]string{"link.secret": "a-secret-of-the-link", "ann.token": "the-token-of-ann-01"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	shell := exec.Command("sh", "-eu", "-c", string(m[1]))
	shell.Dir = dir
	if out, err := shell.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var hashes []string
	for name, other := range map[string]string{"primary": "redundant", "redundant": "primary"} {
		c, err := Load(filepath.Join(dir, name, "livechat.toml"))
		if err != nil {
			t.Fatal(err)
		}
		if c.Name != name || c.PeerName != other {
			t.Errorf("%+v", c)
		}
		hashes = append(hashes, c.Settings())
	}
	if hashes[0] != hashes[1] {
		t.Error("they have other settings, and would never be in sync")
	}
	config, problems := zones.LoadConfig(filepath.Join(dir, "livens.toml"))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if set, problems := zones.Validate(config); len(problems) > 0 || len(set.Pools) != 1 {
		t.Error(problems)
	}
}

// TestEveryKeyIsDocumented holds the README's table to the keys that are read.
func TestEveryKeyIsDocumented(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("keys.go")
	if err != nil {
		t.Fatal(err)
	}
	keys := regexp.MustCompile(`"(\w+)": +r\.`).FindAllSubmatch(source, -1)
	if len(keys) < 20 {
		t.Fatalf("only %d keys found", len(keys))
	}
	for _, m := range keys {
		if !regexp.MustCompile("(?m)^\\| `[^|]*\\b" + string(m[1]) + "\\b").Match(readme) {
			t.Errorf("%s is not in the README's table", m[1])
		}
	}
}

const least = "name = \"a\"\nlisten = \"127.0.0.1:0\"\ndata = \"d\"\npool = \"chat\"\n"

func TestLeastConfiguration(t *testing.T) {
	c, err := Load(write(t, map[string]string{"livechat.toml": least}))
	if err != nil || c.Limits != (Limits{20, 5, 1000, 0}) || c.Backup.Every != 0 {
		t.Errorf("%+v %v", c, err)
	}
}

// TestAddressesSayMuchOnlyWithoutAProxy: who ends TLS itself sees whence clients come, and bounds them, unless it is told not to.
func TestAddressesSayMuchOnlyWithoutAProxy(t *testing.T) {
	const own = least + "cert = \"c\"\nkey = \"k\"\n"
	for text, want := range map[string]int{
		least: 0, own: 1000, own + "[limits]\nper_address = 0\n": 0, least + "[limits]\nper_address = 50\n": 50,
	} {
		c, err := Load(write(t, map[string]string{"livechat.toml": text}))
		if err != nil || c.Limits.PerAddress != want {
			t.Errorf("%s: %+v %v, want %d", text, c, err, want)
		}
	}
	a, b := &Config{}, &Config{Limits: Limits{PerAddress: 50}}
	if a.Settings() != b.Settings() {
		t.Error("it must be the same at both")
	}
}

// TestAllErrorsAtOnce, each with a hint.
func TestAllErrorsAtOnce(t *testing.T) {
	_, err := Load(write(t, map[string]string{"livechat.toml": `
naem = "primary"
listen = 80
pool = "chat"
cert = "x"
peer = "https://b.example.com/link"
moderators = ["ns1.example.com"]
origins = ["https://shop.example.com/page"]
secret_file = "nowhere"
[[operator]]
token_hash = "sha256:12"
[backup]
every = "often"
kepe = 3
[limits]
burst = 0
[client]
url = "wss://x"
[[client.deployment]]
id = "a"
`}))
	if err == nil {
		t.Fatal("taken")
	}
	for _, want := range []string{
		`naem is an unknown key (did you mean "name"?)`, "listen is not a text", "name is missing", "data is missing", "cert and key belong together", `peer "https://b.example.com/link" is not a URL (it begins with ws:// or wss://)`,
		"peer_name must be", `"ns1.example.com" is not a URL`, "is more than an origin", "secret_file open", "operator[1].name is missing", "operator[1].token_hash is not", "backup.every is not a time",
		`backup.kepe is an unknown key (did you mean "keep"?)`, "limits must be above 0", "client.deployment[1] needs id and urls",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("not told: %s", want)
		}
	}
	if t.Failed() {
		t.Log(err)
	}
	if _, err := Load(write(t, map[string]string{"livechat.toml": "name = \"a\nlisten"})); err == nil || !strings.Contains(err.Error(), "livechat.toml:1:") {
		t.Errorf("a file that is not TOML: %v", err)
	}
}

// TestSettingsAreWhatBothMustShare.
func TestSettingsAreWhatBothMustShare(t *testing.T) {
	hash := func(s string) string { h := sha256.Sum256([]byte(s)); return "sha256:" + hex.EncodeToString(h[:]) }
	load := func(text string) string {
		c, err := Load(write(t, map[string]string{"livechat.toml": text}))
		if err != nil {
			t.Fatal(err)
		}
		return c.Settings()
	}
	ann := "[[operator]]\nname = \"ann\"\ntoken_hash = \"" + hash("1") + "\"\n"
	ben := "[[operator]]\nname = \"ben\"\ntoken_hash = \"" + hash("2") + "\"\n"
	base := load(least + ann + ben)
	for name, other := range map[string]string{
		"order of operators": least + ben + ann, "own name": strings.Replace(least, `"a"`, `"b"`, 1) + ann + ben, "folder": strings.Replace(least, `"d"`, `"e"`, 1) + ann + ben,
	} {
		if load(other) != base {
			t.Errorf("%s makes other settings", name)
		}
	}
	for name, other := range map[string]string{
		"operators": least + ann, "limits": least + ann + ben + "[limits]\nburst = 30\n", "the script": least + ann + ben + "[client]\nurl = \"wss://x\"\n", "pool": strings.Replace(least, "chat", "mail", 1) + ann + ben,
	} {
		if load(other) == base {
			t.Errorf("%s make the same settings", name)
		}
	}
}
