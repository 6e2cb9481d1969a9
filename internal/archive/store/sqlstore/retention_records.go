// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"encoding/json"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
)

// writeRecord writes what stays of what is destroyed. A matter may be opened under the identifier of one that was
// destroyed, so its record can be there already: the later one stays.
func writeRecord(t Tx, r *store.DestroyedRecord) error {
	tasks, err := tasksText(r.ServiceTasks)
	if err != nil {
		return err
	}
	return t.Exec("recording a destruction",
		`INSERT INTO destructions (kind, subject, registry_oid, client_ids, document_type, service_tasks, versions, rule,
		   counted_from, started_on, due_on, destroyed_us)
		 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
		 ON CONFLICT (kind, subject) DO UPDATE SET client_ids = excluded.client_ids, service_tasks = excluded.service_tasks,
		   rule = excluded.rule, counted_from = excluded.counted_from, started_on = excluded.started_on, due_on = excluded.due_on,
		   destroyed_us = excluded.destroyed_us`,
		string(r.Kind), r.Subject, r.Registry, joinIDs(r.ClientIDs), r.Type, tasks, r.Versions, r.Rule,
		r.CountedFrom, r.StartedOn, r.DueOn, store.Micros(r.Destroyed))
}

const selectDestroyed = `SELECT kind, subject, registry_oid, client_ids, document_type, service_tasks, versions, rule, counted_from,
   started_on, due_on, destroyed_us FROM destructions`

// DestroyedDocument implements store.RetentionStore.
func (s *Store) DestroyedDocument(ctx context.Context, registry string, id uuid.UUID) (store.DestroyedRecord, error) {
	records, err := s.destroyed(ctx, selectDestroyed+` WHERE kind = 'document' AND subject = $1 AND registry_oid = $2`, id.String(), registry)
	if err == nil && len(records) == 0 {
		err = store.ErrNotFound
	}
	if err != nil {
		return store.DestroyedRecord{}, err
	}
	return records[0], nil
}

// DestroyedRecords implements store.RetentionStore.
func (s *Store) DestroyedRecords(ctx context.Context, after *store.RecordPosition, limit int) ([]store.DestroyedRecord, error) {
	if after == nil {
		return s.destroyed(ctx, selectDestroyed+` ORDER BY kind, subject LIMIT $1`, limit)
	}
	return s.destroyed(ctx, selectDestroyed+` WHERE kind > $1 OR (kind = $1 AND subject > $2) ORDER BY kind, subject LIMIT $3`,
		string(after.Kind), after.Subject, limit)
}

func (s *Store) destroyed(ctx context.Context, query string, args ...any) (records []store.DestroyedRecord, err error) {
	err = s.each(ctx, s.engine.Readers, "reading records of destruction", query, args, func(scan func(...any) error) error {
		var (
			r           store.DestroyedRecord
			kind, tasks string
			ids         []byte
			at          int64
			err         error
		)
		if err := scan(&kind, &r.Subject, &r.Registry, &ids, &r.Type, &tasks, &r.Versions, &r.Rule, &r.CountedFrom,
			&r.StartedOn, &r.DueOn, &at); err != nil {
			return err
		}
		if r.ClientIDs, err = splitIDs(ids); err != nil {
			return err
		}
		if json.Unmarshal([]byte(tasks), &r.ServiceTasks) != nil {
			return store.ErrCorrupt
		}
		r.Kind, r.Destroyed = store.DestroyedKind(kind), store.FromMicros(at)
		records = append(records, r)
		return nil
	})
	return records, err
}

// Scrub makes what was deleted leave the data's files, as far as this is the engine's to do. With rewrite they are
// written anew, so that no stray piece is left either; writers wait meanwhile.
func (s *Store) Scrub(ctx context.Context, rewrite bool) error {
	if s.engine.Scrub == nil {
		return nil
	}
	return s.engine.Scrub(ctx, rewrite)
}
