// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/utils/clock"

	"github.com/valtuus/valtuus/internal/archive/logaudit"
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
	cmd.AddCommand(newLogKey(), newLogReplaceKey(flags), newLogExport(), newLogVerify(), newLogVerifyExtract(), newLogWitness(flags))
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
