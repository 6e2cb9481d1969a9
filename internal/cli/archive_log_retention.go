// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"k8s.io/utils/clock"

	"github.com/valtuus/valtuus/internal/archive/logretention"
	"github.com/valtuus/valtuus/internal/archive/store/sqlstore"
)

func newLogRetention() *cobra.Command {
	where := &place{}
	var (
		years       int
		dryRun, yes bool
	)
	cmd := &cobra.Command{
		Use:   "log-retention",
		Short: "Destroy the use log whose retention time is over",
		Long: `Destroy the use log whose retention time is over.

Whole months are destroyed, in UTC, once their last row is as old as --years
says. What is destroyed is counted in the record of destructions, and the log
gets a row that tells of it. A run that was cut goes on when it is run again.

The archive may serve meanwhile. Backups hold what was destroyed until they
expire.`,
		Example: `  valtuus archive log-retention --data-dir /var/lib/valtuus --dry-run
  valtuus archive log-retention --postgres-uri-file uri --years 12 --yes`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if years < 1 {
				return usageError{fmt.Errorf("--years is %d, and must be 1 or more", years)}
			}
			s, err := where.beside(cmd.Context())
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.Close()) }()
			out, did := cmd.OutOrStdout(), "destroyed"
			if dryRun {
				did = "would destroy"
			}
			var untold error
			rows := 0
			err = logretention.Run(cmd.Context(), s, logretention.Options{
				Years: years, DryRun: dryRun, Clock: clock.RealClock{},
				OnMonth: func(m sqlstore.LogMonth) {
					rows += m.Rows
					_, failed := fmt.Fprintf(out, "%s  %s  %d rows\n", m.Name(), m.Registry, m.Rows)
					untold = errors.Join(untold, failed)
				},
			})
			if err == nil && !dryRun {
				err = s.Scrub(cmd.Context(), false)
			}
			if err = errors.Join(err, untold); err != nil {
				return err
			}
			_, err = fmt.Fprintf(out, "%s %d rows of the log of %s\n", did, rows, where)
			return err
		},
	}
	where.flags(cmd, "the archive")
	cmd.Flags().IntVar(&years, "years", logretention.Years, "how long the log is kept")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "tell what would be destroyed, and destroy nothing")
	cmd.Flags().BoolVar(&yes, "yes", false, "destroy it: it does not come back")
	cmd.MarkFlagsOneRequired("dry-run", "yes")
	cmd.MarkFlagsMutuallyExclusive("dry-run", "yes")
	return cmd
}
