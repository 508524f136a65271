package events

import (
	"context"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/livens/livens/zones"
)

func TestEventsOutliveARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		folder, now := t.TempDir(), time.Now()
		l, err := Open(folder)
		if err != nil {
			t.Fatal(err)
		}
		hook := []zones.HookConfig{{Name: "page", URL: "http://x"}, {Name: "log", URL: "http://y"}}
		l.Use(hook, now)
		ctx, cancel := context.WithCancel(t.Context())
		writes := make(chan error, 99)
		go l.Keep(ctx, folder, func(err error) { writes <- err })
		for i := range 30 {
			e := switched("", 0)
			e.At = now.Add(time.Duration(i) * time.Minute)
			l.Add(e, now)
			time.Sleep(100 * time.Millisecond)
		}
		l.Told(l.Recent(1)[0].ID, "page", now)
		if len(writes) > 4 {
			t.Errorf("%d writes in 3 s, want one a second", len(writes))
		}
		cancel()
		synctest.Wait()
		again, err := Open(folder)
		if err != nil || !reflect.DeepEqual(again.Recent(-1), l.Recent(-1)) || len(again.Recent(-1)) != 30 {
			t.Fatalf("%v: %d events after, %d before", err, len(again.Recent(-1)), len(l.Recent(-1)))
		}
		again.Use(hook, now.Add(time.Hour))
		if n := len(again.owed(hookDebt(hook[0]))); n != 29 {
			t.Errorf("%d owed after the restart, want 29", n)
		}
	})
}

func TestADamagedFileIsSetAside(t *testing.T) {
	for _, text := range []string{`{"livens_state":1,"events":[{`, `{"livens_state":9}`, "\x00"} {
		folder := t.TempDir()
		if err := os.WriteFile(filepath.Join(folder, File), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		l, err := Open(folder)
		if err == nil || !strings.Contains(err.Error(), "damaged") {
			t.Errorf("%q: %v", text, err)
		}
		l.Add(switched("x", 0), noon)
		if aside, _ := filepath.Glob(filepath.Join(folder, File+".damaged-*")); len(aside) != 1 || len(l.Recent(-1)) != 1 {
			t.Errorf("%q: set aside %v, %d events", text, aside, len(l.Recent(-1)))
		}
	}
}

func TestAnUnwritableFolderIsReportedAndTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		folder := filepath.Join(t.TempDir(), "missing")
		l := NewLog()
		outcome := make(chan error, 9)
		ctx, cancel := context.WithCancel(t.Context())
		go l.Keep(ctx, folder, func(err error) { outcome <- err })
		synctest.Wait()
		l.Add(switched("x", 0), noon)
		if <-outcome == nil {
			t.Fatal("wrote into a folder that is not there")
		}
		if err := os.Mkdir(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := <-outcome; err != nil {
			t.Fatal(err)
		}
		cancel()
		synctest.Wait()
		if again, err := Open(folder); err != nil || len(again.Recent(-1)) != 1 {
			t.Errorf("%v, %v", again.Recent(-1), err)
		}
	})
}
