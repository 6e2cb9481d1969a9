// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
)

const selectRecord = `SELECT x.document_id, r.oid, x.client_id, x.version, x.service_tasks, x.unit, x.start_us, x.end_us,
  x.procurement, x.annulled_us, x.agreement, x.detail, x.agreed_version, x.object_uid
 FROM relationship_documents x JOIN registries r ON r.registry_id = x.registry_id`

// unsettledSQL has, word for word, the condition of the index relationship_documents_unsettled: where nothing is
// unsettled, it costs nothing.
const unsettledSQL = selectRecord + ` WHERE x.agreement <> 'Agreed' AND x.document_id > $1 ORDER BY x.document_id LIMIT $2`

// UnsettledRelationships implements store.RelationshipStore.
func (s *Store) UnsettledRelationships(ctx context.Context, after uuid.UUID, limit int) (records []store.RelationshipRecord, err error) {
	err = s.each(ctx, s.engine.Readers, "reading unsettled relationships", unsettledSQL, []any{after[:], limit},
		func(scan func(...any) error) error {
			record, err := scanRecord(scan)
			records = append(records, record)
			return err
		})
	return records, err
}

// RelationshipRecord implements store.RelationshipStore.
func (s *Store) RelationshipRecord(ctx context.Context, document uuid.UUID) (record store.RelationshipRecord, err error) {
	err = store.ErrNotFound
	eachErr := s.each(ctx, s.engine.Readers, "reading a relationship's record", selectRecord+` WHERE x.document_id = $1`,
		[]any{document[:]}, func(scan func(...any) error) error {
			record, err = scanRecord(scan)
			return err
		})
	if eachErr != nil {
		err = eachErr
	}
	return record, err
}

func scanRecord(scan func(...any) error) (store.RelationshipRecord, error) {
	var (
		r             store.RelationshipRecord
		tasks         string
		agreement     string
		start         int64
		end, annulled *int64
	)
	if err := scan(&r.DocumentID, &r.Registry, &r.ClientID, &r.Version, &tasks, &r.Unit, &start, &end,
		&r.Procurement, &annulled, &agreement, &r.Detail, &r.AgreedVersion, &r.ObjectUID); err != nil {
		return store.RelationshipRecord{}, err
	}
	r.Agreement = store.Agreement(agreement)
	r.Start, r.End, r.AnnulledAt = store.FromMicros(start), orZero(end), orZero(annulled)
	if err := json.Unmarshal([]byte(tasks), &r.ServiceTasks); err != nil {
		return store.RelationshipRecord{}, fmt.Errorf("reading a relationship's record: %w", store.ErrCorrupt)
	}
	return r, nil
}

// RelationshipVersion implements store.RelationshipStore.
func (s *Store) RelationshipVersion(ctx context.Context, document uuid.UUID, version int) (r store.Relationship, err error) {
	var (
		start int64
		end   *int64
	)
	found, err := s.one(ctx, "reading what a version says of a relationship",
		`SELECT unit, start_us, end_us, procurement FROM relationship_versions WHERE document_id = $1 AND version = $2`,
		[]any{document[:], version}, &r.Unit, &start, &end, &r.Procurement)
	if err == nil && !found {
		err = store.ErrNotFound
	}
	if err != nil {
		return store.Relationship{}, err
	}
	r.Start, r.End = store.FromMicros(start), orZero(end)
	return r, nil
}
