// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/utils/clock"

	"github.com/valtuus/valtuus/internal/archive/logaudit"
	"github.com/valtuus/valtuus/internal/archive/logproof"
	"github.com/valtuus/valtuus/internal/archive/replica"
	"github.com/valtuus/valtuus/internal/archive/store/postgres"
	"github.com/valtuus/valtuus/internal/archive/store/sqlite"
	"github.com/valtuus/valtuus/internal/archive/store/sqlstore"
)

func newLog(flags *common) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "log",
		Short: "Check an archive's access log without trusting the archive",
		Long: `Check an archive's access log without trusting the archive.

Each row of the access log has a leaf in a Merkle tree whose checkpoints the
archive signs and witnesses cosign. A copy of the log, or the extract of one
client, is checked with nothing but the verifier keys.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newLogKey(), newLogExport(), newLogVerify(), newLogVerifyExtract(), newLogWitness(flags))
	return cmd
}

// reader opens the place for reading, also while an archive serves from it.
func (p *place) reader(ctx context.Context) (*sqlstore.Store, error) {
	if p.dataDir != "" {
		return sqlite.OpenReader(ctx, p.dataDir)
	}
	uri, err := readURI(p.uriFile)
	if err != nil {
		return nil, err
	}
	return postgres.OpenReader(ctx, uri)
}

func newLogKey() *cobra.Command {
	var file, fresh, month string
	of := &place{}
	cmd := &cobra.Command{
		Use:   "key",
		Short: "Print the verifier key of an archive's log, or make a signer key",
		Long: `Print the verifier key of an archive's log, or make a signer key.

The verifier key names the log of this store: hand it to whoever is to check the
log. With --month it is that of one month's tree, for programs that follow
trees of the C2SP formats one by one.`,
		Example: `  valtuus log key --new log.key
  valtuus log key --data-dir /var/lib/valtuus
  valtuus log key --postgres-uri-file uri --log-key-file log.key --month 2026-11`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if fresh != "" {
				return replica.MakeLogKey(fresh)
			}
			if of.dataDir == "" && (of.uriFile == "" || file == "") {
				return usageError{errors.New("give --new, or --data-dir, or --postgres-uri-file with --log-key-file")}
			}
			if file == "" {
				file = replica.LogKeyFileIn(of.dataDir)
			}
			s, err := of.reader(cmd.Context())
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.Close()) }()
			id, err := s.ID(cmd.Context())
			if err != nil {
				return err
			}
			text, err := os.ReadFile(file)
			if err != nil {
				return fmt.Errorf("read the key of the log: %w", err)
			}
			key, err := logproof.ParseKey(string(text), id)
			if err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
			verifier := key.Verifier().String()
			if month != "" {
				of, err := logproof.ParseMonth(month)
				if err != nil {
					return usageError{err}
				}
				verifier = key.Verifier().MonthKey(of)
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), verifier)
			return err
		},
	}
	cmd.Flags().StringVar(&fresh, "new", "", "make a signer key in this file, which must not exist")
	cmd.Flags().StringVar(&file, "log-key-file", "", "file of the signer key (default: log.key in the data directory)")
	cmd.Flags().StringVar(&of.dataDir, "data-dir", "", "data directory of the archive")
	cmd.Flags().StringVar(&of.uriFile, "postgres-uri-file", "", "file with the URI of the PostgreSQL database of the archive")
	cmd.Flags().StringVar(&month, "month", "", "print the key of this month's tree (YYYY-MM)")
	cmd.MarkFlagsMutuallyExclusive("new", "data-dir", "postgres-uri-file")
	return cmd
}

func newLogExport() *cobra.Command {
	from := &place{}
	var to, registry string
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Copy an archive's log for somebody to check",
		Long: `Copy an archive's log for somebody to check.

The copy is a new directory with the trees in the layout of c2sp.org/tlog-tiles,
the checkpoints, and the rows with their salts: all of them, or those of one
registry. The rows name who has used whose data: hand the copy to nobody but
the one who may see them. The archive may serve meanwhile.`,
		Example: `  valtuus log export --data-dir /var/lib/valtuus --to log-2026-11
  valtuus log export --postgres-uri-file uri --registry 1.2.246.10.1.19.1 --to log-2026-11`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			s, err := from.reader(cmd.Context())
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.Close()) }()
			c := clock.RealClock{}
			manifest, err := logaudit.Copy(cmd.Context(), s, to, registry, c.Now(), logProgress(cmd.ErrOrStderr(), c))
			if err != nil {
				return err
			}
			leaves := int64(0)
			for _, month := range manifest.Months {
				leaves += month.Size
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "copied the log of %s to %s: %d months, %d leaves\n", from, to, len(manifest.Months), leaves)
			return err
		},
	}
	from.flags(cmd, "the archive")
	cmd.Flags().StringVar(&to, "to", "", "directory to make")
	cmd.Flags().StringVar(&registry, "registry", "", "OID of the one registry whose rows are copied (default: all rows)")
	required(cmd, "to")
	return cmd
}

// logProgress gives what prints a line for each thing begun, and one now and then within it.
func logProgress(out io.Writer, c clock.PassiveClock) logaudit.Progress {
	var (
		told time.Time
		last string
	)
	return func(doing string, done, total int64) {
		now := c.Now()
		if doing == last && now.Sub(told) < progressEvery {
			return
		}
		told, last = now, doing
		if total == 0 {
			_, _ = fmt.Fprintf(out, "%s: %d\n", doing, done)
			return
		}
		_, _ = fmt.Fprintf(out, "%s: %d of %d\n", doing, done, total)
	}
}
