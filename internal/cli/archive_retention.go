// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"fmt"
	"time"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	"k8s.io/utils/clock"

	"github.com/valtuus/valtuus/internal/archive/catalog"
	"github.com/valtuus/valtuus/internal/archive/destruction"
	"github.com/valtuus/valtuus/internal/archive/store"
)

func newRetention() *cobra.Command {
	where := &place{}
	var catalogDir, asOf, output string
	var yes bool
	opts := destruction.Options{Clock: clock.RealClock{}}
	cmd := &cobra.Command{
		Use:   "retention",
		Short: "Destroy what an archive no longer has to keep",
		Long: `Destroy what an archive no longer has to keep, by the catalog's rules.

It goes through all documents, destroys those whose time has ended, each in a
transaction of its own, and then the clients of whom nothing is left, with the
key that their identifiers are sealed under. What stays of each is a record and
a row in the access log. Where a rule is missing, or an event that it counts
from has not happened or is not known, nothing is destroyed.

The archive may serve meanwhile. A run that was stopped or killed has destroyed
each document wholly or not at all; the next one goes on. Give it the archive's
own catalog. Backups hold what was destroyed until they expire.`,
		Example: `  valtuus archive retention --data-dir /var/lib/valtuus --dry-run
  valtuus archive retention --data-dir /var/lib/valtuus --dry-run --as-of 2031-01-01 --output json
  valtuus archive retention --data-dir /var/lib/valtuus --catalog stand-in --yes
  valtuus archive retention --postgres-uri-file uri --catalog /etc/valtuus/catalog --yes --limit 10000
  valtuus archive retention records --data-dir /var/lib/valtuus`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			switch {
			case !opts.DryRun && !yes:
				return usageError{errors.New("this destroys documents for good: look with --dry-run first, then give --yes")}
			case !opts.DryRun && asOf != "":
				return usageError{errors.New("--as-of goes with --dry-run: destroyed is only what is due today")}
			case opts.DryRun && yes:
				return usageError{errors.New("--yes and --dry-run contradict each other")}
			case yes && catalogDir == "":
				return usageError{errors.New("--catalog has to be given with --yes: the archive's own, or " + standInCatalog + " where it has none")}
			case opts.Rewrite && (opts.DryRun || where.dataDir == ""):
				return usageError{errors.New("--rewrite goes with --data-dir and --yes")}
			case opts.Limit < 0:
				return usageError{fmt.Errorf("--limit is %d, and must be 0 for no limit or more", opts.Limit)}
			}
			if opts.AsOf, err = dayOf(asOf); err != nil {
				return err
			}
			if err := knownOutput(output); err != nil {
				return err
			}
			if opts.Catalog, err = rulesOf(catalogDir); err != nil {
				return err
			}
			s, err := where.beside(cmd.Context())
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.Close()) }()
			opts.Store, opts.Progress = s, retentionProgress(cmd.ErrOrStderr(), opts.Clock)
			report, err := destruction.Run(cmd.Context(), opts)
			return errors.Join(printRetention(cmd.OutOrStdout(), output, &report), err)
		},
	}
	where.flags(cmd, "the archive")
	cmd.Flags().StringVar(&catalogDir, "catalog", "", "directory of the archive's catalog, whose rules count; "+standInCatalog+" for the stand-in catalog (default with --dry-run)")
	cmd.Flags().BoolVar(&opts.DryRun, "dry-run", false, "tell what is due and destroy nothing")
	cmd.Flags().StringVar(&asOf, "as-of", "", "with --dry-run, the day to judge by, such as 2031-01-01 (default: today in Finland)")
	cmd.Flags().IntVar(&opts.Limit, "limit", 0, "the most documents and clients to destroy; 0 for no limit")
	cmd.Flags().BoolVar(&yes, "yes", false, "destroy")
	cmd.Flags().BoolVar(&opts.Rewrite, "rewrite", false, "write the data file anew at the end, so that no stray piece of what was destroyed is left in it; the archive's writes wait meanwhile")
	outputFlag(cmd, &output)
	cmd.AddCommand(newRetentionRecords())
	return cmd
}

func newRetentionRecords() *cobra.Command {
	where := &place{}
	var output string
	cmd := &cobra.Command{
		Use:   "records",
		Short: "List what was destroyed, by which rule and when",
		Long: `List what was destroyed, by which rule and when.

A record tells the id of a document or client, or the registry and identifier
of a matter; the random ids of the clients; and the rule with its days. It holds
no content and no identity code.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if err := knownOutput(output); err != nil {
				return err
			}
			s, err := where.beside(cmd.Context())
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.Close()) }()
			var after *store.RecordPosition
			for {
				page, err := s.DestroyedRecords(cmd.Context(), after, store.MaxPage)
				if err != nil || len(page) == 0 {
					return err
				}
				for i := range page {
					if err := printRecord(cmd.OutOrStdout(), output, &page[i]); err != nil {
						return err
					}
				}
				last := &page[len(page)-1]
				after = &store.RecordPosition{Kind: last.Kind, Subject: last.Subject}
			}
		},
	}
	where.flags(cmd, "the archive")
	outputFlag(cmd, &output)
	return cmd
}

const (
	outputText = "text"
	outputJSON = "json"
)

func outputFlag(cmd *cobra.Command, output *string) {
	cmd.Flags().StringVarP(output, "output", "o", outputText, "form of what is printed: text or json")
}

func knownOutput(output string) error {
	if output != outputText && output != outputJSON {
		return usageError{fmt.Errorf("--output is %q, and must be text or json", output)}
	}
	return nil
}

func dayOf(text string) (catalog.Day, error) {
	if _, err := time.Parse(time.DateOnly, text); text != "" && err != nil {
		return "", usageError{fmt.Errorf("--as-of is %q, and must be a day such as 2031-01-01", text)}
	}
	return catalog.Day(text), nil
}

// standInCatalog names the catalog of an archive that was given none.
const standInCatalog = "stand-in"

// rulesOf loads the catalog in a directory.
func rulesOf(dir string) (*catalog.Catalog, error) {
	if dir == "" || dir == standInCatalog {
		return catalog.StandIn(), nil
	}
	source, err := catalog.Open(dir, logr.Discard())
	if err != nil {
		return nil, err
	}
	return source.Current(), nil
}
