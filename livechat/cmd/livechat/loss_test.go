package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/livens/livens/internal/process"
	"github.com/livens/livens/livechat/rig"
)

// center is a data center: a deployment, its disk, and the way that the other's link takes to it.
type center struct {
	name, config, data, addr string
	path                     *rig.Path
	run                      *process.Process
}

// centers makes two, which know each other through paths that the test can close. The Moderators say all along that both are up: so nothing
// is safe because the other were known to be down.
func centers(t *testing.T, hash string) [2]*center {
	t.Helper()
	states := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{
			"pool": "chat", "active": "primary", "epoch": 1000, "states": map[string]string{"primary": "up", "redundant": "up"},
		})
	})
	moderator := httptest.NewServer(states)
	t.Cleanup(moderator.Close)
	both, addr := [2]*center{{name: "primary"}, {name: "redundant"}}, rig.Loopback() // nobody takes a port of it while a center is lost
	for _, c := range both {
		port, err := process.FreePort(addr)
		if err != nil {
			t.Fatal(err)
		}
		at := netip.AddrPortFrom(addr, port)
		if c.path, err = rig.NewPath(netip.MustParseAddrPort("127.0.0.1:0"), at, false); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.path.Close)
		c.addr = at.String()
	}
	for i, c := range both {
		other, dir := both[1-i], t.TempDir()
		c.config, c.data = filepath.Join(dir, "livechat.toml"), filepath.Join(dir, "data")
		text := fmt.Sprintf("name = %q\nlisten = %q\ndata = \"data\"\npool = \"chat\"\nmoderators = [%q]\npeer = \"ws://%s/link\"\npeer_name = %q\nsecret_file = \"secret\"\n"+
			"[[operator]]\nname = \"ann\"\ntoken_hash = %q\n[limits]\nburst = 100000\nrate = 100000\n", c.name, c.addr, moderator.URL, other.path.Addr(), other.name, hash)
		for file, text := range map[string]string{"livechat.toml": text, "secret": "the link's secret\n"} {
			if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	return both
}

// start starts a deployment with whatever is on its disk.
func (c *center) start(t *testing.T) { c.run, _ = serving(t, c.config) }

// destroy kills it without warning, and its disk is gone.
func (c *center) destroy(t *testing.T) {
	t.Helper()
	c.run.End(syscall.SIGKILL)
	if err := os.RemoveAll(c.data); err != nil {
		t.Fatal(err)
	}
}

// inSync waits until both hold the same.
func inSync(t *testing.T, both [2]*center) {
	t.Helper()
	for _, c := range both {
		if err := c.run.Await(t.Context(), patience, func() error {
			resp, err := http.Get("http://" + c.addr + "/syncz")
			if err != nil {
				return err
			}
			defer resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				return fmt.Errorf("%s is not in sync: %s", c.name, resp.Status)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
}

// TestWhatIsSafeOutlivesADataCenter is the promise itself: one of two deployments that both take messages is killed, and its disk destroyed.
// Whatever was acknowledged as safe, wherever, the other one holds then; or an operator's client does, and brings it.
func TestWhatIsSafeOutlivesADataCenter(t *testing.T) {
	token, hash := tokens(t)
	both := centers(t, hash)
	for _, c := range both {
		c.start(t)
	}
	inSync(t, both)
	visitors := [2][]*speaker{}
	for i := range visitors {
		visitors[i] = []*speaker{newSpeaker(), newSpeaker(), newSpeaker()}
	}
	for round, fate := range []struct {
		victim          int
		stall, operator bool // the link stalls before the loss; an operator is at the victim
	}{{0, false, false}, {1, true, false}, {0, true, true}, {1, false, true}, {0, true, false}} {
		victim, survivor := both[fate.victim], both[1-fate.victim]
		ann := newConsole(token)
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		var busy sync.WaitGroup
		var acked atomic.Int64
		lost := make(chan bool)
		tell := func() {
			switch acked.Add(1) {
			case int64(200 + 37*round):
				if fate.stall {
					both[0].path.Swallow(true)
					both[1].path.Swallow(true)
				}
			case int64(300 + 41*round):
				close(lost)
			}
		}
		if fate.operator {
			busy.Go(func() { ann.watch(ctx, victim.addr) })
		}
		for i, side := range visitors {
			for _, v := range side {
				busy.Go(func() { v.talk(ctx, both[i].addr, tell) })
			}
		}
		select {
		case <-lost:
		case <-ctx.Done():
			t.Fatalf("round %d: %d messages acknowledged, too few", round, acked.Load())
		}
		victim.destroy(t)
		cancel()
		busy.Wait()
		if fate.operator {
			ann.push(t, survivor.addr)
		}
		judge(t, round, visitors, survivor)
		for _, c := range both {
			c.path.Swallow(false)
		}
		victim.start(t)
		inSync(t, both)
	}
}

// judge looks for what was acknowledged as safe.
func judge(t *testing.T, round int, visitors [2][]*speaker, survivor *center) {
	t.Helper()
	var safe, disk int64
	for _, side := range visitors {
		for _, v := range side {
			if n := v.lacks(t, survivor.addr); n > 0 {
				t.Errorf("round %d: %d of %d safe messages are lost with a data center", round, n, v.safe)
			}
			safe, disk = safe+v.safe, disk+v.disk
		}
	}
	t.Logf("round %d: %d messages safe, %d on a disk", round, safe, disk)
	if safe == 0 {
		t.Error("nothing was acknowledged: nothing is proved")
	}
}
