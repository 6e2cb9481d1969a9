// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/valtuus/valtuus/internal/archive/failure"
)

// failed is an error that is told on one line, with its reason.
type failed struct {
	report failure.Report
	err    error
}

func (f *failed) Error() string { return f.report.String() }
func (f *failed) Unwrap() error { return f.err }

func terminationLogFlag(cmd *cobra.Command, file *string) {
	cmd.Flags().StringVar(file, "termination-log", "", "file to write the reason of a failure to, as JSON (default: none)")
}

// telling makes run tell its failure with the reason, also in the file, which may have no name. One that ends because
// the command was asked to end is none.
func telling(file *string, run func(*cobra.Command, []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		err := run(cmd, args)
		if err == nil || errors.Is(err, context.Canceled) && cmd.Context().Err() != nil {
			return nil
		}
		var usage usageError
		if errors.As(err, &usage) {
			err = failure.As(failure.CommandInvalid, err)
		}
		told := &failed{report: failure.Tell(err), err: err}
		if err := told.report.Write(*file); err != nil {
			return errors.Join(told, err)
		}
		return told
	}
}
