// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/utils/clock"

	"github.com/valtuus/valtuus/internal/archive/failure"
	"github.com/valtuus/valtuus/internal/archive/store/backup"
	"github.com/valtuus/valtuus/internal/workload"
)

func newRestore() *cobra.Command {
	to := &place{}
	var from, terminationLog string
	var dryRun, start bool
	cmd := &cobra.Command{
		Use:   "restore",
		Short: "Restore an archive from a backup",
		Long: `Restore an archive from a backup into an empty data directory or database.

It overwrites nothing. A restore that was cut goes on when it is run again.
Nothing is served from the place before the restore is whole and has been
compared with the backup. Start the archive with the identity.key and the
log.key that belong to the backup, and with a client.key that has the keys of
its time.

With --start it does nothing where the store that was backed up already is, however
much has been stored in it since: for an archive that starts from a backup once, and
is started again later. Another store is refused. Of several runs on a database one
does the work, and the others wait for it.`,
		Example: `  valtuus archive restore --from /backup/2026-11-21 --data-dir /var/lib/valtuus
  valtuus archive restore --from /backup/2026-11-21 --postgres-uri-file uri
  valtuus archive restore --from /backup/2026-11-21 --data-dir /tmp/check --dry-run`,
		Args: noArguments,
		RunE: telling(&terminationLog, func(cmd *cobra.Command, _ []string) (err error) {
			// Before anything is made: a mistyped backup leaves no empty archive.
			manifest, err := backup.ReadManifest(from)
			if errors.Is(err, fs.ErrNotExist) {
				return noBackup(from)
			}
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
			if start {
				holds, err := backup.Holds(cmd.Context(), from, db)
				if err != nil {
					return err
				}
				if holds {
					_, err = fmt.Fprintf(out, "%s holds the store of the backup: nothing is restored\n", to)
					return err
				}
			}
			if manifest, err = backup.Restore(cmd.Context(), from, db, progress(cmd.ErrOrStderr(), clock.RealClock{})); err != nil {
				return err
			}
			_, err = fmt.Fprintf(out, "restored the backup of %s into %s: %d rows\n", manifest.TakenAt.Format(time.RFC3339), to, manifest.Rows())
			return errors.Join(err, workload.RestoreDone{RestoredFrom: filepath.Base(filepath.Clean(from))}.Write(terminationLog))
		}),
	}
	to.flags(cmd, "the restored archive")
	cmd.Flags().StringVar(&from, "from", "", "directory of the backup")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "check the backup and write nothing")
	cmd.Flags().BoolVar(&start, "start", false, "do nothing where the store of the backup already is")
	cmd.MarkFlagsMutuallyExclusive("dry-run", "start")
	terminationLogFlag(cmd, &terminationLog)
	required(cmd, "from")
	return cmd
}

// noBackup says which backups there are beside one that is not there.
func noBackup(dir string) error {
	text := "there is no backup " + filepath.Base(filepath.Clean(dir))
	if names, err := backup.List(filepath.Dir(filepath.Clean(dir))); err == nil && len(names) > 0 {
		const most = 5
		text += "; the newest that are there: " + strings.Join(names[max(0, len(names)-most):], ", ")
	}
	return failure.New(failure.BackupMissing, text)
}
