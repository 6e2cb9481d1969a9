// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package transfer

import (
	"context"
	"fmt"
)

// readPage reads up to limit rows of the table after the key.
func readPage(ctx context.Context, from Source, t *table, after []any, limit int) (rows [][]any, err error) {
	found, err := from.QueryContext(ctx, t.pageSQL(after != nil), append(after[:len(after):len(after)], limit)...)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", t.name, err)
	}
	defer func() { _ = found.Close() }()
	for found.Next() {
		row := make([]any, len(t.columns))
		dest := make([]any, len(row))
		for i := range row {
			dest[i] = &row[i]
		}
		if err := found.Scan(dest...); err != nil {
			return nil, fmt.Errorf("reading %s: %w", t.name, err)
		}
		for i, value := range row {
			if raw, isBytes := value.([]byte); isBytes && raw == nil {
				row[i] = []byte{} // SQLite's driver gives no bytes as nil ones, which would go on as NULL
			}
		}
		rows = append(rows, row)
	}
	if err := found.Err(); err != nil {
		return nil, fmt.Errorf("reading %s: %w", t.name, err)
	}
	return rows, nil
}

// keyOf gives the key's values of a row.
func (t *table) keyOf(row []any) []any {
	key := make([]any, len(t.key))
	for i, at := range t.position() {
		key[i] = row[at]
	}
	return key
}

// summarize reads the whole table and sums it up.
func summarize(ctx context.Context, from Source, t *table, progress func(rows int)) (TableReport, error) {
	report := TableReport{Name: t.name}
	var after []any
	for {
		rows, err := readPage(ctx, from, t, after, t.page())
		if err != nil {
			return report, err
		}
		for _, row := range rows {
			if err := report.Digest.add(row); err != nil {
				return report, err
			}
		}
		report.Rows += len(rows)
		progress(report.Rows)
		if len(rows) < t.page() {
			return report, nil
		}
		after = t.keyOf(rows[len(rows)-1])
	}
}

func count(ctx context.Context, from Source, t *table) (rows int, err error) {
	if err := from.QueryRowContext(ctx, "SELECT count(*) FROM "+t.name).Scan(&rows); err != nil {
		return 0, fmt.Errorf("counting %s: %w", t.name, err)
	}
	return rows, nil
}
