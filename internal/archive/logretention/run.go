// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package logretention

import (
	"context"
	"fmt"
	"time"

	"k8s.io/utils/clock"

	"github.com/valtuus/valtuus/internal/archive/store/sqlstore"
)

// Years is how long the log is kept unless another time is given.
const Years = 12

// batch is how many rows are destroyed in one transaction: others wait for it no longer than for a large document.
const batch = 1000

// Store is what a run needs of a store.
type Store interface {
	// LogMonths gives the months that the log has rows of and that end at or before the moment, the oldest first.
	LogMonths(ctx context.Context, before time.Time) ([]sqlstore.LogMonth, error)
	// DestroyLogMonth destroys up to limit of the month's rows and tells how many, and whether none is left.
	DestroyLogMonth(ctx context.Context, month sqlstore.LogMonth, years, limit int, now time.Time) (rows int, done bool, err error)
}

// Options say what to do.
type Options struct {
	// Years is how long rows are kept, 1 or more: rows by which a replay of an assertion is told are minutes old.
	Years int
	// DryRun destroys nothing.
	DryRun bool
	Clock  clock.PassiveClock
	// OnMonth hears of each month of a registry, once it is destroyed, or would be.
	OnMonth func(sqlstore.LogMonth)
}

// Before gives the moment until which months are over long enough: a row is kept for so many years at least, and
// until its month's last row is as old.
func Before(now time.Time, years int) time.Time {
	now = now.UTC()
	return time.Date(now.Year()-years, now.Month(), 1, 0, 0, 0, 0, time.UTC)
}

// Run destroys the months that are due, the oldest first. It may be run again after it was cut, and beside archives
// that serve.
func Run(ctx context.Context, s Store, opts Options) error {
	if opts.Years < 1 {
		return fmt.Errorf("the log is kept for %d years, and must be for 1 or more", opts.Years)
	}
	months, err := s.LogMonths(ctx, Before(opts.Clock.Now(), opts.Years))
	if err != nil {
		return err
	}
	for _, month := range months {
		if !opts.DryRun {
			if month.Rows, err = destroy(ctx, s, month, opts); err != nil {
				return err
			}
		}
		opts.OnMonth(month)
	}
	return nil
}

func destroy(ctx context.Context, s Store, month sqlstore.LogMonth, opts Options) (rows int, err error) {
	for done := false; !done; {
		var n int
		if n, done, err = s.DestroyLogMonth(ctx, month, opts.Years, batch, opts.Clock.Now()); err != nil {
			return rows, err
		}
		rows += n
	}
	return rows, nil
}
