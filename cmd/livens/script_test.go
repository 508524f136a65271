package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"livens": main})
}

// TestScripts runs testdata/script: the real main on real sockets. Each script has a folder with livens.toml and
// zones/chat.toml of its own (see baseConfig), unless it brings its own, in which $DNS, $DNS2, $HTTP, $MODERATOR, $CHECK and $WORK
// stand for addresses, the port that the deployments listen on, and the folder.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               setup,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"serve":       cmdServe,
			"signal":      cmdSignal,
			"ended":       cmdEnded,
			"log":         cmdLog,
			"until":       cmdUntil,
			"exits":       cmdExits,
			"answers":     cmdAnswers,
			"stays":       cmdStays,
			"up":          cmdUp,
			"down":        cmdDown,
			"http":        cmdHTTP,
			"replace":     cmdReplace,
			"save":        cmdSave,
			"tmpfs":       cmdTmpfs,
			"occupy":      cmdOccupy,
			"load":        cmdLoad,
			"notices":     cmdNotices,
			"hold":        cmdHold,
			"cluster":     cmdCluster,
			"member":      cmdMember,
			"ask":         cmdAsk,
			"alike":       cmdAlike,
			"told":        cmdTold,
			"certificate": cmdCertificate,
		},
	})
}

const baseConfig = `name = "ns1"
listen = ["$DNS"]
state = "state"

[http]
listen = "$HTTP"
`

// Verdicts turn at once, and confirm fast: scripts wait for what happens, not for time.
const baseZone = `[zone]
name = "chat.example.com"
ns = ["ns1", "ns2.example.net."]
contact = "hostmaster@example.com"
records = ["ns1 A 192.0.2.53", "@ MX 10 mail.example.com."]

[pool.chat]
answers = ["@", "www"]
failback = "manual"

[pool.chat.check]
type = "http"
port = $CHECK
path = "/healthz"
interval = "100ms"
fast_interval = "20ms"
timeout = "2s"
fall = 2
rise = 1

[[pool.chat.deployment]]
name = "primary"
addresses = ["127.0.0.1"]

[[pool.chat.deployment]]
name = "redundant"
addresses = ["127.0.0.2"]
`

// setup writes the base files that the script does not bring, puts ports in, and starts both deployments.
func setup(e *testscript.Env) error {
	w, err := newWorld(e)
	if err != nil {
		return err
	}
	for name, text := range map[string]string{"livens.toml": baseConfig, "zones/chat.toml": baseZone} {
		path := filepath.Join(e.WorkDir, name)
		if _, err := os.Stat(path); err == nil {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	expand := func(name string) string {
		if v := e.Getenv(name); v != "" {
			return v
		}
		return "$" + name
	}
	err = filepath.WalkDir(e.WorkDir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(path, []byte(os.Expand(string(text), expand)), 0o644)
	})
	if err != nil {
		return err
	}
	e.Values[worldKey{}] = w
	return nil
}
