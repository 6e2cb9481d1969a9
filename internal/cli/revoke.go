// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/valtuus/valtuus/internal/manager"
	"github.com/valtuus/valtuus/internal/revocation"
)

func newRevoke(flags *common) *cobra.Command {
	options := revocation.Options{Clock: clock.RealClock{}}
	cmd := &cobra.Command{
		Use:   "revoke",
		Short: "End every credential, before an uninstall",
		Long: `End every credential, before an uninstall.

Suspends each grant and unbinds each Organization from its namespaces, and waits
until the manager has emptied every ledger and every replica of the archive has
applied that. Fails with the names of what is still live after the timeout, and
goes on there when it is run again. No finalizer, ledger or Secret is touched:
the manager must run.

What was ended carries the label ` + revocation.RevokedLabel + `.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if options.Timeout <= 0 {
				return usageError{fmt.Errorf("--timeout is %s, and must be longer than nothing", options.Timeout)}
			}
			if _, err := flags.logger(cmd.ErrOrStderr()); err != nil {
				return err
			}
			cfg, err := flags.cluster()
			if err != nil {
				return err
			}
			if options.Client, err = client.New(cfg, client.Options{Scheme: manager.Scheme()}); err != nil {
				return err
			}
			options.Out = cmd.OutOrStdout()
			return revocation.Run(cmd.Context(), options)
		},
	}
	cmd.Flags().DurationVar(&options.Timeout, "timeout", 4*time.Minute, "how long to wait until nothing is live")
	cmd.Flags().BoolVar(&options.DryRun, "dry-run", false, "tell what would be done, and change nothing")
	return cmd
}
