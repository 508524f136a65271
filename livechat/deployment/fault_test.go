package deployment

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/livens/livens/livechat/chattest"
	"github.com/livens/livens/livechat/frame"
	"github.com/livens/livens/livechat/store"
)

// TestFullDisk: with a real file system that is full. healthz fails, a message gets no acknowledgement and its client is sent to
// the other deployment; what was acknowledged is there, and once there is room all goes on.
func TestFullDisk(t *testing.T) {
	c := settings(t, "primary")
	if err := syscall.Mount("tmpfs", c.Data, "tmpfs", 0, "size=16m"); err != nil {
		t.Fatalf("a small file system is needed, and root to mount it: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(c.Data, syscall.MNT_DETACH) })
	d := start(t, c)
	key, ada := chattest.Key(), chattest.Sender("visitor")
	id := conversationOf(t, key)
	v, _, _ := d.attach(visitor(key, ada))
	v.send(say(id, ada, 1, "before"))
	v.acked(id, ada, 1, frame.Safe)
	if code, body := d.get("/healthz"); code != 200 {
		t.Fatal(code, body)
	}
	ballast := filepath.Join(c.Data, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 10<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	health := func(want int, says string) {
		t.Helper()
		await(t, func() error {
			if code, body := d.get("/healthz"); code != want || !strings.Contains(body, says) {
				return fmt.Errorf("healthz: %d %s, want %d %s", code, body, want, says)
			}
			return nil
		})
	}
	health(503, "KiB are free")
	v.send(say(id, ada, 2, "there is still room for this"))
	v.acked(id, ada, 2, frame.Safe)

	fill(t, ballast+"2")
	acked := int64(2)
	for n := int64(3); n < 100; n++ { // the rest of SQLite's log takes a few
		if v.Send(say(id, ada, n, strings.Repeat("x", frame.MaxText))) != nil {
			break
		}
		done := v.wait()
		a, err := chattest.Until(v.Client, func(a *frame.Ack) bool { return a.By == frame.Disk })
		done()
		if err != nil {
			if code := chattest.CloseCode(err); code != frame.Restart {
				t.Fatalf("closed with %d", code)
			}
			break
		}
		acked = a.Have[ada]
	}
	if acked > 80 {
		t.Fatal("the disk is full, and messages are acknowledged")
	}
	if code, _ := d.get("/healthz"); code != 503 {
		t.Error("healthy with a full disk")
	}
	v, _, missed := d.attach(visitor(key, ada)) // it can still read
	if len(missed) != int(acked) {
		t.Errorf("%d messages were acknowledged, %d are there", acked, len(missed))
	}
	for _, path := range []string{ballast, ballast + "2"} {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	v.send(say(id, ada, acked+1, "after"))
	v.acked(id, ada, acked+1, frame.Safe)
	health(200, "ok")
}

// fill writes until there is no room left.
func fill(t *testing.T, path string) {
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 64 << 10; size > 0; {
		if _, err := f.Write(make([]byte, size)); errors.Is(err, syscall.ENOSPC) {
			size /= 2
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// TestRestoredDeploymentIsReadFromTheBeginning: it pulls what is newer than its backup, and the other reads its log again.
func TestRestoredDeploymentIsReadFromTheBeginning(t *testing.T) {
	p, r := pair(t, nil)
	primary, redundant := start(t, p), start(t, r)
	inSync(t, primary, redundant)
	key, ada := chattest.Key(), chattest.Sender("visitor")
	c := conversationOf(t, key)
	v, _, _ := primary.attach(visitor(key, ada))
	v.send(say(c, ada, 1, "in the backup"))
	v.acked(c, ada, 1, frame.Safe)
	backup, err := store.Backup(context.Background(), p.Data, t.TempDir(), 1, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	v.send(say(c, ada, 2, "later"))
	v.acked(c, ada, 2, frame.Safe)
	primary.stop()
	if _, err := store.Restore(context.Background(), backup, p.Data, true, time.Now()); err != nil {
		t.Fatal(err)
	}
	primary = start(t, p)
	inSync(t, primary, redundant)
	if _, _, missed := primary.attach(visitor(key, ada)); len(missed) != 2 || missed[1].Text != "later" {
		t.Errorf("%+v", missed)
	}
}

// TestDifferenceIsFoundAndMended: a message that is gone from one database, as a failing disk may have it, comes back from the other.
func TestDifferenceIsFoundAndMended(t *testing.T) {
	p, r := pair(t, nil)
	primary, redundant := start(t, p), start(t, r)
	inSync(t, primary, redundant)
	key, ada := chattest.Key(), chattest.Sender("visitor")
	c := conversationOf(t, key)
	v, _, _ := primary.attach(visitor(key, ada))
	for n := range int64(3) {
		v.send(say(c, ada, n+1, fmt.Sprint(n+1)))
	}
	v.acked(c, ada, 3, frame.Safe)
	inSync(t, primary, redundant)
	redundant.stop()
	lose(t, r.Data, ada, 2)
	redundant = start(t, r)
	await(t, func() error {
		if redundant.store.Mark().Count != 3 {
			return errors.New("the message has not come back")
		}
		return nil
	})
	inSync(t, primary, redundant)
	if !strings.Contains(redundant.logs.String(), "does not hold the same") {
		t.Error("the difference is not in the log")
	}
}

// lose takes a message out of a database, and makes its sum wrong.
func lose(t *testing.T, dir, sender string, n int64) {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, store.FileName)+"?_pragma=busy_timeout(10000)") // the deployment has it open
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, statement := range []string{fmt.Sprintf("DELETE FROM message WHERE s = '%s' AND n = %d", sender, n), "UPDATE state SET digest = x'07'"} {
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
}

// TestDifferentSettingsAreFound before they are needed.
func TestDifferentSettingsAreFound(t *testing.T) {
	p, r := pair(t, nil)
	r.Limits.Burst++
	complain(t, "other settings", start(t, p), start(t, r))
}

// TestDifferentVersionsAreFound, whose messages travel all the same.
func TestDifferentVersionsAreFound(t *testing.T) {
	p, r := pair(t, nil)
	primary, redundant := start(t, p), startVersion(t, r, "1.1")
	complain(t, "redundant runs version 1.1, this deployment 1.0", primary)
	complain(t, "primary runs version 1.0, this deployment 1.1", redundant)
	key, ada := chattest.Key(), chattest.Sender("visitor")
	v, _, _ := primary.attach(visitor(key, ada))
	v.send(say(conversationOf(t, key), ada, 1, "Hello"))
	v.acked(conversationOf(t, key), ada, 1, frame.Safe)
	await(t, func() error {
		if redundant.store.Mark().Count != 1 {
			return errors.New("the other one has not got the message")
		}
		return nil
	})
}

// TestAloneIsNotInSync: failback would bring people to where what they wrote is missing.
func TestAloneIsNotInSync(t *testing.T) {
	complain(t, "set peer", start(t, settings(t, "primary")))
}

// complain waits until syncz of all says that.
func complain(t *testing.T, what string, all ...*running) {
	t.Helper()
	for _, d := range all {
		await(t, func() error {
			if code, body := d.get("/syncz"); code != 503 || !strings.Contains(body, what) {
				return fmt.Errorf("%d %s", code, body)
			}
			return nil
		})
	}
}

// TestStrangersAreNoDeployment: the link needs the secret and the name.
func TestStrangersAreNoDeployment(t *testing.T) {
	p, r := pair(t, nil)
	r.Secret = "another secret than that"
	primary, redundant := start(t, p), start(t, r)
	await(t, func() error {
		if strings.Contains(primary.logs.String(), "a connection to the link was refused") && strings.Contains(redundant.logs.String(), "is secret_file the same there") {
			return nil
		}
		return errors.New("nobody complains yet")
	})
	if code, body := primary.get("/syncz"); code != 503 {
		t.Error(code, body)
	}
}

// TestWithoutModeratorsABrokenLinkIsADeadDeployment, after 5 s: until then a message is on one disk only.
func TestWithoutModeratorsABrokenLinkIsADeadDeployment(t *testing.T) {
	t.Parallel()
	p, _ := pair(t, nil)
	d := start(t, p)
	key, ada := chattest.Key(), chattest.Sender("visitor")
	c := conversationOf(t, key)
	v, _, _ := d.attach(visitor(key, ada))
	v.send(say(c, ada, 1, "Hello"))
	first := expect(v, func(a *frame.Ack) bool { return a.Have[ada] == 1 })
	second := expect(v, func(a *frame.Ack) bool { return a.Have[ada] == 1 })
	if first.By != frame.Disk || second.By != frame.Safe {
		t.Errorf("%+v, then %+v", first, second)
	}
}
