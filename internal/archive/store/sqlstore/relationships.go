// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"

	"github.com/valtuus/valtuus/internal/archive/store"
)

// insertRelationship makes the record of a new client relationship document.
func insertRelationship(t Tx, registryID int64, f *store.Facts, r *store.Relationship) error {
	tasks, err := tasksText(f.ServiceTasks)
	if err != nil {
		return err
	}
	if err := t.Exec("recording a relationship",
		`INSERT INTO relationship_documents (document_id, registry_id, client_id, version, service_tasks, unit, start_us,
		   end_us, procurement, annulled_us, agreement, detail, agreed_version, object_uid)
		 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, NULL, 'Pending', '', 0, '')`,
		f.ID[:], registryID, f.ClientIDs[0][:], f.Version, tasks, r.Unit, store.Micros(r.Start),
		optional(r.End), r.Procurement); err != nil {
		return err
	}
	return insertRelationshipVersion(t, f, r)
}

// updateRelationship brings the record to a further version.
func updateRelationship(t Tx, f *store.Facts, r *store.Relationship) error {
	tasks, err := tasksText(f.ServiceTasks)
	if err != nil {
		return err
	}
	if err := t.Exec("recording a relationship's change",
		`UPDATE relationship_documents SET version = $1, service_tasks = $2, unit = $3, start_us = $4, end_us = $5,
		   procurement = $6, agreement = 'Pending', detail = '' WHERE document_id = $7`,
		f.Version, tasks, r.Unit, store.Micros(r.Start), optional(r.End), r.Procurement, f.ID[:]); err != nil {
		return err
	}
	return insertRelationshipVersion(t, f, r)
}

func insertRelationshipVersion(t Tx, f *store.Facts, r *store.Relationship) error {
	return t.Exec("recording what a version says of a relationship",
		`INSERT INTO relationship_versions (document_id, version, unit, start_us, end_us, procurement)
		 VALUES ($1, $2, $3, $4, $5, $6)`,
		f.ID[:], f.Version, r.Unit, store.Micros(r.Start), optional(r.End), r.Procurement)
}

// checkKind refuses a version that would make a client relationship document another kind of document, or the
// other way round: the record and the document would no longer say the same.
func checkKind(t Tx, f *store.Facts, r *store.Relationship) error {
	var version int
	isRelationship, err := t.Get("finding a relationship's record",
		`SELECT version FROM relationship_documents WHERE document_id = $1`, []any{f.ID[:]}, &version)
	switch {
	case err != nil:
		return err
	case isRelationship && r == nil:
		return &store.InvalidError{Field: "Relationship", Problem: "is missing"}
	case !isRelationship && r != nil:
		return &store.InvalidError{Field: "Relationship", Problem: "does not belong to this document"}
	default:
		return nil
	}
}

// SettleRelationship implements store.RelationshipStore.
func (s *Store) SettleRelationship(ctx context.Context, settlement store.Settlement) error {
	if err := settlement.Validate(); err != nil {
		return err
	}
	return s.queue.Do(ctx, 0, func(t Tx) error {
		var (
			version  int
			annulled *int64
		)
		found, err := t.Get("finding a relationship's record",
			`SELECT version, annulled_us FROM relationship_documents WHERE document_id = $1`,
			[]any{settlement.DocumentID[:]}, &version, &annulled)
		switch {
		case err != nil:
			return err
		case !found:
			return store.ErrNotFound
		case version != settlement.Version || (annulled != nil) != settlement.Annulled:
			return store.ErrStale
		}
		return t.Exec("settling a relationship",
			`UPDATE relationship_documents SET agreement = $1, detail = $2, agreed_version = $3, object_uid = $4
			 WHERE document_id = $5`,
			string(settlement.Agreement), settlement.Detail, settlement.AgreedVersion, settlement.ObjectUID,
			settlement.DocumentID[:])
	})
}
