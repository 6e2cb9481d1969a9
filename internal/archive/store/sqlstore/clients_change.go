// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
	"github.com/valtuus/valtuus/internal/identitycode"
)

// UpdateClient implements store.ClientStore.
func (s *Store) UpdateClient(ctx context.Context, registry string, id uuid.UUID, data store.BasicData, row store.LogRow) (store.Client, error) {
	if err := data.Validate(); err != nil {
		return store.Client{}, err
	}
	return logged(ctx, s, registry, row, func(t Tx, row *store.LogRow) (store.Client, error) {
		row.ClientID = id
		there, err := readClient(t, registry, id)
		if err != nil {
			return store.Client{}, err
		}
		client := there.client(id)
		if diesBeforeBirth(client.BornOn, data.DiedOn) {
			return store.Client{}, &store.InvalidError{Field: "DiedOn", Problem: "is before the birth"}
		}
		if client.NonDisclosure == data.NonDisclosure && client.DiedOn == data.DiedOn {
			return client, nil
		}
		client.NonDisclosure, client.DiedOn = data.NonDisclosure, data.DiedOn
		return client, t.Exec("changing a client's basic data",
			`UPDATE clients SET non_disclosure = $1, died_on = $2 WHERE client_id = $3`,
			flag(data.NonDisclosure), data.DiedOn, id[:])
	})
}

// diesBeforeBirth compares days, which order as text; empty is not known.
func diesBeforeBirth(born, died string) bool { return died != "" && died < born }

func readClient(t Tx, registry string, id uuid.UUID) (row clientRow, err error) {
	found, err := t.Get("reading a client", selectClient, []any{id[:], registry}, row.places()...)
	if err == nil && !found {
		err = store.ErrNotFound
	}
	return row, err
}

// ReplaceIdentity implements store.ClientStore. Two replacements of one client meet in its row, two with one code in
// the key of client_codes; the later runs again and sees what the earlier did.
func (s *Store) ReplaceIdentity(ctx context.Context, registry string, id uuid.UUID, registration store.Registration, now time.Time, row store.LogRow) (store.Replacement, error) {
	if err := registration.Validate(); err != nil {
		return store.Replacement{}, err
	}
	if registration.Kind != identitycode.KindCode {
		return store.Replacement{}, &store.InvalidError{Field: "Kind", Problem: "is not a code"}
	}
	return logged(ctx, s, registry, row, func(t Tx, row *store.LogRow) (store.Replacement, error) {
		row.ClientID = id
		done, err := replaceIdentity(t, registry, id, &registration, now)
		if err == nil && done.Absorbed != uuid.Nil {
			row.Criteria, err = json.Marshal(map[string]uuid.UUID{"absorbed": done.Absorbed})
		}
		return done, err
	})
}

func replaceIdentity(t Tx, registry string, id uuid.UUID, r *store.Registration, now time.Time) (done store.Replacement, err error) {
	client, err := readClient(t, registry, id)
	if err != nil {
		return done, err
	}
	there, taken, err := holderOf(t, client.registryID, r.Hash)
	if err != nil {
		return done, err
	}
	if taken && there.client == id {
		if !there.sealed {
			err = sealLate(t, client.registryID, id, r)
		}
		return done, err
	}
	var codes int
	if _, err := t.Get("looking for a client's code",
		`SELECT count(*) FROM client_codes WHERE client_id = $1 AND kind = 'code' AND replaced_us IS NULL`,
		[]any{id[:]}, &codes); err != nil {
		return done, err
	}
	switch {
	case codes > 0:
		return done, store.ErrIdentified
	case diesBeforeBirth(r.BornOn, client.DiedOn):
		return done, &store.InvalidError{Field: "BornOn", Problem: "is after the death"}
	case taken:
		if err := giveUp(t, client.registryID, there.client); err != nil {
			return done, err
		}
		done.Absorbed = there.client
	}
	key, err := keyOf(t, id)
	if err != nil {
		return done, err
	}
	if err := t.Exec("replacing a client's identifier",
		`UPDATE client_codes SET replaced_us = $1 WHERE client_id = $2 AND replaced_us IS NULL`, store.Micros(now), id[:]); err != nil {
		return done, err
	}
	if err := t.Exec("noting a client's birth",
		`UPDATE clients SET born_on = $1 WHERE client_id = $2`, r.BornOn, id[:]); err != nil {
		return done, err
	}
	done.Changed = true
	return done, insertIdentifier(t, client.registryID, id, key, r, now)
}

// giveUp removes a client of whom nothing is kept but one identifier. ErrMergeNeeded if there is more.
func giveUp(t Tx, registryID int64, id uuid.UUID) error {
	var inUse, nonDisclosure, identifiers, documents, matters, relationships int
	var diedOn string
	if _, err := t.Get("looking for what is kept of a client",
		`SELECT c.in_use, c.non_disclosure, c.died_on,
		   (SELECT count(*) FROM client_codes x WHERE x.client_id = c.client_id),
		   (SELECT count(*) FROM document_clients x WHERE x.client_id = c.client_id),
		   (SELECT count(*) FROM matter_clients x WHERE x.client_id = c.client_id),
		   (SELECT count(*) FROM relationship_history x WHERE x.client_id = c.client_id)
		 FROM clients c WHERE c.client_id = $1`,
		[]any{id[:]}, &inUse, &nonDisclosure, &diedOn, &identifiers, &documents, &matters, &relationships); err != nil {
		return err
	}
	if inUse+nonDisclosure+documents+matters+relationships > 0 || identifiers > 1 || diedOn != "" {
		return store.ErrMergeNeeded
	}
	const doing = "giving a client up"
	if err := t.Exec(doing, `DELETE FROM client_codes WHERE registry_id = $1 AND client_id = $2`, registryID, id[:]); err != nil {
		return err
	}
	if err := t.Exec(doing, `DELETE FROM client_keys WHERE client_id = $1`, id[:]); err != nil {
		return err
	}
	return t.Exec(doing, `DELETE FROM clients WHERE client_id = $1`, id[:])
}
