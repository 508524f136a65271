package web

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/livens/livens/failover"
)

func startControl(t *testing.T, state string) (*Client, *[]failover.Order) {
	t.Helper()
	l, err := Control(t.Context(), state)
	if err != nil {
		t.Fatal(err)
	}
	s, orders := sampleServer(t)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- s.ServeControl(ctx, l) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	c, err := NewClient(state)
	if err != nil {
		t.Fatal(err)
	}
	return c, orders
}

func TestControlSocketTakesOrders(t *testing.T) {
	c, orders := startControl(t, t.TempDir())
	order := failover.Order{Verb: failover.DoFailover, Pool: "chat", Deployment: "redundant", Who: "alice", For: 2e9}
	receipt, err := c.Order(t.Context(), order)
	if err != nil || receipt.Pool.Pool != "chat" || receipt.Before[0] != "primary" {
		t.Fatalf("%+v, %v", receipt, err)
	}
	if len(*orders) != 1 || (*orders)[0] != order {
		t.Errorf("orders %+v", *orders)
	}
	if _, err := c.Order(t.Context(), failover.Order{Pool: "other"}); err == nil || !strings.Contains(err.Error(), "no such pool") {
		t.Errorf("refusal came back as %v", err)
	}
	if s, err := c.Status(t.Context()); err != nil || s.Name != "ns1" {
		t.Errorf("status %+v, %v", s, err)
	}
	if r, err := c.Reload(t.Context()); err != nil || len(r.Problems) != 2 {
		t.Errorf("reload %+v, %v", r, err)
	}
	if e, err := c.Explain(t.Context(), "chat.example"); err != nil || e.Source != FromPool {
		t.Errorf("explain %+v, %v", e, err)
	}
}

func TestControlSocketIsItsOwnersAlone(t *testing.T) {
	state := t.TempDir()
	startControl(t, state)
	info, err := os.Stat(filepath.Join(state, SocketName))
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
}

func TestControlReplacesTheSocketOfADeadProcess(t *testing.T) {
	state := t.TempDir()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(state, SocketName), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
	c, _ := startControl(t, state)
	if _, err := c.Status(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestClaimIsForOneProcess(t *testing.T) {
	state := t.TempDir()
	release, err := Claim(state)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Claim(state); !errors.Is(err, ErrTaken) || !strings.Contains(err.Error(), "another livens runs with this state folder") {
		t.Errorf("second claim: %v", err)
	}
	release()
	release, err = Claim(state)
	if err != nil {
		t.Fatal(err)
	}
	release()
}

func TestSocketPathThatIsTooLong(t *testing.T) {
	fits := "/" + strings.Repeat("x", maxSocketPath-len("//"+SocketName))
	if path, err := SocketPath(fits); err != nil || len(path) != maxSocketPath {
		t.Errorf("%d bytes: %v", len(path), err)
	}
	if _, err := SocketPath(fits + "x"); err == nil || !strings.Contains(err.Error(), "choose a shorter state folder") {
		t.Errorf("one byte more: %v", err)
	}
}

func TestClientSaysWhatAMissingServerMeans(t *testing.T) {
	c, err := NewClient(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Status(t.Context()); err == nil || !strings.Contains(err.Error(), "no livens runs with this state folder") {
		t.Errorf("%v", err)
	}
}
