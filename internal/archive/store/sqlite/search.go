// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"database/sql"

	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/archive/store/cursor"
)

// Search implements store.DocumentStore. Page and total come from one snapshot.
func (s *Store) Search(ctx context.Context, query store.SearchQuery) (store.SearchResult, error) {
	if err := query.Validate(); err != nil {
		return store.SearchResult{}, err
	}
	binding := query.Binding()
	var after *cursor.Position
	if query.Cursor != "" {
		position, err := s.cursors.Decode(binding, query.Cursor)
		if err != nil {
			return store.SearchResult{}, err
		}
		after = &position
	}
	if tasks, all := query.EffectiveTasks(); !all && len(tasks) == 0 {
		return store.SearchResult{}, nil
	}
	snapshot, err := s.readers.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return store.SearchResult{}, classify("searching", err)
	}
	defer func() { _ = snapshot.Rollback() }()

	var result store.SearchResult
	count := countSQL(&query)
	if _, err := scanOne("counting documents", snapshot.QueryRowContext(ctx, count.text(), count.args...), &result.Total); err != nil {
		return store.SearchResult{}, err
	}
	if result.Items, err = readPage(ctx, snapshot, &query, after); err != nil {
		return store.SearchResult{}, err
	}
	if len(result.Items) > query.Limit {
		result.Items = result.Items[:query.Limit]
		last := result.Items[query.Limit-1]
		result.Next = s.cursors.Encode(binding, cursor.Position{StoredMicros: store.Micros(last.Stored), ID: last.ID})
	}
	return result, nil
}

// readPage reads one document more than the limit, to know whether a page follows.
func readPage(ctx context.Context, snapshot *sql.Tx, query *store.SearchQuery, after *cursor.Position) (items []store.Facts, err error) {
	page := pageSQL(query, after)
	rows, err := snapshot.QueryContext(ctx, page.text(), page.args...)
	if err != nil {
		return nil, classify("searching", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var scan factsScan
		if err := rows.Scan(scan.dest()...); err != nil {
			return nil, classify("searching", err)
		}
		facts, err := scan.facts(query.Registry)
		if err != nil {
			return nil, err
		}
		items = append(items, facts)
	}
	return items, classify("searching", rows.Err())
}
