// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlstore

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
	if scopes, all := query.EffectiveScopes(); !all && len(scopes) == 0 {
		return store.SearchResult{}, nil
	}
	snapshot, err := s.engine.Readers.BeginTx(ctx, &sql.TxOptions{ReadOnly: true, Isolation: sql.LevelRepeatableRead})
	if err != nil {
		return store.SearchResult{}, s.failed("searching", err)
	}
	defer func() { _ = snapshot.Rollback() }()

	var result store.SearchResult
	count := countSQL(&query)
	if err := snapshot.QueryRowContext(ctx, count.text(), count.args...).Scan(&result.Total); err != nil {
		return store.SearchResult{}, s.failed("counting documents", err)
	}
	page := pageSQL(&query, after) // one document more than the limit, to know whether a page follows
	if err := s.each(ctx, snapshot, "searching", page.text(), page.args, appendFacts(query.Registry, &result.Items)); err != nil {
		return store.SearchResult{}, err
	}
	if len(result.Items) > query.Limit {
		result.Items = result.Items[:query.Limit]
		last := result.Items[query.Limit-1]
		result.Next = s.cursors.Encode(binding, cursor.Position{StoredMicros: store.Micros(last.FirstStored), ID: last.ID})
	}
	return result, nil
}
