// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/utils/clock"

	"github.com/valtuus/valtuus/internal/archive/store/backup"
	"github.com/valtuus/valtuus/internal/workload"
)

func newBackup() *cobra.Command {
	from := &place{}
	var to, into, terminationLog string
	var keep int
	cmd := &cobra.Command{
		Use:   "backup",
		Short: "Take a backup of an archive while it serves",
		Long: `Take a backup of an archive while it serves.

The backup is a new directory with one data file and a manifest, whatever the
archive keeps its documents in, and can be restored into either. It holds what
was committed when it began, and each document is held to its digest.

With --into it is one of a series: a directory with a name by time, in UTC, such as
20261122T020000Z, read back before any older one goes, of which the newest --keep
stay. What is in the directory beside is left alone. A backup that was cut is called
.partial, is never taken for one, and goes with the next run.

Neither the key that identity codes are hashed with nor those that wrap clients'
data keys are in it, nor the one that signs the log: keep identity.key,
client.key and log.key apart. Without log.key an archive does not start on a
restored store. The sealed identifiers and the wrapped keys are in it. A restored archive serves with the
keys of the time of the backup only.`,
		Example: `  valtuus archive backup --data-dir /var/lib/valtuus --to /backup/2026-11-21
  valtuus archive backup --postgres-uri-file uri --to /backup/2026-11-21
  valtuus archive backup --data-dir /var/lib/valtuus --into /backup --keep 14`,
		Args: noArguments,
		RunE: telling(&terminationLog, func(cmd *cobra.Command, _ []string) (err error) {
			db, err := from.live(cmd.Context())
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, db.Close()) }()
			snapshot, err := backup.Snapshot(cmd.Context(), db)
			if err != nil {
				return err
			}
			defer func() { _ = snapshot.Rollback() }()
			c := clock.RealClock{}
			if into != "" {
				name, manifest, err := backup.Next(cmd.Context(), snapshot, into, keep, c.Now(), progress(cmd.ErrOrStderr(), c))
				if err != nil {
					return err
				}
				return tellBackup(cmd, from, filepath.Join(into, name), manifest, terminationLog, c.Now())
			}
			manifest, err := backup.Take(cmd.Context(), snapshot, to, c.Now(), progress(cmd.ErrOrStderr(), c))
			if err != nil {
				return err
			}
			return tellBackup(cmd, from, to, manifest, terminationLog, c.Now())
		}),
	}
	from.flags(cmd, "the archive")
	cmd.Flags().StringVar(&to, "to", "", "directory to make")
	cmd.Flags().StringVar(&into, "into", "", "directory of a series of backups, in which one is made")
	cmd.Flags().IntVar(&keep, "keep", 14, "how many backups of the series are kept")
	cmd.MarkFlagsOneRequired("to", "into")
	cmd.MarkFlagsMutuallyExclusive("to", "into")
	cmd.MarkFlagsMutuallyExclusive("to", "keep")
	terminationLogFlag(cmd, &terminationLog)
	return cmd
}

// tellBackup tells of a backup that is whole, also to who reads the termination message.
func tellBackup(cmd *cobra.Command, from *place, dir string, m backup.Manifest, terminationLog string, now time.Time) error {
	_, err := fmt.Fprintf(cmd.OutOrStdout(), "backed up %s to %s: %d rows, %d bytes, SHA-256 %s\n", from, dir, m.Rows(), m.Size, m.SHA256)
	return errors.Join(err, workload.BackupDone{Name: filepath.Base(dir), CompletedAt: now.UTC().Truncate(time.Second), Size: m.Size}.Write(terminationLog))
}
