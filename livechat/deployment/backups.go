package deployment

import (
	"context"
	"time"

	"github.com/livens/livens/livechat/store"
)

// backups copies the database on a schedule that survives restarts: the next copy is due when the latest is old enough.
func (d *Deployment) backups(ctx context.Context) {
	b := d.config.Backup
	for {
		timer := time.NewTimer(d.untilBackup())
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
		path, err := store.Backup(ctx, d.config.Data, b.Folder, b.Keep, time.Now())
		if err == nil {
			d.log.Info("backup", "file", path)
			continue
		}
		d.log.Error("the backup failed", "error", err)
		select {
		case <-time.After(min(b.Every, time.Minute)): // a full disk is not asked again at once
		case <-ctx.Done():
			return
		}
	}
}

func (d *Deployment) untilBackup() time.Duration {
	paths, err := store.Backups(d.config.Backup.Folder)
	if err != nil || len(paths) == 0 {
		return 0
	}
	made := store.BackupTime(paths[len(paths)-1])
	return max(0, d.config.Backup.Every-time.Since(made))
}
