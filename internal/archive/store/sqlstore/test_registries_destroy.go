// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
)

const doingTest = "destroying a test registry"

// DestroyTestRegistry implements store.TestRegistryStore. A client has a code from its registration on, and a document a
// client, so that all of them are found without looking at other registries' rows.
func (s *Store) DestroyTestRegistry(ctx context.Context, registry string, limit int, at time.Time, row store.LogRow) (store.TestRegistry, error) {
	if !strings.HasPrefix(registry, store.TestRegistryArc) {
		return store.TestRegistry{}, store.ErrNotFound
	}
	if err := completeRow(&row); err != nil {
		return store.TestRegistry{}, err
	}
	relationships, err := s.relationshipsIn(ctx, registry)
	if err != nil {
		return store.TestRegistry{}, err
	}
	done := new(store.TestRegistry)
	err = s.queue.Do(ctx, 0, func(t Tx) error {
		there, found, err := testRegistry(t, registry)
		switch {
		case err != nil:
			return err
		case !found, there.Closed.IsZero(), there.Observed.IsZero():
			return store.ErrNotFound
		}
		more, err := destroyPart(t, &there, limit, at, row)
		if err != nil {
			return err
		}
		if !more {
			if err := destroyRest(t, registry, relationships); err != nil {
				return err
			}
			if there.Destroyed.IsZero() {
				there.Destroyed = store.Instant(at)
			}
		}
		*done = there
		return t.Exec("noting what was destroyed of a test registry",
			`UPDATE test_registries SET documents = $1, clients = $2, destroyed_us = $3 WHERE registry_oid = $4`,
			there.Documents, there.Clients, optional(there.Destroyed), registry)
	})
	if err != nil {
		return store.TestRegistry{}, err
	}
	return *done, nil
}

// relationshipsIn gives the ServiceRelationships of a registry that have a history. None is added once it is closed. They
// are looked for outside a transaction, because there may be many of other registries.
func (s *Store) relationshipsIn(ctx context.Context, registry string) (uids []string, err error) {
	err = s.each(ctx, s.engine.Readers, doingTest, `SELECT DISTINCT object_uid FROM relationship_history WHERE registry_oid = $1`,
		[]any{registry}, func(scan func(...any) error) error {
			var uid string
			err := scan(&uid)
			uids = append(uids, uid)
			return err
		})
	return uids, err
}

// rowOf gives the log row about one of the things that are destroyed with one row.
func rowOf(row store.LogRow, subject uuid.UUID) store.LogRow {
	row.ID = uuid.NewSHA1(row.ID, subject[:])
	return row
}

// destroyPart destroys the documents or clients that come next, and counts them; more is false if there was nothing.
func destroyPart(t Tx, r *store.TestRegistry, limit int, at time.Time, row store.LogRow) (more bool, err error) {
	due := store.TestOver(r.Closed)
	var registryID int64
	if _, err := t.Get("finding a registry", `SELECT registry_id FROM registries WHERE oid = $1`, []any{r.OID}, &registryID); err != nil {
		return false, err
	}
	documents, err := idsOf(t, `SELECT c.document_id FROM document_clients c
	 WHERE c.registry_id = $1 AND c.client_id IN (SELECT k.client_id FROM client_codes k WHERE k.registry_id = $1)
	 ORDER BY c.document_id LIMIT $2`, registryID, limit)
	if err != nil {
		return false, err
	}
	for _, id := range documents {
		kept, err := inTransaction(t).documents(selectKept+` WHERE d.document_id = $1`, id[:])
		switch {
		case err != nil:
			return false, err
		case len(kept) != 1 || kept[0].Registry != r.OID:
			return false, store.ErrCorrupt
		}
		if err := destroyDocument(t, &kept[0], due, at, rowOf(row, id)); err != nil {
			return false, err
		}
		r.Documents++
	}
	if len(documents) > 0 {
		return true, nil
	}
	clients, err := idsOf(t, `SELECT client_id FROM client_codes WHERE registry_id = $1 ORDER BY client_id LIMIT $2`, registryID, limit)
	if err != nil {
		return false, err
	}
	for _, id := range clients {
		persons, err := inTransaction(t).persons(selectPerson+` WHERE c.client_id = $1`, id[:])
		switch {
		case err != nil:
			return false, err
		case len(persons) != 1 || persons[0].Registry != r.OID:
			return false, store.ErrCorrupt
		}
		all := store.PersonDue{Due: due, Matters: slices.Repeat([]store.Due{due}, len(persons[0].Matters))}
		if err := destroyClient(t, &persons[0], all, at, rowOf(row, id)); err != nil {
			return false, err
		}
		r.Clients++
	}
	return len(clients) > 0, nil
}

// destroyRest destroys the history of relationships, of clients whom nobody registered too, and decisions about the log.
func destroyRest(t Tx, registry string, relationships []string) error {
	for _, uid := range relationships {
		if err := t.Exec(doingTest, `DELETE FROM relationship_history WHERE object_uid = $1 AND registry_oid = $2`, uid, registry); err != nil {
			return err
		}
	}
	return t.Exec(doingTest, `DELETE FROM log_withholdings WHERE registry_oid = $1`, registry)
}

// idsOf gives the distinct ids that a query selects in their order.
func idsOf(t Tx, query string, args ...any) (ids []uuid.UUID, err error) {
	err = t.Each(doingTest, query, args, func(scan func(...any) error) error {
		var raw []byte
		if err := scan(&raw); err != nil {
			return err
		}
		id, err := uuid.FromBytes(raw)
		if err != nil {
			return store.ErrCorrupt
		}
		if len(ids) == 0 || ids[len(ids)-1] != id {
			ids = append(ids, id)
		}
		return nil
	})
	return ids, err
}
