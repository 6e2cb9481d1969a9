// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"database/sql"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
)

// keptBatch is how many ids one query of a snapshot names.
const keptBatch = 200

// Kept implements store.RetentionStore.
func (s *Store) Kept(ctx context.Context, after uuid.UUID, limit int) (kept []store.Kept, err error) {
	err = s.keptFrom(ctx, func(r *keptReader) error {
		kept, err = r.documents(selectKept+` WHERE d.document_id > $1 ORDER BY d.document_id LIMIT $2`, after[:], limit)
		return err
	})
	return kept, err
}

// KeptDocument implements store.RetentionStore.
func (s *Store) KeptDocument(ctx context.Context, registry string, id uuid.UUID) (store.Kept, error) {
	var kept []store.Kept
	err := s.keptFrom(ctx, func(r *keptReader) (err error) {
		kept, err = r.documents(selectKept+` WHERE d.document_id = $1 AND r.oid = $2`, id[:], registry)
		return err
	})
	if err == nil && len(kept) == 0 {
		err = store.ErrNotFound
	}
	if err != nil {
		return store.Kept{}, err
	}
	return kept[0], nil
}

// KeptPersons implements store.RetentionStore.
func (s *Store) KeptPersons(ctx context.Context, after uuid.UUID, limit int) (persons []store.KeptPerson, err error) {
	err = s.keptFrom(ctx, func(r *keptReader) error {
		persons, err = r.persons(selectPerson+` WHERE c.client_id > $1 ORDER BY c.client_id LIMIT $2`, after[:], limit)
		return err
	})
	return persons, err
}

// keptFrom reads from one snapshot.
func (s *Store) keptFrom(ctx context.Context, read func(*keptReader) error) error {
	const doing = "reading what is kept"
	snapshot, err := s.engine.Readers.BeginTx(ctx, &sql.TxOptions{ReadOnly: true, Isolation: sql.LevelRepeatableRead})
	if err != nil {
		return s.failed(doing, err)
	}
	defer func() { _ = snapshot.Rollback() }()
	return read(&keptReader{
		batch: keptBatch,
		each: func(query string, args []any, scan func(dest func(...any) error) error) error {
			return s.each(ctx, snapshot, doing, query, args, scan)
		},
	})
}
