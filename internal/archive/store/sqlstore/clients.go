// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/clientkey"
	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/identitycode"
)

// logged runs an operation on a client of the registry and writes its log row, which the operation may complete, in one transaction.
func logged[T any](ctx context.Context, s *Store, registry string, row store.LogRow, op func(t Tx, row *store.LogRow) (T, error)) (result T, err error) {
	if err := completeRow(&row); err != nil {
		return result, err
	}
	// The result belongs to the operation, which may still run when this call has given up.
	done := new(T)
	err = s.queue.Do(ctx, 0, func(t Tx) error {
		if err := admit(t, registry); err != nil {
			return err
		}
		about := row
		r, err := op(t, &about)
		if err != nil {
			return err
		}
		*done = r
		return writeLog(t, &about)
	})
	if err != nil {
		return result, err
	}
	return *done, nil
}

// RegisterClient implements store.ClientStore. Of two transactions that register one hash at the same time,
// the unique key lets one win; the other runs again and finds the client.
func (s *Store) RegisterClient(ctx context.Context, registry string, registration store.Registration, now time.Time, row store.LogRow) (id uuid.UUID, created bool, err error) {
	if registry == "" {
		return uuid.Nil, false, &store.InvalidError{Field: "Registry", Problem: "is missing"}
	}
	if err := registration.Validate(); err != nil {
		return uuid.Nil, false, err
	}
	fresh, err := uuid.NewRandom()
	if err != nil {
		return uuid.Nil, false, err
	}
	type result struct {
		id      uuid.UUID
		created bool
	}
	done, err := logged(ctx, s, registry, row, func(t Tx, row *store.LogRow) (r result, err error) {
		registryID, err := registryOf(t, registry, now)
		if err != nil {
			return r, err
		}
		r.id, r.created, err = clientOf(t, registryID, &registration, fresh, now)
		row.ClientID = r.id
		return r, err
	})
	return done.id, done.created, err
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

// clientOf gives the client with the identifier, made with the fresh id if there is none.
func clientOf(t Tx, registryID int64, r *store.Registration, fresh uuid.UUID, now time.Time) (id uuid.UUID, created bool, err error) {
	there, found, err := holderOf(t, registryID, r.Hash)
	switch {
	case err != nil:
		return uuid.Nil, false, err
	case found && there.sealed:
		return there.client, false, nil
	case found:
		return there.client, false, sealLate(t, registryID, there.client, r)
	}
	if err := t.Exec("adding a client",
		`INSERT INTO clients (client_id, registry_id, created_us, born_on) VALUES ($1, $2, $3, $4)`,
		fresh[:], registryID, store.Micros(now), r.BornOn); err != nil {
		return uuid.Nil, false, err
	}
	return fresh, true, insertIdentifier(t, registryID, fresh, clientkey.Wrapped{}, r, now)
}

// holder is the client that has an identifier.
type holder struct {
	client uuid.UUID
	// sealed tells that the identifier is kept, replaced that another took its place.
	sealed, replaced bool
}

// holderOf finds who has the identifier.
func holderOf(t Tx, registryID int64, hash store.IdentityHash) (h holder, found bool, err error) {
	var (
		client, sealed []byte
		replaced       *int64
	)
	found, err = t.Get("finding a client",
		`SELECT client_id, sealed, replaced_us FROM client_codes WHERE registry_id = $1 AND code_hash = $2`,
		[]any{registryID, hash[:]}, &client, &sealed, &replaced)
	if err != nil || !found {
		return holder{}, false, err
	}
	h.sealed, h.replaced = len(sealed) > 0, replaced != nil
	h.client, err = uuid.FromBytes(client)
	return h, err == nil, err
}

// keyOf gives a client's data key, zero where it has none.
func keyOf(t Tx, client uuid.UUID) (key clientkey.Wrapped, err error) {
	_, err = t.Get("finding a client's key",
		`SELECT key_id, wrapped FROM client_keys WHERE client_id = $1`, []any{client[:]}, &key.KeyID, &key.Bytes)
	return key, err
}

// insertIdentifier adds an identifier, sealed under the client's key, which is made and kept where there is none.
func insertIdentifier(t Tx, registryID int64, client uuid.UUID, key clientkey.Wrapped, r *store.Registration, now time.Time) error {
	sealed, err := sealUnder(t, client, key, r)
	if err != nil {
		return err
	}
	return t.Exec("adding a client's identifier",
		`INSERT INTO client_codes (registry_id, code_hash, client_id, kind, sealed, created_us) VALUES ($1, $2, $3, $4, $5, $6)`,
		registryID, r.Hash[:], client[:], string(r.Kind), sealed, store.Micros(now))
}

// sealLate seals an identifier that was taken before identifiers were kept.
func sealLate(t Tx, registryID int64, client uuid.UUID, r *store.Registration) error {
	key, err := keyOf(t, client)
	if err != nil {
		return err
	}
	sealed, err := sealUnder(t, client, key, r)
	if err != nil {
		return err
	}
	if err := t.Exec("sealing a client's identifier",
		`UPDATE client_codes SET kind = $1, sealed = $2 WHERE registry_id = $3 AND code_hash = $4`,
		string(r.Kind), sealed, registryID, r.Hash[:]); err != nil {
		return err
	}
	return t.Exec("noting a client's birth",
		`UPDATE clients SET born_on = $1 WHERE client_id = $2 AND born_on = ''`, r.BornOn, client[:])
}

func sealUnder(t Tx, client uuid.UUID, key clientkey.Wrapped, r *store.Registration) ([]byte, error) {
	sealed, kept, err := r.Seal(client, key)
	if err != nil || !key.IsZero() {
		return sealed, err
	}
	return sealed, t.Exec("adding a client's key",
		`INSERT INTO client_keys (client_id, key_id, wrapped) VALUES ($1, $2, $3)`, client[:], kept.KeyID, kept.Bytes)
}

// useClients notes that something is kept under the clients from now on. Whatever keeps the first thing under a client
// has to call it: a client that is given up for another meets it in the same row, so that one of the two loses.
func useClients(t Tx, clients []uuid.UUID) error {
	for _, client := range clients {
		if err := t.Exec("noting a client's first use",
			`UPDATE clients SET in_use = 1 WHERE client_id = $1 AND in_use = 0`, client[:]); err != nil {
			return err
		}
	}
	return nil
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

const selectClient = `SELECT c.registry_id, c.created_us, c.non_disclosure, c.born_on, c.died_on
 FROM clients c JOIN registries r ON r.registry_id = c.registry_id WHERE c.client_id = $1 AND r.oid = $2`

// clientRow is a client as its row tells.
type clientRow struct {
	registryID    int64
	created       int64
	nonDisclosure int
	store.Client
}

func (c *clientRow) places() []any {
	return []any{&c.registryID, &c.created, &c.nonDisclosure, &c.BornOn, &c.DiedOn}
}

// client gives the client once the places have been filled.
func (c *clientRow) client(id uuid.UUID) store.Client {
	c.ID, c.Created, c.NonDisclosure = id, store.FromMicros(c.created), c.nonDisclosure != 0
	return c.Client
}

// Client implements store.ClientStore.
func (s *Store) Client(ctx context.Context, registry string, id uuid.UUID) (store.Client, error) {
	var row clientRow
	found, err := s.one(ctx, "reading a client", selectClient, []any{id[:], registry}, row.places()...)
	if err == nil && !found {
		err = store.ErrNotFound
	}
	if err != nil {
		return store.Client{}, err
	}
	return row.client(id), nil
}

// ClientIdentifiers implements store.ClientStore.
func (s *Store) ClientIdentifiers(ctx context.Context, registry string, id uuid.UUID) (all []store.SealedIdentifier, key clientkey.Wrapped, err error) {
	err = s.each(ctx, s.engine.Readers, "reading a client's identifiers",
		`SELECT c.kind, c.sealed, c.created_us, c.replaced_us, coalesce(k.key_id, ''), k.wrapped
		 FROM client_codes c JOIN registries r ON r.registry_id = c.registry_id
		 LEFT JOIN client_keys k ON k.client_id = c.client_id
		 WHERE c.client_id = $1 AND r.oid = $2 ORDER BY c.created_us, c.code_hash`, []any{id[:], registry},
		func(scan func(...any) error) error {
			var (
				one      store.SealedIdentifier
				kind     string
				created  int64
				replaced *int64
			)
			if err := scan(&kind, &one.Sealed, &created, &replaced, &key.KeyID, &key.Bytes); err != nil {
				return err
			}
			one.Kind, one.Since, one.Replaced = identitycode.Kind(kind), store.FromMicros(created), orZero(replaced)
			all = append(all, one)
			return nil
		})
	if err == nil && len(all) == 0 {
		err = store.ErrNotFound
	}
	return all, key, err
}
