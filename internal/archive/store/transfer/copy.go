// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package transfer

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/valtuus/valtuus/internal/archive/failure"
)

// Errors of a copy. Compare with errors.Is.
var (
	// ErrNotWhole: there is no whole store to copy.
	ErrNotWhole = errors.New("nothing can be copied from it")
	// ErrNotEmpty: the target holds something that is not from a cut copy of this source.
	ErrNotEmpty = failure.New(failure.StoreNotEmpty, "the target is not empty")
	// ErrDiffers: after the copy the target is not what the source is.
	ErrDiffers = errors.New("the target differs from the source")
)

// Source is the store to copy. It must not change while it is copied: a snapshot, or a store that nobody
// writes to.
type Source interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// Step tells how far a copy has come.
type Step struct {
	// Doing is "copy", "compare" or "check".
	Doing string
	// Table is the table at hand; Rows of Total rows of it are done.
	Table       string
	Rows, Total int
}

// TableReport sums up one table.
type TableReport struct {
	Name   string `json:"name"`
	Rows   int    `json:"rows"`
	Digest Digest `json:"digest"`
}

// Report sums up a copy that was compared with its source.
type Report struct {
	Tables []TableReport `json:"tables"`
	// Resumed tells that the copy went on from an earlier one that was cut.
	Resumed bool `json:"-"`
}

// Rows is how many rows there are in all.
func (r *Report) Rows() (sum int) {
	for _, t := range r.Tables {
		sum += t.Rows
	}
	return sum
}

// of gives the part of a table.
func (r *Report) of(table string) TableReport {
	for _, t := range r.Tables {
		if t.Name == table {
			return t
		}
	}
	return TableReport{}
}

// Copy copies the source into the target, whose schema is up to date and which is empty or holds a cut copy of
// the same source. It compares both and only then lets an archive serve from the target. ErrNotEmpty,
// ErrNotWhole, ErrDiffers, store.ErrCorrupt for a damaged document of the source.
func Copy(ctx context.Context, from Source, to *sql.DB, progress func(Step)) (Report, error) {
	identity, err := readInfo(ctx, from)
	if err != nil {
		return Report{}, fmt.Errorf("reading the source: %w", err)
	}
	resumed, err := begin(ctx, to, identity)
	if err != nil {
		return Report{}, err
	}
	for i := range tables {
		if err := copyTable(ctx, from, to, &tables[i], progress); err != nil {
			return Report{}, err
		}
	}
	report, err := compare(ctx, from, to, progress)
	if err != nil {
		return Report{}, err
	}
	if err := checkBodies(ctx, to, func(rows int) { progress(Step{"check", bodies, rows, report.of(bodies).Rows}) }); err != nil {
		return Report{}, err
	}
	report.Resumed = resumed
	return report, finish(ctx, to, identity)
}

// copyTable copies what is missing of one table.
func copyTable(ctx context.Context, from Source, to *sql.DB, t *table, progress func(Step)) error {
	total, err := count(ctx, from, t)
	if err != nil {
		return err
	}
	done, err := count(ctx, to, t)
	if err != nil {
		return err
	}
	var after []any
	if done > 0 {
		if after, err = lastKey(ctx, from, t, done); err != nil {
			return err
		}
	}
	for {
		progress(Step{"copy", t.name, done, total})
		rows, err := readPage(ctx, from, t, after, t.page())
		if err != nil {
			return err
		}
		if err := writePage(ctx, to, t, rows); err != nil {
			return err
		}
		done += len(rows)
		if len(rows) < t.page() {
			progress(Step{"copy", t.name, done, total})
			return nil
		}
		after = t.keyOf(rows[len(rows)-1])
	}
}
