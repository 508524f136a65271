package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"time"

	"github.com/livens/livens/livechat/config"
	"github.com/livens/livens/livechat/store"
)

func backupCommand() command {
	return command{
		name: "backup", summary: "copy the database now",
		help: `
Copies the database, also while it is served, into the backup folder, removes the oldest copies beyond [backup] keep, and
prints the new file's path. serve does the same by itself when the configuration has [backup] every.

The other deployment holds every message, too; a backup is for what happens to both, such as a mistake.
`,
		bind: func(flags *flag.FlagSet) func(context.Context, io.Writer, io.Writer) error {
			path := configFlag(flags)
			return func(ctx context.Context, stdout, _ io.Writer) error {
				c, err := config.Load(*path)
				if err != nil {
					return err
				}
				file, err := store.Backup(ctx, c.Data, c.Backup.Folder, c.Backup.Keep, time.Now())
				if file != "" {
					fmt.Fprintln(stdout, file)
				}
				return err
			}
		},
	}
}

func restoreCommand() command {
	return command{
		name: "restore", summary: "put a backup in the database's place",
		help: `
Stop the deployment first. The backup is verified; a damaged one changes nothing. A database that is there is not overwritten:
with --replace it is moved aside, and its new name is printed. When the deployment is started again it pulls from the other
one whatever is newer than the backup; /syncz tells when that is done.

  livechat restore --config livechat.toml                       the latest backup
  livechat restore --config livechat.toml --from FILE --replace
`,
		bind: func(flags *flag.FlagSet) func(context.Context, io.Writer, io.Writer) error {
			path := configFlag(flags)
			from := flags.String("from", "", "the backup `file`; default: the latest in the backup folder")
			replace := flags.Bool("replace", false, "move the database that is there aside")
			return func(ctx context.Context, stdout, _ io.Writer) error {
				return restore(ctx, *path, *from, *replace, stdout)
			}
		},
	}
}

func restore(ctx context.Context, path, from string, replace bool, stdout io.Writer) error {
	c, err := config.Load(path)
	if err != nil {
		return err
	}
	if from == "" {
		backups, err := store.Backups(c.Backup.Folder)
		if err != nil {
			return err
		}
		if len(backups) == 0 {
			return fmt.Errorf("no backup in %s; see --from", c.Backup.Folder)
		}
		from = backups[len(backups)-1]
	}
	r, err := store.Restore(ctx, from, c.Data, replace, time.Now())
	if errors.Is(err, store.ErrInPlace) {
		return fmt.Errorf("%w; with --replace it is moved aside", err)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "restored %d messages from %s", r.Count, from)
	if !r.Latest.IsZero() {
		fmt.Fprintf(stdout, ", the latest of %s", r.Latest.UTC().Format(time.RFC3339))
	}
	fmt.Fprintln(stdout)
	if r.Aside != "" {
		fmt.Fprintf(stdout, "the former database is %s\n", r.Aside)
	}
	return nil
}

func tokenCommand() command {
	return command{
		name: "token", summary: "make an operator's token, or a secret for the link",
		help: `
Prints a new random token and its hash. An operator is given the token; the configuration of both deployments needs only
the hash:

  [[operator]]
  name = "ann"
  token_hash = "sha256:…"

A token in a file of its own (secret_file, token_file) works as well:

  livechat token --bare > link.secret
`,
		bind: func(flags *flag.FlagSet) func(context.Context, io.Writer, io.Writer) error {
			bare := flags.Bool("bare", false, "print the token alone")
			return func(_ context.Context, stdout, _ io.Writer) error {
				b := make([]byte, 24)
				_, _ = rand.Read(b) // it never fails
				token := base64.RawURLEncoding.EncodeToString(b)
				if *bare {
					fmt.Fprintln(stdout, token)
					return nil
				}
				hash := sha256.Sum256([]byte(token))
				fmt.Fprintf(stdout, "token       %s\ntoken_hash  sha256:%s\n", token, hex.EncodeToString(hash[:]))
				return nil
			}
		},
	}
}
