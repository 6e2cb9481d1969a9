// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
)

// RegisterClient implements store.ClientStore. Of two transactions that register one hash at the same time,
// the unique key lets one win; the other runs again and finds the client.
func (s *Store) RegisterClient(ctx context.Context, registry string, hash store.IdentityHash, now time.Time, row store.LogRow) (id uuid.UUID, created bool, err error) {
	if registry == "" {
		return uuid.Nil, false, &store.InvalidError{Field: "Registry", Problem: "is missing"}
	}
	if err := completeRow(&row); err != nil {
		return uuid.Nil, false, err
	}
	fresh, err := uuid.NewRandom()
	if err != nil {
		return uuid.Nil, false, err
	}
	// Results belong to the operation, which may still run when this call has given up.
	type result struct {
		id      uuid.UUID
		created bool
	}
	done := new(result)
	err = s.queue.Do(ctx, 0, func(t Tx) error {
		registryID, err := registryOf(t, registry, now)
		if err != nil {
			return err
		}
		r := result{id: fresh}
		if r.id, r.created, err = clientOf(t, registryID, hash, fresh, now); err != nil {
			return err
		}
		about := row
		about.ClientID = r.id
		*done = r
		return writeLog(t, &about)
	})
	if err != nil {
		return uuid.Nil, false, err
	}
	return done.id, done.created, nil
}

// registryOf gives the number of the registry, made when it is first written to.
func registryOf(t Tx, oid string, now time.Time) (id int64, err error) {
	found, err := t.Get("finding a registry", `SELECT registry_id FROM registries WHERE oid = $1`, []any{oid}, &id)
	if err != nil || found {
		return id, err
	}
	if _, err := t.Get("numbering a registry", `SELECT coalesce(max(registry_id), 0) + 1 FROM registries`, nil, &id); err != nil {
		return 0, err
	}
	return id, t.Exec("adding a registry",
		`INSERT INTO registries (registry_id, oid, created_us) VALUES ($1, $2, $3)`, id, oid, store.Micros(now))
}

// clientOf gives the client with the hash, made with the fresh id if there is none.
func clientOf(t Tx, registryID int64, hash store.IdentityHash, fresh uuid.UUID, now time.Time) (id uuid.UUID, created bool, err error) {
	var raw []byte
	found, err := t.Get("finding a client",
		`SELECT client_id FROM client_codes WHERE registry_id = $1 AND code_hash = $2`, []any{registryID, hash[:]}, &raw)
	if err != nil {
		return uuid.Nil, false, err
	}
	if found {
		id, err = uuid.FromBytes(raw)
		return id, false, err
	}
	if err := t.Exec("adding a client",
		`INSERT INTO clients (client_id, registry_id, created_us) VALUES ($1, $2, $3)`,
		fresh[:], registryID, store.Micros(now)); err != nil {
		return uuid.Nil, false, err
	}
	return fresh, true, t.Exec("adding a client's identifier",
		`INSERT INTO client_codes (registry_id, code_hash, client_id, kind, created_us) VALUES ($1, $2, $3, 'code', $4)`,
		registryID, hash[:], fresh[:], store.Micros(now))
}

// FindClient implements store.ClientStore.
func (s *Store) FindClient(ctx context.Context, registry string, hash store.IdentityHash) (id uuid.UUID, found bool, err error) {
	found, err = s.one(ctx, "finding a client",
		`SELECT c.client_id FROM client_codes c JOIN registries r ON r.registry_id = c.registry_id
		 WHERE r.oid = $1 AND c.code_hash = $2`, []any{registry, hash[:]}, &id)
	return id, found, err
}

// ClientExists implements store.ClientStore.
func (s *Store) ClientExists(ctx context.Context, registry string, id uuid.UUID) (bool, error) {
	var one int
	return s.one(ctx, "finding a client",
		`SELECT 1 FROM clients c JOIN registries r ON r.registry_id = c.registry_id
		 WHERE c.client_id = $1 AND r.oid = $2`, []any{id[:], registry}, &one)
}
