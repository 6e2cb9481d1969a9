// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/valtuus/valtuus/controllers"
	"github.com/valtuus/valtuus/internal/manager"
	"github.com/valtuus/valtuus/internal/reach"
)

func newManager(flags *common) *cobra.Command {
	options := manager.Options{}
	concurrency := 0
	var namespaces []string
	archives := archiveSettings{}
	cmd := &cobra.Command{
		Use:   "manager",
		Short: "Run the controllers",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			log, err := flags.logger(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			options.Log = log
			options.Controllers = controllers.Options{Concurrency: concurrency}
			if options.Controllers.Namespaces, err = reach.Of(namespaces...); err != nil {
				return usageError{fmt.Errorf("--namespaces: %w", err)}
			}
			cfg, err := flags.cluster()
			if err != nil {
				return err
			}
			if options.Controllers.Workload, err = archives.read(); err != nil {
				return err
			}
			mgr, err := manager.New(cmd.Context(), cfg, options)
			if err != nil {
				return err
			}
			return mgr.Start(cmd.Context())
		},
	}
	cmd.Flags().StringVar(&options.MetricsAddress, "metrics-address", ":8080", `where to serve Prometheus metrics; "0" for nowhere`)
	cmd.Flags().StringVar(&options.ProbeAddress, "probe-address", ":8081", `where to serve /healthz and /readyz; "0" for nowhere`)
	cmd.Flags().BoolVar(&options.LeaderElection, "leader-elect", true, "let one of several managers work")
	cmd.Flags().StringVar(&options.LeaderElectionNamespace, "leader-election-namespace", "", "namespace of the lease (default: the pod's own)")
	cmd.Flags().IntVar(&concurrency, "concurrency", 32, "how many relationships to work on at a time")
	cmd.Flags().StringSliceVar(&namespaces, "namespaces", nil,
		"namespaces to work in (default: all); resources in others count as claims on OIDs, and get neither a status nor a credential")
	archives.flags(cmd)
	return cmd
}
