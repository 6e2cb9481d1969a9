// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package transfer

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// lastKey gives the key of the row at which the target's part of a table ends.
func lastKey(ctx context.Context, from Source, t *table, done int) ([]any, error) {
	key := make([]any, len(t.key))
	dest := make([]any, len(key))
	for i := range key {
		dest[i] = &key[i]
	}
	columns := strings.Join(t.key, ", ")
	err := from.QueryRowContext(ctx,
		"SELECT "+columns+" FROM "+t.name+" ORDER BY "+columns+" LIMIT 1 OFFSET $1", done-1).Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("%s: %w: it has more rows", t.name, ErrDiffers)
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", t.name, err)
	}
	return key, nil
}

// writePage writes the rows in one transaction.
func writePage(ctx context.Context, to *sql.DB, t *table, rows [][]any) error {
	if len(rows) == 0 {
		return nil
	}
	tx, err := to.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("writing %s: %w", t.name, err)
	}
	defer func() { _ = tx.Rollback() }()
	insert, err := tx.PrepareContext(ctx, t.insertSQL())
	if err != nil {
		return fmt.Errorf("writing %s: %w", t.name, err)
	}
	defer func() { _ = insert.Close() }()
	for _, row := range rows {
		if _, err := insert.ExecContext(ctx, row...); err != nil {
			return fmt.Errorf("writing %s: %w", t.name, err)
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("writing %s: %w", t.name, err)
	}
	return nil
}

// compare sums up both sides.
func compare(ctx context.Context, from, to Source, progress func(Step)) (report Report, err error) {
	for i := range tables {
		t := &tables[i]
		tell := func(half int) func(int) {
			return func(rows int) { progress(Step{"compare", t.name, rows + half, 0}) }
		}
		want, err := summarize(ctx, from, t, tell(0))
		if err != nil {
			return Report{}, err
		}
		got, err := summarize(ctx, to, t, tell(want.Rows))
		if err != nil {
			return Report{}, err
		}
		if got != want {
			return Report{}, fmt.Errorf("%s: %w: %d rows with digest %.16s, not %d with %.16s",
				t.name, ErrDiffers, got.Rows, got.Digest, want.Rows, want.Digest)
		}
		progress(Step{"compare", t.name, 2 * want.Rows, 2 * want.Rows})
		report.Tables = append(report.Tables, want)
	}
	return report, nil
}
