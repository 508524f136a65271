package deployment

import (
	"context"
	"io"
	"log/slog"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/livens/livens/livechat/store"
)

// TestBackupsKeepTheirSchedule, also over restarts, and after what went wrong; on a fake clock.
func TestBackupsKeepTheirSchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := settings(t, "primary")
		c.Backup.Folder, c.Backup.Every, c.Backup.Keep = t.TempDir()+"/backup", 6*time.Hour, 3
		log := slog.New(slog.NewTextHandler(io.Discard, nil))
		db, err := store.Open(c.Data, log)
		if err != nil {
			t.Fatal(err)
		}
		db.Close() // a copy can be made of it all the same
		began := time.Now()
		run := func(d time.Duration) {
			ctx, cancel := context.WithTimeout(t.Context(), d)
			defer cancel()
			(&Deployment{config: c, log: log}).backups(ctx)
		}
		due := func(hours ...int) {
			t.Helper()
			paths, err := store.Backups(c.Backup.Folder)
			if err != nil || len(paths) != len(hours) {
				t.Fatalf("after %v: %v %v, want those of %v h", time.Since(began), paths, err, hours)
			}
			for i, path := range paths {
				if made := store.BackupTime(path).Sub(began); made.Round(time.Minute) != time.Duration(hours[i])*time.Hour {
					t.Errorf("copy %d was made after %v, want %d h", i, made, hours[i])
				}
			}
		}
		run(5 * time.Hour)
		due(0) // the first at once
		run(2 * time.Hour)
		due(0, 6) // the restart after 5 h did not make one
		run(20 * time.Hour)
		due(12, 18, 24) // three are kept
		time.Sleep(23 * time.Hour)
		run(time.Hour) // 50 h: overdue
		due(18, 24, 50)
		if err := os.Rename(c.Data+"/"+store.FileName, c.Data+"/aside"); err != nil {
			t.Fatal(err)
		}
		run(8 * time.Hour) // 56 h would be due, and fails
		due(18, 24, 50)
		if err := os.Rename(c.Data+"/aside", c.Data+"/"+store.FileName); err != nil {
			t.Fatal(err)
		}
		run(time.Minute)
		due(24, 50, 59)
	})
}
