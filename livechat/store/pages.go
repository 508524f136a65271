package store

import (
	"context"
	"database/sql"
	"errors"

	"modernc.org/sqlite"
)

// stepPages is how many pages are copied before somebody may call it off.
const stepPages = 256

// copyPages copies a database, as it is at one moment, with SQLite's online backup. from is a name for the driver, to a file.
//
// One transaction reads throughout: a copy whose steps each looked for themselves would begin anew after each commit of another
// connection, and a served database commits every second. Whoever writes waits for nothing meanwhile; what is written stays in the log.
func copyPages(ctx context.Context, from, to string) (err error) {
	db, err := sql.Open("sqlite", from)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if _, err := conn.ExecContext(ctx, "BEGIN"); err != nil {
		return err
	}
	defer func() { _, _ = conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK") }() // it has read, no more
	var one int
	if err := conn.QueryRowContext(ctx, "SELECT one FROM state").Scan(&one); err != nil { // the moment
		return noDatabase(err)
	}
	return conn.Raw(func(driver any) error {
		b, err := driver.(interface {
			NewBackup(to string) (*sqlite.Backup, error)
		}).NewBackup(to)
		if err != nil {
			return err
		}
		return errors.Join(steps(ctx, b), b.Finish())
	})
}

func steps(ctx context.Context, b *sqlite.Backup) error {
	for more := true; more; {
		if err := ctx.Err(); err != nil {
			return err
		}
		var err error
		if more, err = b.Step(stepPages); err != nil {
			return err
		}
	}
	return nil
}
