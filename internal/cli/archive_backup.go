// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"k8s.io/utils/clock"

	"github.com/valtuus/valtuus/internal/archive/store/backup"
)

func newBackup() *cobra.Command {
	from := &place{}
	var to string
	cmd := &cobra.Command{
		Use:   "backup",
		Short: "Take a backup of an archive while it serves",
		Long: `Take a backup of an archive while it serves.

The backup is a new directory with one data file and a manifest, whatever the
archive keeps its documents in, and can be restored into either. It holds what
was committed when it began, and each document is held to its digest.

Neither the key that identity codes are hashed with nor those that wrap clients'
data keys are in it, nor the one that signs the log: keep identity.key,
client.key and log.key apart. Without log.key an archive does not start on a
restored store. The sealed identifiers and the wrapped keys are in it. A restored archive serves with the
keys of the time of the backup only.`,
		Example: `  valtuus archive backup --data-dir /var/lib/valtuus --to /backup/2026-11-21
  valtuus archive backup --postgres-uri-file uri --to /backup/2026-11-21`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
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
			manifest, err := backup.Take(cmd.Context(), snapshot, to, c.Now(), progress(cmd.ErrOrStderr(), c))
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "backed up %s to %s: %d rows, %d bytes, SHA-256 %s\n", from, to, manifest.Rows(), manifest.Size, manifest.SHA256)
			return err
		},
	}
	from.flags(cmd, "the archive")
	cmd.Flags().StringVar(&to, "to", "", "directory to make")
	required(cmd, "to")
	return cmd
}
