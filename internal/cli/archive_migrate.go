// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"k8s.io/utils/clock"

	"github.com/valtuus/valtuus/internal/archive/store/transfer"
)

func newMigrate() *cobra.Command {
	from, to := &place{}, &place{}
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Move an archive from its data directory to PostgreSQL",
		Long: `Move an archive from its data directory to PostgreSQL.

Stop the archive first. The whole content is copied, both sides are compared,
and each document is held to its digest; a move that was cut goes on when it is
run again. Only then may an archive serve from the database, and none serves
from the data directory any more. The directory's files stay as they are: remove
them when you need them no longer, but keep identity.key, client.key and
log.key, which the archive needs on PostgreSQL too (--identity-key-file,
--client-key-file, --log-key-file).
What clients' identifiers are sealed in moves with them; the key files do not.`,
		Example: `  valtuus archive migrate --data-dir /var/lib/valtuus --to-postgres-uri-file uri`,
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			source, release, err := from.own(cmd.Context())
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, release()) }()
			target, err := to.database(cmd.Context())
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, target.Close()) }()
			report, err := transfer.Copy(cmd.Context(), source, target, progress(cmd.ErrOrStderr(), clock.RealClock{}))
			if err != nil {
				return err
			}
			if err := transfer.Retire(cmd.Context(), source); err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			for _, t := range report.Tables {
				if _, err := fmt.Fprintf(out, "%-24s %10d rows  %s\n", t.Name, t.Rows, t.Digest); err != nil {
					return err
				}
			}
			_, err = fmt.Fprintf(out, "moved %s to %s\n", from, to)
			return err
		},
	}
	cmd.Flags().StringVar(&from.dataDir, "data-dir", "", "data directory of the archive")
	cmd.Flags().StringVar(&to.uriFile, "to-postgres-uri-file", "", "file with the URI of the PostgreSQL database to move to")
	required(cmd, "data-dir", "to-postgres-uri-file")
	return cmd
}
