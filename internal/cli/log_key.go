// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"
	"k8s.io/utils/clock"

	"github.com/valtuus/valtuus/internal/archive/logproof"
	"github.com/valtuus/valtuus/internal/archive/replica"
	"github.com/valtuus/valtuus/internal/archive/sequencer"
	"github.com/valtuus/valtuus/internal/archive/store/sqlite"
	"github.com/valtuus/valtuus/internal/archive/store/sqlstore"
)

func newLogKey() *cobra.Command {
	var file, fresh, rotate, month string
	of := &place{}
	cmd := &cobra.Command{
		Use:   "key",
		Short: "Print the verifier key of an archive's log, or make a signer key",
		Long: `Print the verifier key of an archive's log, or make a signer key.

The verifier key names the log of this store: hand it to whoever is to check the
log. With --month it is that of one month's tree, for programs that follow
trees of the C2SP formats one by one.

To change the key, let --rotate write a new one before the one in the file, and
restart the archive: both sign from then on, months that are over too, and the
log tells of it. Two verifier keys are printed then, the new one first. When
everybody who checks the log has it, take the former line out of the file and
restart again. 'valtuus log replace-key' is for a key that is lost.`,
		Example: `  valtuus log key --new log.key
  valtuus log key --data-dir /var/lib/valtuus
  valtuus log key --rotate /var/lib/valtuus/log.key
  valtuus log key --postgres-uri-file uri --log-key-file log.key --month 2026-11`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			switch {
			case fresh != "":
				return replica.MakeLogKey(fresh)
			case rotate != "":
				return replica.RotateLogKey(rotate)
			}
			if of.dataDir == "" && (of.uriFile == "" || file == "") {
				return usageError{errors.New("give --new, --rotate, or --data-dir, or --postgres-uri-file with --log-key-file")}
			}
			s, err := of.reader(cmd.Context())
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.Close()) }()
			key, err := of.logKey(cmd.Context(), s, file)
			if err != nil {
				return err
			}
			if month != "" {
				of, err := logproof.ParseMonth(month)
				if err != nil {
					return usageError{err}
				}
				_, err = fmt.Fprintln(cmd.OutOrStdout(), key.Verifier().MonthKey(of))
				return err
			}
			return printKeys(cmd, key)
		},
	}
	cmd.Flags().StringVar(&fresh, "new", "", "make a signer key in this file, which must not exist")
	cmd.Flags().StringVar(&rotate, "rotate", "", "write a new signer key before those in this file")
	cmd.Flags().StringVar(&file, "log-key-file", "", "file of the signer key (default: log.key in the data directory)")
	cmd.Flags().StringVar(&of.dataDir, "data-dir", "", "data directory of the archive")
	cmd.Flags().StringVar(&of.uriFile, "postgres-uri-file", "", "file with the URI of the PostgreSQL database of the archive")
	cmd.Flags().StringVar(&month, "month", "", "print the key of this month's tree (YYYY-MM)")
	cmd.MarkFlagsMutuallyExclusive("new", "rotate", "data-dir", "postgres-uri-file")
	return cmd
}

func printKeys(cmd *cobra.Command, key logproof.Key) error {
	for _, one := range key.Verifier().Keys() {
		if _, err := fmt.Fprintln(cmd.OutOrStdout(), one); err != nil {
			return err
		}
	}
	return nil
}

// logKey reads the key file of the log of a store.
func (p *place) logKey(ctx context.Context, of *sqlstore.Store, file string) (logproof.Key, error) {
	if file == "" {
		file = replica.LogKeyFileIn(p.dataDir)
	}
	id, err := of.ID(ctx)
	if err != nil {
		return logproof.Key{}, err
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return logproof.Key{}, fmt.Errorf("read the key of the log: %w", err)
	}
	key, err := logproof.ParseKey(string(text), id)
	if err != nil {
		return logproof.Key{}, fmt.Errorf("%s: %w", file, err)
	}
	return key, nil
}

func newLogReplaceKey(flags *common) *cobra.Command {
	where := &place{}
	var file, former, reason string
	var yes bool
	cmd := &cobra.Command{
		Use:   "replace-key",
		Short: "Sign a log with a new key in the place of one that is lost",
		Long: `Sign a log with a new key in the place of one that is lost.

The archive must be stopped. The new key ('valtuus log key --new' makes it) signs
every tree anew, which must begin with what the lost key has signed last; that
stays, and verifies with the former verifier key. The log gets a row that tells
of the new key and the reason.

Nobody takes the new key on the archive's word: whoever checks the log, and each
witness, goes on refusing until it is told the verifier key that is printed. Hand
it out as the former was handed out. --former checks what the lost key has
signed; give it if anybody knows it. If the key was not lost but may be known to
somebody, replace it in the same way, and say so in the reason.`,
		Example: `  valtuus log key --new /var/lib/valtuus/log.key
  valtuus log replace-key --data-dir /var/lib/valtuus --former valtuus.io/log/...+b2e7c2f6+AT... \
    --reason "disk of 2026-11-20 lost, decision 12/2026" --yes`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if !yes {
				return usageError{errors.New("say --yes: who checks the log has to be told of its new key")}
			}
			if strings.TrimSpace(reason) == "" {
				return usageError{errors.New("--reason is empty: the log tells why its key was replaced")}
			}
			if where.dataDir == "" && file == "" {
				return usageError{errors.New("--log-key-file is needed with --postgres-uri-file")}
			}
			with := sequencer.Replacement{Reason: reason, Clock: clock.RealClock{}}
			if former != "" {
				verifier, err := logproof.ParseVerifier(former)
				if err != nil {
					return usageError{err}
				}
				with.Former = &verifier
			}
			if with.Log, err = flags.logger(cmd.ErrOrStderr()); err != nil {
				return err
			}
			if where.dataDir != "" {
				unlock, locked := sqlite.Lock(where.dataDir)
				if locked != nil {
					return locked
				}
				defer func() { err = errors.Join(err, unlock()) }()
			} else {
				with.Holder = "replace-key " + uuid.NewString()
			}
			s, err := where.beside(cmd.Context())
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.Close()) }()
			with.Store = s
			if with.Key, err = where.logKey(cmd.Context(), s, file); err != nil {
				return err
			}
			if err := sequencer.Replace(cmd.Context(), with); err != nil {
				return err
			}
			return printKeys(cmd, with.Key)
		},
	}
	where.flags(cmd, "the archive")
	cmd.Flags().StringVar(&file, "log-key-file", "", "file of the new signer key (default: log.key in the data directory)")
	cmd.Flags().StringVar(&former, "former", "", "verifier key of the lost key")
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the log: name nobody in it")
	cmd.Flags().BoolVar(&yes, "yes", false, "do it: who checks the log has to be told")
	required(cmd, "reason")
	return cmd
}
