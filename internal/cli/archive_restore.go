// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/utils/clock"

	"github.com/valtuus/valtuus/internal/archive/store/backup"
)

func newRestore() *cobra.Command {
	to := &place{}
	var from string
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "restore",
		Short: "Restore an archive from a backup",
		Long: `Restore an archive from a backup into an empty data directory or database.

It overwrites nothing. A restore that was cut goes on when it is run again.
Nothing is served from the place before the restore is whole and has been
compared with the backup. Start the archive with the identity.key and the
log.key that belong to the backup, and with a client.key that has the keys of
its time.`,
		Example: `  valtuus archive restore --from /backup/2026-11-21 --data-dir /var/lib/valtuus
  valtuus archive restore --from /backup/2026-11-21 --postgres-uri-file uri
  valtuus archive restore --from /backup/2026-11-21 --data-dir /tmp/check --dry-run`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			// Before anything is made: a mistyped backup leaves no empty archive.
			manifest, err := backup.ReadManifest(from)
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			if dryRun {
				if err := manifest.Check(from); err != nil {
					return err
				}
				_, err = fmt.Fprintf(out, "the backup of %s is whole: %d rows would be restored into %s\n",
					manifest.TakenAt.Format(time.RFC3339), manifest.Rows(), to)
				return err
			}
			db, release, err := to.own(cmd.Context())
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, release()) }()
			if manifest, err = backup.Restore(cmd.Context(), from, db, progress(cmd.ErrOrStderr(), clock.RealClock{})); err != nil {
				return err
			}
			_, err = fmt.Fprintf(out, "restored the backup of %s into %s: %d rows\n", manifest.TakenAt.Format(time.RFC3339), to, manifest.Rows())
			return err
		},
	}
	to.flags(cmd, "the restored archive")
	cmd.Flags().StringVar(&from, "from", "", "directory of the backup")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "check the backup and write nothing")
	required(cmd, "from")
	return cmd
}
