// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
)

// RelationshipRecords gives up to limit records, settled or not, by document id after the one given.
func (s *Store) RelationshipRecords(ctx context.Context, after uuid.UUID, limit int) (records []store.RelationshipRecord, err error) {
	err = s.each(ctx, s.engine.Readers, "reading relationships", selectRecord+`
		 WHERE x.document_id > $1 ORDER BY x.document_id LIMIT $2`, []any{after[:], limit},
		func(scan func(...any) error) error {
			record, err := scanRecord(scan)
			records = append(records, record)
			return err
		})
	return records, err
}
