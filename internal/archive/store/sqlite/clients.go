// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
)

// RegisterClient implements store.ClientStore. One goroutine writes, and it holds the file's write
// lock, so looking first and inserting after is race-free.
func (s *Store) RegisterClient(ctx context.Context, registry string, hash store.IdentityHash, now time.Time, row store.LogRow) (id uuid.UUID, created bool, err error) {
	if registry == "" {
		return uuid.Nil, false, &store.InvalidError{Field: "Registry", Problem: "is missing"}
	}
	// Results belong to the operation, which may still run when this call has given up.
	type result struct {
		id      uuid.UUID
		created bool
	}
	done := new(result)
	err = s.queue.Do(ctx, 0, func(t *tx) error {
		var r result
		registryID, err := t.registry(registry, now)
		if err != nil {
			return err
		}
		if r.id, r.created, err = t.client(registryID, hash, now); err != nil {
			return err
		}
		row.ClientID = r.id
		*done = r
		return t.appendLog(&row)
	})
	if err != nil {
		return uuid.Nil, false, err
	}
	return done.id, done.created, nil
}

// registry gives the row id of the registry, made when it is first written to.
func (t *tx) registry(oid string, now time.Time) (id int64, err error) {
	found, err := t.get("finding a registry", `SELECT registry_id FROM registries WHERE oid = $1`, []any{oid}, &id)
	if err != nil || found {
		return id, err
	}
	_, err = t.get("adding a registry",
		`INSERT INTO registries (oid, created_us) VALUES ($1, $2) RETURNING registry_id`,
		[]any{oid, store.Micros(now)}, &id)
	return id, err
}

func (t *tx) client(registryID int64, hash store.IdentityHash, now time.Time) (id uuid.UUID, created bool, err error) {
	found, err := t.get("finding a client",
		`SELECT client_id FROM clients WHERE registry_id = $1 AND code_hash = $2`, []any{registryID, hash[:]}, &id)
	if err != nil || found {
		return id, false, err
	}
	if id, err = uuid.NewRandom(); err != nil {
		return uuid.Nil, false, err
	}
	return id, true, t.exec("adding a client",
		`INSERT INTO clients (client_id, registry_id, code_hash, created_us) VALUES ($1, $2, $3, $4)`,
		id[:], registryID, hash[:], store.Micros(now))
}

// FindClient implements store.ClientStore.
func (s *Store) FindClient(ctx context.Context, registry string, hash store.IdentityHash) (id uuid.UUID, found bool, err error) {
	found, err = scanOne("finding a client", s.readers.QueryRowContext(ctx,
		`SELECT c.client_id FROM clients c JOIN registries r ON r.registry_id = c.registry_id
		 WHERE r.oid = $1 AND c.code_hash = $2`, registry, hash[:]), &id)
	return id, found, err
}

// ClientExists implements store.ClientStore.
func (s *Store) ClientExists(ctx context.Context, registry string, id uuid.UUID) (bool, error) {
	var one int
	return scanOne("finding a client", s.readers.QueryRowContext(ctx,
		`SELECT 1 FROM clients c JOIN registries r ON r.registry_id = c.registry_id
		 WHERE c.client_id = $1 AND r.oid = $2`, id[:], registry), &one)
}
