package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// verify has SQLite look for damage in a file that nobody writes, and compares the sum of all records with the one that was kept.
// Nothing is written, nor left beside it.
func verify(ctx context.Context, path string) error {
	db, err := sql.Open("sqlite", unchanging(path))
	if err != nil {
		return err
	}
	defer db.Close()
	var found string
	if err := db.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&found); err != nil {
		return noDatabase(err)
	}
	if found != "ok" {
		return fmt.Errorf("it is damaged: %s", found)
	}
	var digest []byte
	if err := db.QueryRowContext(ctx, "SELECT digest FROM state").Scan(&digest); err != nil {
		return noDatabase(err)
	}
	total, _, err := count(db)
	if err != nil {
		return err
	}
	if !bytes.Equal(total.bytes(), digest) {
		return errors.New("its messages are not those of which it kept the sum")
	}
	return nil
}

// unchanging is a database that nobody writes, for the driver.
func unchanging(path string) string { return "file:" + path + "?mode=ro&immutable=1" }

func noDatabase(err error) error { return fmt.Errorf("it is no database of livechat: %w", err) }
