// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"

	"github.com/spf13/cobra"
	"k8s.io/utils/clock"

	"github.com/valtuus/valtuus/internal/archive/logaudit"
	"github.com/valtuus/valtuus/internal/archive/logproof"
	"github.com/valtuus/valtuus/internal/archive/witness"
)

// errUnsound makes a check that found something fail.
var errUnsound = errors.New("the log is not sound")

// believed are the keys that a check believes.
type believed struct {
	key       string
	witnesses []string
}

func (b *believed) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&b.key, "key", "", "verifier key of the log, as 'valtuus log key' prints it")
	cmd.Flags().StringArrayVar(&b.witnesses, "witness", nil, "verifier key of a witness that must have cosigned (repeatable)")
	required(cmd, "key")
}

func (b *believed) options() (opts logaudit.Options, err error) {
	if opts.Log, err = logproof.ParseVerifier(b.key); err != nil {
		return opts, usageError{err}
	}
	for _, one := range b.witnesses {
		verifier, err := witness.ParseVerifier(one)
		if err != nil {
			return opts, usageError{err}
		}
		opts.Witnesses = append(opts.Witnesses, verifier)
	}
	return opts, nil
}

func newLogVerify() *cobra.Command {
	keys := believed{}
	var seen, former []string
	years := 12
	cmd := &cobra.Command{
		Use:   "verify DIR",
		Short: "Check a copy of a log",
		Long: `Check a copy of a log that 'valtuus log export' made.

Every row has its leaf, and every leaf its row or a record of its destruction;
the tiles are those of the signed checkpoints, and these are consistent with
each other and with those given by --seen; no client's rows have a gap; the
times go forward. What is wrong is told, and the exit status is 1.

The newest checkpoints must be signed by --key. Checkpoints from before the log
went over to that key need --former-key; the log must tell of the change.`,
		Example: `  valtuus log verify log-2026-11 --key valtuus.io/log/...+b2e7c2f6+AT... --seen checkpoint-of-may`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usageError{errors.New("name the directory of one copy")}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			opts, err := keys.options()
			if err != nil {
				return err
			}
			for _, one := range former {
				verifier, err := logproof.ParseVerifier(one)
				if err != nil {
					return usageError{err}
				}
				opts.Former = append(opts.Former, verifier)
			}
			for _, file := range seen {
				text, err := os.ReadFile(file)
				if err != nil {
					return fmt.Errorf("read a checkpoint that was seen: %w", err)
				}
				opts.Seen = append(opts.Seen, text)
			}
			opts.Years, opts.Progress = years, logProgress(cmd.ErrOrStderr(), clock.RealClock{})
			report, err := logaudit.Verify(cmd.Context(), args[0], opts)
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			_, _ = fmt.Fprintf(out, "log %s\n", report.Log)
			if report.Registry != "" {
				_, _ = fmt.Fprintf(out, "the rows are those of registry %s: that others have theirs cannot be seen here\n", report.Registry)
			}
			_, _ = fmt.Fprintf(out, "%d leaves, %d rows checked, %d checkpoints\n", report.Leaves, report.Records, report.Checkpoints)
			for _, one := range report.Keys {
				_, _ = fmt.Fprintf(out, "the log itself says: %s\n", one)
			}
			for _, one := range report.Destroyed {
				_, _ = fmt.Fprintf(out, "destroyed, as the log itself says: %s\n", one)
			}
			if report.Before > 0 {
				_, _ = fmt.Fprintf(out, "%d rows are older than the log and cannot be proven\n", report.Before)
			}
			if report.Waiting > 0 {
				_, _ = fmt.Fprintf(out, "%d rows are too new for the newest checkpoint\n", report.Waiting)
			}
			return verdictOn(out, report)
		},
	}
	keys.flags(cmd)
	cmd.Flags().StringArrayVar(&seen, "seen", nil, "file of a checkpoint that was got before or by somebody else (repeatable)")
	cmd.Flags().StringArrayVar(&former, "former-key", nil, "verifier key that the log was signed by before --key (repeatable)")
	cmd.Flags().IntVar(&years, "years", years, "how many years rows must have been kept before they were destroyed")
	return cmd
}

// verdictOn tells what was found.
func verdictOn(out io.Writer, report *logaudit.Report) error {
	for _, name := range slices.Sorted(maps.Keys(report.Cosigned)) {
		_, _ = fmt.Fprintf(out, "cosigned by %s\n", name)
	}
	for _, one := range report.Findings {
		_, _ = fmt.Fprintf(out, "FOUND %s\n", one)
	}
	if report.More > 0 {
		_, _ = fmt.Fprintf(out, "FOUND %d more\n", report.More)
	}
	if !report.Sound() {
		return errUnsound
	}
	_, err := fmt.Fprintln(out, "sound")
	return err
}

func newLogVerifyExtract() *cobra.Command {
	keys := believed{}
	cmd := &cobra.Command{
		Use:   "verify-extract FILE",
		Short: "Check the extract of one client",
		Long: `Check the extract of one client, as the archive's log/_extract gives it.

Each record is in the log that the key signed, and the client's own numbers have
no gap. Rows after the last number would not be missed here: a later extract
shows them.`,
		Example: `  valtuus log verify-extract extract.json --key valtuus.io/log/...+b2e7c2f6+AT...`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usageError{errors.New("name the file of one extract")}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			opts, err := keys.options()
			if err != nil {
				return err
			}
			text, err := os.ReadFile(args[0])
			if err != nil {
				return fmt.Errorf("read the extract: %w", err)
			}
			report, err := logaudit.VerifyExtract(text, opts)
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			_, _ = fmt.Fprintf(out, "client %s in registry %s, as of %s\n", report.Client, report.Extract.Registry, report.Made.Format("2006-01-02 15:04:05Z07:00"))
			_, _ = fmt.Fprintf(out, "%d of %d records are proven\n", report.Report.Records, len(report.Extract.Records))
			if report.Extract.Before > 0 {
				_, _ = fmt.Fprintf(out, "%d rows are older than the log and cannot be proven\n", report.Extract.Before)
			}
			if report.Extract.Waiting > 0 {
				_, _ = fmt.Fprintf(out, "%d rows are too new for the newest checkpoint\n", report.Extract.Waiting)
			}
			return verdictOn(out, &report.Report)
		},
	}
	keys.flags(cmd)
	return cmd
}
