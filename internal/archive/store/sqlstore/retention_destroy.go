// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
)

// inTransaction reads what the transaction sees.
func inTransaction(t Tx) *keptReader {
	return &keptReader{batch: 1, each: func(query string, args []any, scan func(dest func(...any) error) error) error {
		return t.Each("reading what is kept", query, args, scan)
	}}
}

// Destroy implements store.RetentionStore. A new version, an annulment and a settlement change rows that are deleted
// here, so that none of them is lost beside it.
func (s *Store) Destroy(ctx context.Context, id uuid.UUID, at time.Time, judge func(store.Kept) (store.Due, bool), row store.LogRow) error {
	if err := completeRow(&row); err != nil {
		return err
	}
	return s.queue.Do(ctx, 0, func(t Tx) error {
		kept, err := inTransaction(t).documents(selectKept+` WHERE d.document_id = $1`, id[:])
		switch {
		case err != nil:
			return err
		case len(kept) == 0:
			return notThere(t, store.KindDocument, id.String())
		}
		k := &kept[0]
		due, ok := judge(*k)
		if !ok {
			return store.ErrKept
		}
		return destroyDocument(t, k, due, at, row)
	})
}

// destroyDocument removes a document, writes its record and the log rows.
func destroyDocument(t Tx, k *store.Kept, due store.Due, at time.Time, row store.LogRow) error {
	if err := removeDocument(t, k); err != nil {
		return err
	}
	if err := writeRecord(t, &store.DestroyedRecord{
		Kind: store.KindDocument, Subject: k.ID.String(), Registry: k.Registry, ClientIDs: k.ClientIDs, Type: k.Type,
		ServiceTasks: k.ServiceTasks, Versions: k.Version, Due: due, Destroyed: at,
	}); err != nil {
		return err
	}
	return tellDestruction(t, row, k)
}

// tellDestruction writes a row for each client of the document, so that each one's own chain tells of it. The ids follow
// from the first row's: an operation that runs again writes the same rows.
func tellDestruction(t Tx, row store.LogRow, k *store.Kept) error {
	for i, client := range k.ClientIDs {
		about := row // one for each: an engine may write it later
		about.Registry, about.ClientID, about.DocumentIDs, about.DocumentCount = k.Registry, client, []uuid.UUID{k.ID}, 1
		if i > 0 {
			about.ID = uuid.NewSHA1(row.ID, client[:])
		}
		if err := writeLog(t, &about); err != nil {
			return err
		}
	}
	return nil
}

// notThere tells whether what is not there was destroyed.
func notThere(t Tx, kind store.DestroyedKind, subject string) error {
	var one int
	found, err := t.Get("finding a record of destruction",
		`SELECT 1 FROM destructions WHERE kind = $1 AND subject = $2`, []any{string(kind), subject}, &one)
	switch {
	case err != nil:
		return err
	case found:
		return store.ErrDestroyed
	default:
		return store.ErrNotFound
	}
}

// removeDocument removes the document from every table that speaks of it, but for the logs.
func removeDocument(t Tx, k *store.Kept) error {
	const doing = "destroying a document"
	facts, registryID, found, err := written(t, k.Registry, k.ID, 0)
	switch {
	case err != nil:
		return err
	case !found:
		return store.ErrNotFound
	}
	if err := displace(t, registryID, &facts); err != nil {
		return err
	}
	for _, query := range []string{
		`DELETE FROM document_bodies WHERE document_id = $1`,
		`DELETE FROM document_signatures WHERE document_id = $1`,
		`DELETE FROM relationship_versions WHERE document_id = $1`,
		`DELETE FROM relationship_documents WHERE document_id = $1`,
		`DELETE FROM document_versions WHERE document_id = $1`,
		`DELETE FROM documents WHERE document_id = $1`,
	} {
		if err := t.Exec(doing, query, k.ID[:]); err != nil {
			return err
		}
	}
	return nil
}

// displace removes the places of a document.
func displace(t Tx, registryID int64, f *store.Facts) error {
	const doing = "destroying a document"
	stored := store.Micros(f.FirstStored)
	annulled := flag(f.Annulment != nil)
	for i := range f.ClientIDs {
		if err := t.Exec(doing,
			`DELETE FROM document_clients WHERE client_id = $1 AND registry_id = $2 AND annulled = $3
			   AND first_stored_us = $4 AND document_id = $5`,
			f.ClientIDs[i][:], registryID, annulled, stored, f.ID[:]); err != nil {
			return err
		}
	}
	err := eachTask(f.ClientIDs, f.ServiceTasks, func(client uuid.UUID, task string) error {
		return t.Exec(doing,
			`DELETE FROM document_tasks WHERE client_id = $1 AND registry_id = $2 AND annulled = $3 AND service_task = $4
			   AND first_stored_us = $5 AND document_id = $6`,
			client[:], registryID, annulled, task, stored, f.ID[:])
	})
	if err != nil || f.Matter == "" {
		return err
	}
	return t.Exec(doing,
		`DELETE FROM document_matters WHERE registry_id = $1 AND matter = $2 AND annulled = $3
		   AND first_stored_us = $4 AND document_id = $5`, registryID, f.Matter, annulled, stored, f.ID[:])
}
