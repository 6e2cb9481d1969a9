// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"strings"
	"time"

	"github.com/valtuus/valtuus/internal/archive/store"
)

// admit refuses a write to a test registry that is closed. Until the write is done, the registry stays open. It asks the
// database only where the OID may be that of a test registry.
func admit(t Tx, registry string) error {
	if !strings.HasPrefix(registry, store.TestRegistryArc) {
		return nil
	}
	var closed *int64
	_, err := t.Hold("asking whether a test registry is closed",
		`SELECT closed_us FROM test_registries WHERE registry_oid = $1`, []any{registry}, &closed)
	if err == nil && closed != nil {
		err = store.ErrOver
	}
	return err
}

const selectTestRegistry = `SELECT registry_oid, test_uid, test_namespace, test_name, salt, opened_us, closed_us, observed_us,
   destroyed_us, documents, clients FROM test_registries`

// testRegistryScan receives one row of selectTestRegistry.
type testRegistryScan struct {
	r                           store.TestRegistry
	salt                        []byte
	opened                      int64
	closed, observed, destroyed *int64
}

func (s *testRegistryScan) dest() []any {
	r := &s.r
	return []any{
		&r.OID, &r.TestUID, &r.Namespace, &r.Name, &s.salt, &s.opened, &s.closed, &s.observed, &s.destroyed, &r.Documents, &r.Clients,
	}
}

func (s *testRegistryScan) registry() (store.TestRegistry, error) {
	if copy(s.r.Salt[:], s.salt) != len(s.salt) || len(s.salt) != len(s.r.Salt) {
		return s.r, store.ErrCorrupt
	}
	s.r.Opened, s.r.Closed = store.FromMicros(s.opened), orZero(s.closed)
	s.r.Observed, s.r.Destroyed = orZero(s.observed), orZero(s.destroyed)
	return s.r, nil
}

// TestRegistries implements store.TestRegistryStore.
func (s *Store) TestRegistries(ctx context.Context) (all []store.TestRegistry, err error) {
	err = s.each(ctx, s.engine.Readers, "reading the test registries", selectTestRegistry+` ORDER BY registry_oid`, nil,
		func(scan func(...any) error) error {
			var row testRegistryScan
			if err := scan(row.dest()...); err != nil {
				return err
			}
			r, err := row.registry()
			all = append(all, r)
			return err
		})
	return all, err
}

func testRegistry(t Tx, registry string) (r store.TestRegistry, found bool, err error) {
	var row testRegistryScan
	found, err = t.Get("reading a test registry", selectTestRegistry+` WHERE registry_oid = $1`, []any{registry}, row.dest()...)
	if err != nil || !found {
		return r, false, err
	}
	r, err = row.registry()
	return r, err == nil, err
}

// OpenTestRegistry implements store.TestRegistryStore.
func (s *Store) OpenTestRegistry(ctx context.Context, registry store.TestRegistry, since time.Time) (store.TestRegistry, error) {
	if err := registry.Validate(); err != nil {
		return store.TestRegistry{}, err
	}
	done := new(store.TestRegistry)
	err := s.queue.Do(ctx, 0, func(t Tx) error {
		there, found, err := testRegistry(t, registry.OID)
		if err != nil || found {
			*done = there
			return err
		}
		var one int
		older, err := t.Get("asking since when there is a registry",
			`SELECT 1 FROM registries WHERE oid = $1 AND created_us < $2`, []any{registry.OID, store.Micros(since)}, &one)
		if err != nil {
			return err
		}
		if older {
			return store.ErrExists
		}
		*done = store.TestRegistry{
			OID: registry.OID, TestUID: registry.TestUID, Namespace: registry.Namespace, Name: registry.Name,
			Salt: registry.Salt, Opened: store.Instant(registry.Opened),
		}
		// The version before this one counts its writes beside it.
		return t.Exec("opening a test registry",
			`INSERT INTO test_registries (registry_oid, test_uid, test_namespace, test_name, salt, opened_us, documents, clients, writes)
			 VALUES ($1, $2, $3, $4, $5, $6, 0, 0, 0)`,
			registry.OID, registry.TestUID, registry.Namespace, registry.Name, registry.Salt[:], store.Micros(registry.Opened))
	})
	if err != nil {
		return store.TestRegistry{}, err
	}
	return *done, nil
}

// CloseTestRegistry implements store.TestRegistryStore.
func (s *Store) CloseTestRegistry(ctx context.Context, registry string, at time.Time) error {
	const closing = "closing a test registry"
	return s.queue.Do(ctx, 0, func(t Tx) error {
		_, found, err := testRegistry(t, registry)
		switch {
		case err != nil:
			return err
		case !found:
			return store.ErrNotFound
		}
		if err := t.Claim(closing, "test_registries"); err != nil {
			return err
		}
		return t.Exec(closing,
			`UPDATE test_registries SET closed_us = $1 WHERE registry_oid = $2 AND closed_us IS NULL`, store.Micros(at), registry)
	})
}

// NoteObserved implements store.TestRegistryStore.
func (s *Store) NoteObserved(ctx context.Context, registry string, at time.Time) error {
	return s.queue.Do(ctx, 0, func(t Tx) error {
		there, found, err := testRegistry(t, registry)
		switch {
		case err != nil:
			return err
		case !found, there.Closed.IsZero():
			return store.ErrNotFound
		}
		return t.Exec("noting that a test registry has been observed",
			`UPDATE test_registries SET observed_us = $1 WHERE registry_oid = $2 AND observed_us IS NULL`, store.Micros(at), registry)
	})
}
