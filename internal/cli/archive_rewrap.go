// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/utils/clock"

	"github.com/valtuus/valtuus/internal/archive/clientkey"
	"github.com/valtuus/valtuus/internal/archive/store/rewrap"
	"github.com/valtuus/valtuus/internal/archive/store/sqlite"
)

func newRewrap() *cobra.Command {
	where := &place{}
	var keyFile string
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "rewrap",
		Short: "Wrap clients' data keys again, under another key",
		Long: `Wrap the data keys of all clients again, under the first key of the file.

Clients' identifiers are sealed, each client's under a data key of its own, and
the data keys are wrapped by the first key of the client key file: one key a
line, 32 bytes in base64. To change that key:

 1. put a new key behind the one in use, and restart every replica with the file;
 2. put the new key first, and restart every replica again;
 3. run this command with that file;
 4. take the former key out of the file, and restart the replicas.

It works in batches, and goes on where it was cut when it is run again. With
PostgreSQL the archive may serve meanwhile; on a data directory, stop it first.
Keep a former key for as long as there are backups from its time: a key file is
in no backup.`,
		Example: `  { head -c 32 /dev/urandom | base64; cat client.key; } >new.key
  valtuus archive rewrap --data-dir /var/lib/valtuus --client-key-file new.key --dry-run
  valtuus archive rewrap --postgres-uri-file uri --client-key-file new.key`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if keyFile == "" && where.dataDir == "" {
				return usageError{errors.New("--client-key-file is needed with --postgres-uri-file")}
			}
			if keyFile == "" {
				keyFile = filepath.Join(where.dataDir, "client.key")
			}
			text, err := os.ReadFile(keyFile)
			if err != nil {
				return fmt.Errorf("read the client keys: %w", err)
			}
			ring, err := clientkey.Parse(text)
			if err != nil {
				return fmt.Errorf("%s: %w", keyFile, err)
			}
			db, release, err := where.present(cmd.Context())
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, release()) }()
			report, err := rewrap.Run(cmd.Context(), db, ring, rewrap.Options{
				DryRun: dryRun, Progress: rewrapProgress(cmd.ErrOrStderr(), clock.RealClock{}),
			})
			for _, client := range report.Left {
				_, _ = fmt.Fprintf(cmd.ErrOrStderr(), "the data key of client %s does not open\n", client)
			}
			if err != nil {
				return err
			}
			verb := "wrapped again"
			if dryRun {
				verb = "would be wrapped again"
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %d of %d data keys %s, under the key %s\n", where, report.Rewrapped, report.Clients, verb, ring.Primary())
			return err
		},
	}
	where.flags(cmd, "the archive")
	cmd.Flags().StringVar(&keyFile, "client-key-file", "",
		"file of the client keys, the new one first (default: client.key in the data directory)")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "open each data key, and change nothing")
	return cmd
}

// present opens a place that is there already, alone where it is a data directory.
func (p *place) present(ctx context.Context) (*sql.DB, func() error, error) {
	if p.dataDir != "" {
		if _, err := os.Stat(filepath.Join(p.dataDir, sqlite.FileName)); err != nil {
			return nil, nil, fmt.Errorf("opening the data file: %w", err)
		}
	}
	return p.own(ctx)
}

// rewrapProgress gives what prints a line now and then.
func rewrapProgress(out io.Writer, c clock.PassiveClock) func(done, total int) {
	var told time.Time
	return func(done, total int) {
		if now := c.Now(); done == total || now.Sub(told) >= progressEvery {
			told = now
			_, _ = fmt.Fprintf(out, "rewrap: %d of %d data keys\n", done, total)
		}
	}
}
