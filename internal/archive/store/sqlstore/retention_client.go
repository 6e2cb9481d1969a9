// Copyright The Valtuus Authors.
// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/valtuus/valtuus/internal/archive/store"
)

// DestroyClient implements store.RetentionStore. In PostgreSQL, a document that is stored for the client in the same
// instant may outlive it: storing reads the client and changes nothing of it. Such a document is kept, since nothing
// is known of its client.
func (s *Store) DestroyClient(ctx context.Context, id uuid.UUID, at time.Time, judge func(store.KeptPerson) (store.PersonDue, bool), row store.LogRow) error {
	if err := completeRow(&row); err != nil {
		return err
	}
	return s.queue.Do(ctx, 0, func(t Tx) error {
		persons, err := inTransaction(t).persons(selectPerson+` WHERE c.client_id = $1`, id[:])
		switch {
		case err != nil:
			return err
		case len(persons) == 0:
			return notThere(t, store.KindClient, id.String())
		}
		p := &persons[0]
		due, ok := judge(*p)
		if !ok {
			return store.ErrKept
		}
		return destroyClient(t, p, due, at, row)
	})
}

// destroyClient removes a client, writes the records and the log row.
func destroyClient(t Tx, p *store.KeptPerson, due store.PersonDue, at time.Time, row store.LogRow) error {
	for i := range p.Matters {
		if err := leaveMatter(t, p, &p.Matters[i], due.Matters[i], at); err != nil {
			return err
		}
	}
	for _, query := range []string{
		`DELETE FROM client_keys WHERE client_id = $1`,
		`DELETE FROM client_codes WHERE client_id = $1`,
		`DELETE FROM clients WHERE client_id = $1`,
	} {
		if err := t.Exec("destroying a client", query, p.ID[:]); err != nil {
			return err
		}
	}
	if err := writeRecord(t, &store.DestroyedRecord{
		Kind: store.KindClient, Subject: p.ID.String(), Registry: p.Registry, ClientIDs: []uuid.UUID{p.ID},
		ServiceTasks: []string{}, Due: due.Due, Destroyed: at,
	}); err != nil {
		return err
	}
	row.Registry, row.ClientID = p.Registry, p.ID
	return writeLog(t, &row)
}

// leaveMatter takes the client out of a matter, which goes with its last client.
func leaveMatter(t Tx, p *store.KeptPerson, m *store.KeptMatter, due store.Due, at time.Time) error {
	const doing = "destroying a client's matter"
	var registryID int64
	if _, err := t.Get("finding a registry", `SELECT registry_id FROM registries WHERE oid = $1`, []any{p.Registry}, &registryID); err != nil {
		return err
	}
	if err := t.Exec(doing,
		`DELETE FROM matter_clients WHERE client_id = $1 AND registry_id = $2 AND matter = $3`, p.ID[:], registryID, m.ID); err != nil {
		return err
	}
	others := slices.DeleteFunc(slices.Clone(m.ClientIDs), func(id uuid.UUID) bool { return id == p.ID })
	if len(others) > 0 {
		return t.Exec(doing,
			`UPDATE matters SET client_ids = $1 WHERE registry_id = $2 AND matter = $3`, joinIDs(others), registryID, m.ID)
	}
	for _, query := range []string{
		`DELETE FROM matter_events WHERE registry_id = $1 AND matter = $2`,
		`DELETE FROM matters WHERE registry_id = $1 AND matter = $2`,
	} {
		if err := t.Exec(doing, query, registryID, m.ID); err != nil {
			return err
		}
	}
	return writeRecord(t, &store.DestroyedRecord{
		Kind: store.KindMatter, Subject: p.Registry + "/" + m.ID, Registry: p.Registry, ClientIDs: m.ClientIDs,
		ServiceTasks: m.ServiceTasks, Due: due, Destroyed: at,
	})
}
